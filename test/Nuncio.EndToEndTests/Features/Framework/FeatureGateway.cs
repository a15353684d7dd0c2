using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Security;
using Nuncio.Testing;
using Nuncio.Testing.Backends;
using Nuncio.Testing.Processes;

namespace Nuncio.EndToEndTests.Features;

/// <summary>A running data plane with a class's manifests, ready to be asked.</summary>
public sealed class FeatureGateway : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ConcurrentDictionary<string, int> _ports = new();
    private readonly Upstreams _upstreams;
    private readonly Dictionary<string, string?> _environment;
    private HttpClient? _admin;
    private TestProcess? _process;

    private FeatureGateway(DataPlane plane, Upstreams upstreams, IEnumerable<KeyValuePair<string, string>> variables)
    {
        Plane = plane;
        _upstreams = upstreams;
        _environment = new Dictionary<string, string?>(NuncioCommand.WithoutSettings);
        foreach (var (name, value) in variables) _environment[name] = value;
    }

    /// <summary>What serves.</summary>
    public DataPlane Plane { get; }

    /// <summary>The program's output and errors: with the access log in it.</summary>
    internal TestProcess Process => _process!;

    /// <summary>Starts a data plane; skips the test where Envoy is wanted and missing.</summary>
    /// <param name="plane">Which.</param>
    /// <param name="manifests">In the forms of <see cref="ManifestText"/>.</param>
    /// <param name="upstreams">Behind it.</param>
    /// <param name="variables">Environment variables.</param>
    /// <param name="options">Of the command line.</param>
    public static async Task<FeatureGateway> StartAsync(
        DataPlane plane,
        string manifests,
        Upstreams upstreams,
        IEnumerable<KeyValuePair<string, string>>? variables = null,
        IEnumerable<string>? options = null)
    {
        var envoy = plane == DataPlane.Envoy ? TestPaths.RequireProgram("envoy") : null;
        var gateway = new FeatureGateway(plane, upstreams, variables ?? []);
        try
        {
            gateway.Write(manifests);
            await gateway.StartAsync(envoy, [.. (options ?? []).Select(option => ManifestText.Fill(option, gateway.Placeholder))]);
            return gateway;
        }
        catch
        {
            await gateway.DisposeAsync();
            throw;
        }
    }

    /// <summary>A port that the manifests name: <c>$(port)</c> is the one without a name.</summary>
    public int Port(string name = "") => _ports.GetOrAdd(name, _ => FreePort.Next());

    /// <summary>Replaces the manifests; the embedded plane alone takes them while it runs.</summary>
    public void Write(string manifests) => _folder.Write("manifests.yaml", ManifestText.Expand(manifests, Placeholder));

    /// <summary>One GET on a connection of its own.</summary>
    /// <param name="target">Path and query.</param>
    /// <param name="host">The Host header.</param>
    /// <param name="headers">Lines without their ends.</param>
    public Task<Reply> GetAsync(string target, string host = "example.com", params string[] headers) => SendAsync("GET", target, host, headers);

    /// <summary>One request on a connection of its own.</summary>
    public async Task<Reply> SendAsync(
        string method, string target, string host = "example.com", IEnumerable<string>? headers = null, string body = "", string port = "")
    {
        await using var client = await ConnectAsync(port);
        return await client.SendAsync(method, target, host, headers, body);
    }

    /// <summary>One GET over TLS with a server name.</summary>
    public async Task<Reply> GetTlsAsync(string target, string host, params string[] headers)
    {
        await using var client = await ConnectTlsAsync(host);
        return await client.SendAsync("GET", target, host, headers);
    }

    /// <summary>A connection in the clear.</summary>
    public async Task<FeatureClient> ConnectAsync(string port = "") => new(await WireClient.ConnectAsync(Port(port)));

    /// <summary>A connection over TLS; any certificate is taken.</summary>
    public async Task<FeatureClient> ConnectTlsAsync(string serverName, Action<SslClientAuthenticationOptions>? configure = null, string port = "") =>
        new(await WireClient.ConnectTlsAsync(Port(port), serverName, configure));

    /// <summary>The metrics in Prometheus' form.</summary>
    public Task<string> MetricsAsync() => _admin!.GetStringAsync(Plane == DataPlane.Envoy ? "/stats/prometheus" : "/metrics");

    /// <summary>The text of a page of the admin port.</summary>
    public Task<string> AdminTextAsync(string path) => _admin!.GetStringAsync(path);

    /// <summary>Waits for a metric: counters are written a moment after the answer.</summary>
    public async Task<string> WaitForMetricAsync(Func<string, bool> wanted)
    {
        string? line = null;
        var all = "";
        await Until.TrueAsync(async () => (line = (all = await MetricsAsync()).Split('\n').FirstOrDefault(wanted)) is not null, () => all, "a metric");
        return line!;
    }

    /// <summary>The lines of standard output: Envoy's log and the access log.</summary>
    public Task<string> WaitForLogAsync(string text) => Process.WaitForLineAsync(text);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_process is not null) await _process.DisposeAsync();
        _admin?.Dispose();
        _folder.Dispose();
    }

    private string Placeholder(string name) => name == "port" || name.StartsWith("port:", StringComparison.Ordinal)
        ? Port(name == "port" ? "" : name[5..]).ToString(CultureInfo.InvariantCulture)
        : _upstreams.Placeholder(name);

    private async Task StartAsync(string? envoy, string[] options)
    {
        var manifests = Path.Combine(_folder.Path, "manifests.yaml");
        var adminPort = FreePort.Next();
        var adminPath = "/ambassador/v0/check_ready";
        if (envoy is null)
        {
            _process = TestProcess.Start(
                NuncioCommand.Program,
                ["run", manifests, "--admin", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{adminPort}"), .. options],
                _environment);
        }
        else
        {
            var configuration = Path.Combine(_folder.Path, "envoy.json");
            await using var compile = await TestProcess.RunAsync(NuncioCommand.Program, ["compile", manifests, "--out", configuration, .. options], _environment);
            if (compile.ExitCode != 0) throw new InvalidOperationException($"nuncio compile ended with {compile.ExitCode}:\n{compile.AllText}");
            var admin = string.Create(CultureInfo.InvariantCulture, $"admin: {{ address: {{ socket_address: {{ address: 127.0.0.1, port_value: {adminPort} }} }} }}");
            _process = TestProcess.Start(
                envoy, ["-c", configuration, "--config-yaml", admin, "--disable-hot-restart", "--concurrency", "1", "-l", "warning"], _environment);
            adminPath = "/ready";
        }

        _admin = new HttpClient { BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{adminPort}")) };
        await Until.TrueAsync(
            async () =>
            {
                if (_process.HasExited) throw new InvalidOperationException($"it ended with {_process.ExitCode}:\n{_process.AllText}");
                try
                {
                    return (await _admin.GetAsync(adminPath)).StatusCode == HttpStatusCode.OK;
                }
                catch (HttpRequestException)
                {
                    // It does not listen yet.
                    return false;
                }
            },
            () => _process.AllText,
            "the data plane is ready");
    }
}

/// <summary>A connection to a gateway.</summary>
public sealed class FeatureClient : IAsyncDisposable
{
    private readonly WireClient _client;

    internal FeatureClient(WireClient client) => _client = client;

    /// <summary>Its bytes.</summary>
    public HttpWire Wire => _client.Wire;

    /// <summary>The TLS below it; throws where there is none.</summary>
    public SslStream Tls => (SslStream)_client.Stream;

    /// <summary>A request and its answer.</summary>
    public async Task<Reply> SendAsync(string method, string target, string host = "example.com", IEnumerable<string>? headers = null, string body = "") =>
        new(await _client.SendAsync(method, target, host, string.Concat((headers ?? []).Select(line => line + "\r\n")), body));

    /// <summary>A GET and its answer.</summary>
    public Task<Reply> GetAsync(string target, string host = "example.com", params string[] headers) => SendAsync("GET", target, host, headers);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _client.DisposeAsync();
}
