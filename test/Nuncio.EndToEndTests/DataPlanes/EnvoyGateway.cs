using System.Diagnostics;
using System.Globalization;
using Nuncio.Testing;

namespace Nuncio.EndToEndTests.DataPlanes;

/// <summary><c>nuncio run --data-plane envoy</c> on a folder of manifests, with a real Envoy.</summary>
internal sealed class EnvoyGateway : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly HttpClient _envoy;

    private EnvoyGateway(int envoyPort)
    {
        AdminPort = envoyPort;
        _envoy = new HttpClient { BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{envoyPort}")) };
    }

    /// <summary>Of Envoy's administration interface.</summary>
    public int AdminPort { get; }

    public RunningGateway Gateway { get; private set; } = null!;

    /// <summary>The process id of Envoy.</summary>
    public int EnvoyId => int.Parse(File.ReadAllText(Path.Combine(_folder.Path, "envoy.pid")).Split(' ')[0], CultureInfo.InvariantCulture);

    /// <summary>Starts it; skips the test where there is no Envoy.</summary>
    public static Task<EnvoyGateway> StartAsync(string manifests, bool complete = false, params IEnumerable<string> arguments) =>
        StartAsync(TestPaths.RequireProgram("envoy"), manifests, complete, arguments);

    /// <summary>The same with a program that stands for Envoy.</summary>
    public static async Task<EnvoyGateway> StartAsync(string program, string manifests, bool complete, params IEnumerable<string> arguments)
    {
        var port = FreePort.Next();
        var envoy = new EnvoyGateway(port);
        try
        {
            envoy.Gateway = await RunningGateway.StartAsync(
                manifests,
                ["--data-plane", "envoy", "--envoy", program, "--envoy-admin", $"127.0.0.1:{port}", "--envoy-folder", envoy._folder.Path, .. arguments],
                complete);
            return envoy;
        }
        catch
        {
            await envoy.DisposeAsync();
            throw;
        }
    }

    /// <summary>The folder that both share.</summary>
    public string Folder => _folder.Path;

    /// <summary>A counter or gauge of Envoy.</summary>
    public async Task<long> StatisticAsync(string name)
    {
        var line = await _envoy.GetStringAsync($"/stats?filter=^{Uri.EscapeDataString(name)}$");
        return long.Parse(line.AsSpan(line.LastIndexOf(':') + 1), CultureInfo.InvariantCulture);
    }

    /// <summary>An Envoy that outlived its gateway is ended too.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Gateway is { Process.HasExited: false })
        {
            Gateway.Process.Terminate();
            await Gateway.Process.WaitForExitAsync();
        }

        if (File.Exists(Path.Combine(_folder.Path, "envoy.pid")))
        {
            try
            {
                Process.GetProcessById(EnvoyId).Kill();
            }
            catch (ArgumentException)
            {
                // It has ended.
            }
        }

        if (Gateway is not null) await Gateway.DisposeAsync();
        _envoy.Dispose();
        _folder.Dispose();
    }
}
