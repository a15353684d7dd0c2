using System.Globalization;
using System.Net;
using Nuncio.Testing;
using Nuncio.Testing.Backends;
using Nuncio.Testing.Processes;

namespace Nuncio.EndToEndTests;

/// <summary><c>nuncio run</c> on a folder of manifests, ready to be asked.</summary>
internal sealed class RunningGateway : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly HttpClient _admin;
    private readonly Dictionary<string, string?> _environment;
    private string[] _arguments;

    private RunningGateway(int adminPort, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?> environment)
    {
        _arguments = [.. arguments];
        _environment = new Dictionary<string, string?>(NuncioCommand.WithoutSettings);
        foreach (var (name, value) in environment) _environment[name] = value;
        AdminPort = adminPort;
        _admin = new HttpClient { BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{adminPort}")) };
    }

    public TestProcess Process { get; private set; } = null!;

    /// <summary>The port of the Listener that <see cref="Manifests"/> makes.</summary>
    public int Port { get; } = FreePort.Next();

    public int AdminPort { get; }

    /// <summary>The folder that it watches.</summary>
    public string Folder => _folder.Path;

    /// <summary>Starts it on a Listener for cleartext, a Host for everything, and what is given.</summary>
    /// <param name="manifests">Documents to add.</param>
    /// <param name="arguments">More of the command line.</param>
    /// <param name="complete">The given documents are all; <c>PORT</c> in them stands for <see cref="Port"/>.</param>
    /// <param name="environment">More environment variables.</param>
    public static async Task<RunningGateway> StartAsync(
        string manifests, IEnumerable<string>? arguments = null, bool complete = false, IReadOnlyDictionary<string, string?>? environment = null)
    {
        var gateway = new RunningGateway(FreePort.Next(), arguments ?? [], environment ?? new Dictionary<string, string?>());
        gateway.Write("manifests.yaml", (complete ? "" : Manifests.ListenerAndHost) + manifests);
        try
        {
            await gateway.StartAsync();
        }
        catch
        {
            await gateway.DisposeAsync();
            throw;
        }

        return gateway;
    }

    /// <summary>Starts the same command once more, after the process has ended; with other arguments where some are given.</summary>
    public async Task StartAgainAsync(IEnumerable<string>? arguments = null)
    {
        if (arguments is not null) _arguments = [.. arguments];
        await Process.DisposeAsync();
        await StartAsync();
    }

    /// <summary>Ends the process, and waits for that.</summary>
    public async Task EndAsync()
    {
        Process.Terminate();
        await Process.WaitForExitAsync();
    }

    /// <summary>Starts the same command once more, after the process has ended, and waits for nothing.</summary>
    public async Task BeginAgainAsync()
    {
        await Process.DisposeAsync();
        Process = StartProcess();
    }

    /// <summary>Starts the same command beside the process that runs, waits until it serves, and tells the older one to stop; waits for its end.</summary>
    /// <returns>The exit status of the older one.</returns>
    public async Task<int> SucceedAsync()
    {
        await using var older = Process;
        Process = StartProcess();
        await Process.WaitForLineAsync("Ready: serving on");
        older.Terminate();
        return await older.WaitForExitAsync();
    }

    /// <summary>Writes a file into the watched folder.</summary>
    public void Write(string name, string manifests) =>
        _folder.Write(name, manifests.Replace("PORT", Port.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal));

    /// <summary>Writes a file beside and puts it in its place, as a careful program does.</summary>
    public void Replace(string name, string manifests)
    {
        Write($".{name}", manifests);
        File.Move(Path.Combine(Folder, $".{name}"), Path.Combine(Folder, name), overwrite: true);
    }

    /// <summary>Takes a file away.</summary>
    public void Delete(string name) => File.Delete(Path.Combine(Folder, name));

    /// <summary>Status of an admin page.</summary>
    public async Task<HttpStatusCode> AdminStatusAsync(string path) => (await _admin.GetAsync(path)).StatusCode;

    /// <summary>Text of an admin page.</summary>
    public Task<string> AdminTextAsync(string path) => _admin.GetStringAsync(path);

    /// <summary>One request on a connection of its own, over HTTP/1.1 without TLS.</summary>
    public async Task<WireResponse> SendAsync(string method, string target, string host = "example.com", string headers = "", string body = "")
    {
        await using var client = await WireClient.ConnectAsync(Port);
        return await client.SendAsync(method, target, host, headers, body);
    }

    /// <summary>Asks until the answer is as wanted: for changes that take effect a moment after they were saved.</summary>
    public async Task<WireResponse> SendUntilAsync(Func<WireResponse, bool> wanted, string target)
    {
        WireResponse? response = null;
        await Until.TrueAsync(
            async () => wanted(response = await SendAsync("GET", target)),
            () => $"{target} still answers {response?.StatusLine}\n{Process.AllText}",
            "another answer");
        return response!;
    }

    public async ValueTask DisposeAsync()
    {
        await Process.DisposeAsync();
        _admin.Dispose();
        _folder.Dispose();
    }

    private Task StartAsync()
    {
        Process = StartProcess();
        return WaitUntilReadyAsync();
    }

    private TestProcess StartProcess() =>
        TestProcess.Start(NuncioCommand.Program, ["run", Folder, "--admin", $"127.0.0.1:{AdminPort}", .. _arguments], _environment);

    private async Task WaitUntilReadyAsync()
    {
        await Until.TrueAsync(
            async () =>
            {
                if (Process.HasExited) throw new InvalidOperationException($"nuncio ended with {Process.ExitCode}:\n{Process.AllText}");
                try
                {
                    return await AdminStatusAsync("/ambassador/v0/check_ready") == HttpStatusCode.OK;
                }
                catch (HttpRequestException)
                {
                    // It does not listen yet.
                    return false;
                }
            },
            () => Process.AllText,
            "nuncio is ready");
    }
}
