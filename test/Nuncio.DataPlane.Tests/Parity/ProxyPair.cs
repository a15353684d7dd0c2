using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Google.Protobuf;
using Microsoft.Extensions.Logging.Abstractions;
using Nuncio.DataPlane.Telemetry;
using Nuncio.Testing;
using Nuncio.Testing.Backends;
using Nuncio.Testing.Processes;
using Nuncio.Xds;

namespace Nuncio.DataPlane.Tests.Parity;

/// <summary>
/// The same static resources on the embedded proxy and, where there is one, on Envoy: what is asked of both must be answered by both in the same way.
/// <c>PORT</c> in the resources stands for the port of the proxy.
/// </summary>
internal sealed partial class ProxyPair : IAsyncDisposable
{
    private readonly EmbeddedProxy _proxy = new(NullLoggerFactory.Instance, TimeProvider.System);
    private readonly TemporaryFolder _folder = new();
    private readonly int _port = FreePort.Next();
    private readonly int _envoyPort = FreePort.Next();
    private readonly int _adminPort = FreePort.Next();
    private readonly List<IAsyncDisposable> _owned = [];
    private TestProcess? _envoy;

    /// <summary>There is an Envoy to compare with.</summary>
    public bool HasEnvoy => _envoy is not null;

    /// <summary>The embedded proxy's port.</summary>
    public int Port => _port;

    /// <summary>Envoy's port; the embedded proxy's where there is no Envoy.</summary>
    public int EnvoyPort => HasEnvoy ? _envoyPort : _port;

    /// <summary>What the embedded proxy refused.</summary>
    public IReadOnlyList<XdsRejection> Rejections { get; private set; } = [];

    /// <summary>Starts both on listeners and clusters as JSON.</summary>
    public static Task<ProxyPair> StartAsync(string resources) => StartAsync(resources, TestPaths.FindProgram("envoy"));

    /// <summary>Starts the embedded proxy alone, on what Envoy does not take, or where nothing is to be compared.</summary>
    public static Task<ProxyPair> StartOursAsync(string resources) => StartAsync(resources, envoy: null);

    private static async Task<ProxyPair> StartAsync(string resources, string? envoy)
    {
        var pair = new ProxyPair();
        try
        {
            using var json = JsonDocument.Parse(pair.With(resources, pair._port));
            var snapshot = new XdsSnapshot
            {
                Revision = 1,
                Listeners = Read<ListenerV3.Listener>(json, "listeners", static listener => listener.Name),
                Clusters = Read<ClusterV3.Cluster>(json, "clusters", static cluster => cluster.Name),
            };
            pair.Rejections = [.. (await pair._proxy.ApplyAsync(snapshot, CancellationToken.None)).Rejections];
            if (envoy is not null) await pair.StartEnvoyAsync(envoy, resources);
            return pair;
        }
        catch
        {
            await pair.DisposeAsync();
            throw;
        }
    }

    /// <summary>A listener with a connection manager; further fields of it and of its filter chain, and its virtual hosts.</summary>
    public static string Resources(string virtualHosts, string clusters, string manager = "", string filters = "", string chain = "") => $$"""
        {"listeners":[ {"name":"l","address":{"socket_address":{"address":"127.0.0.1","port_value":"PORT"} },"filter_chains":[ { {{chain}}"filters":[ {"name":"http","typed_config":{
          "@type":"type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager","stat_prefix":"test",{{manager}}
          "route_config":{"name":"r","virtual_hosts":[ {{virtualHosts}} ]},
          "http_filters":[ {{filters}} {"name":"router","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"} }] } }] }] }],
         "clusters":[ {{clusters}} ]}
        """;

    /// <summary>A static cluster of local ports; further fields first.</summary>
    public static string Cluster(string name, string fields, params IEnumerable<(int Port, int Weight)> endpoints)
    {
        var list = string.Join(',', endpoints.Select(static endpoint => string.Create(
            CultureInfo.InvariantCulture,
            $$"""
            {"load_balancing_weight":{{endpoint.Weight}},"endpoint":{"address":{"socket_address":{"address":"127.0.0.1","port_value":{{endpoint.Port}} } } } }
            """)));
        return $$"""
            {"name":"{{name}}","type":"STATIC","connect_timeout":"5s",{{fields}}"load_assignment":{"cluster_name":"{{name}}","endpoints":[ {"lb_endpoints":[ {{list}} ]}] } }
            """;
    }

    /// <summary>Asks both and compares with what is expected.</summary>
    public async Task ExpectAsync(string expected, Func<int, Task<string>> ask)
    {
        (await ask(_port)).ShouldBe(expected, "the embedded proxy");
        if (HasEnvoy) (await ask(_envoyPort)).ShouldBe(expected, "envoy");
    }

    /// <summary>Does the same with both, one after the other.</summary>
    public async Task EachAsync(Func<int, Task> act)
    {
        await act(_port);
        if (HasEnvoy) await act(_envoyPort);
    }

    /// <summary>Asks both; the answers must be the same.</summary>
    public async Task<string> CompareAsync(Func<int, Task<string>> ask)
    {
        var ours = await ask(_port);
        if (HasEnvoy) ours.ShouldBe(await ask(_envoyPort));
        return ours;
    }

    /// <summary>Sends text and gives the status line, chosen headers and the body of the answer.</summary>
    public static async Task<string> AskAsync(int port, string request, params string[] headers)
    {
        await using var client = await WireClient.ConnectAsync(port);
        await client.Wire.WriteAsync(request);
        var response = await client.Wire.ReadResponseAsync(request.Split(' ')[0]);
        var shown = headers.Select(name => $" {name}={response[name]}");
        return $"{response.Status}{string.Concat(shown)} {System.Text.Encoding.Latin1.GetString(response.Body)}".TrimEnd();
    }

    /// <summary>The statistics of both whose names match, sorted, must be the same where they are not zero; gives ours.</summary>
    public async Task<IReadOnlyList<string>> StatisticsAsync(string pattern)
    {
        var page = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_adminPort}/stats/prometheus"));
        using var admin = new HttpClient();
        for (var tries = 0; ; tries++)
        {
            // A request is counted when it is over, which may be a moment after its answer has come.
            var ours = Select(PrometheusText(), pattern);
            if (!HasEnvoy && tries > 0) return ours;
            var theirs = HasEnvoy ? Select(await admin.GetStringAsync(page), pattern) : [];
            if (HasEnvoy && ours.SequenceEqual(theirs)) return ours;
            if (HasEnvoy && tries > 600) ours.Except(theirs).Select(static line => "ours " + line).Concat(theirs.Except(ours).Select(static line => "envoy's " + line)).ShouldBeEmpty();
            await Task.Delay(100);
        }
    }

    /// <summary>The same of the embedded proxy alone, as they are now.</summary>
    public IReadOnlyList<string> OwnStatistics(string pattern) => Select(PrometheusText(), pattern);

    /// <summary>A counter of the proxy with that port.</summary>
    public async Task<long> CountAsync(int port, string series)
    {
        using var admin = new HttpClient();
        var text = port == _port
            ? PrometheusText()
            : await admin.GetStringAsync(new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_adminPort}/stats/prometheus")));
        var line = text.Split('\n').FirstOrDefault(line => line.StartsWith(series + " ", StringComparison.Ordinal));
        return line is null ? 0 : long.Parse(line.AsSpan(series.Length + 1).Trim(), CultureInfo.InvariantCulture);
    }

    /// <summary>What ends with the pair, such as a backend.</summary>
    public void Own(IAsyncDisposable owned) => _owned.Add(owned);

    public async ValueTask DisposeAsync()
    {
        if (_envoy is not null) await _envoy.DisposeAsync();
        await _proxy.DisposeAsync();
        foreach (var owned in _owned) await owned.DisposeAsync();
        _folder.Dispose();
    }

    private static FrozenDictionary<string, XdsResource<T>> Read<T>(JsonDocument json, string name, Func<T, string> key)
        where T : class, IMessage<T>, new() =>
        json.RootElement.GetProperty(name).EnumerateArray()
            .Select(element =>
            {
                XdsJson.TryParse<T>(element, out var message, out var error).ShouldBeTrue(error?.ToString());
                return XdsResource<T>.Create(key(message!), message!);
            })
            .ToFrozenDictionary(static resource => resource.Name);

    private static List<string> Select(string text, string pattern) =>
    [
        .. text.Split('\n')
            .Where(line => Regex.IsMatch(line, pattern) && !line.StartsWith('#') && !line.EndsWith(" 0", StringComparison.Ordinal))
            .Select(static line => ListenerPattern().Replace(line.Trim(), "127.0.0.1_PORT"))
            .Order(StringComparer.Ordinal),
    ];

    private string With(string resources, int port) =>
        PortPattern().Replace(resources, port.ToString(CultureInfo.InvariantCulture));

    private string PrometheusText()
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        PrometheusTextWriter.Write(_proxy.Metrics, buffer);
        return System.Text.Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private async Task StartEnvoyAsync(string program, string resources)
    {
        var configuration = Path.Combine(_folder.Path, "envoy.json");
        await File.WriteAllTextAsync(configuration, string.Create(
            CultureInfo.InvariantCulture,
            $$"""
            {"admin":{"address":{"socket_address":{"address":"127.0.0.1","port_value":{{_adminPort}} } } },"static_resources":{{With(resources, _envoyPort)}} }
            """));
        _envoy = TestProcess.Start(program, ["-c", configuration, "--concurrency", "1", "-l", "error", "--disable-hot-restart"]);
        for (var tries = 0; ; tries++)
        {
            if (_envoy.HasExited) throw new InvalidOperationException($"envoy ended:\n{_envoy.AllText}");
            try
            {
                await using var client = await WireClient.ConnectAsync(_envoyPort);
                return;
            }
            catch (System.Net.Sockets.SocketException) when (tries < 1200)
            {
                await Task.Delay(50);
            }
        }
    }

    [GeneratedRegex("\"?\\bPORT\\b\"?")]
    private static partial Regex PortPattern();

    [GeneratedRegex(@"127\.0\.0\.1_\d+")]
    private static partial Regex ListenerPattern();
}
