using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using Google.Protobuf;
using Microsoft.Extensions.Logging.Abstractions;
using Nuncio.DataPlane;
using Nuncio.DataPlane.Telemetry;
using Nuncio.EndToEndTests.Features;
using Nuncio.ParityTests.Http2;
using Nuncio.Testing;
using Nuncio.Testing.Backends;
using Nuncio.Testing.Processes;
using Nuncio.Xds;

namespace Nuncio.ParityTests.Static;

/// <summary>
/// Envoy's messages as they stand on one data plane, with upstreams of its own. In the messages <c>$(l:NAME)</c> is the port of a listener, <c>$(log)</c> the
/// path of the access log, <c>$(h1:NAME)</c>, <c>$(h2:NAME)</c>, <c>$(tcp:NAME)</c>, <c>$(silent:NAME)</c> and <c>$(closed:NAME)</c> are the ports of upstreams.
/// </summary>
internal sealed partial class StaticPlane : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ConcurrentDictionary<string, int> _ports = new();
    private readonly ConcurrentDictionary<string, IPlaneBackend> _backends = new();
    private readonly Certificates _certificates;
    private readonly EmbeddedProxy? _embedded;
    private readonly TestProcess? _envoy;
    private readonly int _admin = FreePort.Next();

    private StaticPlane(IReadOnlyList<Area> areas, Certificates certificates, string? envoy)
    {
        _certificates = certificates;
        var listeners = Expand(string.Join(',', areas.SelectMany(area => area.Listeners)));
        var clusters = Expand(string.Join(',', areas.SelectMany(area => area.Clusters)));
        if (envoy is null)
        {
            _embedded = new EmbeddedProxy(NullLoggerFactory.Instance, TimeProvider.System);
            Apply(listeners, clusters);
            return;
        }

        var path = _folder.Write("envoy.json", $$$"""
            {"admin":{"address":{"socket_address":{"address":"127.0.0.1","port_value":{{{_admin}}} } } },"static_resources":{"listeners":[ {{{listeners}}} ],"clusters":[ {{{clusters}}} ]} }
            """);
        _envoy = TestProcess.Start(envoy, ["-c", path, "--concurrency", "1", "-l", "error", "--service-cluster", "ambassador-default", "--disable-hot-restart", "--file-flush-interval-msec", "100"]);
    }

    /// <summary>It is the embedded proxy.</summary>
    public bool IsEmbedded => _embedded is not null;

    private string LogPath => Path.Combine(_folder.Path, "access.log");

    public static StaticPlane Start(IReadOnlyList<Area> areas, Certificates certificates, string? envoy) => new(areas, certificates, envoy);

    public async Task WaitUntilReadyAsync()
    {
        if (_envoy is null) return;
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{_admin}") };
        for (var tries = 0; tries < 4500; tries++)
        {
            if (_envoy.HasExited) throw new InvalidOperationException(_envoy.AllText);
            try
            {
                if ((await client.GetStringAsync("/ready")).StartsWith("LIVE", StringComparison.Ordinal)) return;
            }
            catch (HttpRequestException)
            {
                // It does not listen yet, or not with everything.
            }

            await Task.Delay(20);
        }

        throw new TimeoutException(_envoy.AllText);
    }

    /// <summary>The port of a listener or of an upstream, by the name that the messages use.</summary>
    public int Port(string name) => _ports.GetOrAdd(name, _ => name.Split(':')[0] switch
    {
        "l" or "closed" => FreePort.Next(),
        _ => Backend(name).Port,
    });

    /// <summary>An upstream by the name that the messages use.</summary>
    public IPlaneBackend Backend(string name) => _backends.GetOrAdd(name, _ => name.Split(':')[0] switch
    {
        "h2" => new Http2Backend(),
        "tcp" => new TalkingBackend(EchoAsync(name)),
        "tlstcp" => new TalkingBackend(EchoAsync(name), _certificates["upstream.example.com"]),
        "authz" or "ratelimit" => new GrpcBackend(name.Split(':')[0]),
        "silent" => new TalkingBackend(Conversations.Silent),
        "h1" => new ParityBackend(),
        _ => throw new ArgumentException(name),
    });

    /// <summary>A certificate by the name that <see cref="Certificates"/> uses.</summary>
    public X509Certificate2 Certificate(string name) => _certificates[name];

    /// <summary>The same, but of yesterday.</summary>
    public X509Certificate2 Expired(string name) => _certificates.Expired(name);

    /// <summary>What is done to a data plane must not end it.</summary>
    public void ThrowIfEnded(string after)
    {
        if (_envoy is { HasExited: true }) throw new InvalidOperationException($"Envoy ended with {_envoy.ExitCode} after {after}: {_envoy.AllText}");
    }

    /// <summary>How many requests with a mark each upstream got.</summary>
    public string Asked(string mark) => string.Join(' ', _backends
        .Select(backend => (Name: backend.Key, Count: backend.Value.Requests.Count(request => IsOf(request.Target, mark))))
        .Where(backend => backend.Count > 0).OrderBy(backend => backend.Name, StringComparer.Ordinal).Select(backend => $"{backend.Name}={backend.Count}"));

    /// <summary>Adds what may come after the answers: what the upstreams saw, and the lines of the access log.</summary>
    public async Task AddTracesAsync(IReadOnlyDictionary<Scenario, Observation> observations)
    {
        var lines = File.Exists(LogPath) ? await File.ReadAllLinesAsync(LogPath) : [];
        var parsed = lines.Select(line => JsonDocument.Parse(line).RootElement).ToArray();
        foreach (var (scenario, seen) in observations)
        {
            if (scenario.IsRandom) continue;
            seen.Add("upstream requests", Asked(scenario.Name));
            foreach (var (name, backend) in _backends.OrderBy(backend => backend.Key, StringComparer.Ordinal))
            {
                if (backend.Requests.FirstOrDefault(request => IsOf(request.Target, scenario.Name)) is { } request) seen.Add("upstream request " + name, ObservedText.Of(request));
            }

            var own = parsed.Where(line => Text(line, "path") is { } path ? IsOf(path, scenario.Name) : Text(line, "id") == scenario.Name).ToArray();
            seen.Add("log lines", own.Length.ToString(CultureInfo.InvariantCulture));
            if (own.Length == 0) continue;
            foreach (var field in own[0].EnumerateObject())
            {
                var values = own.Select(line => Translate(Text(line, field.Name) ?? "-")).Distinct().Order(StringComparer.Ordinal);
                seen.Add("log " + field.Name, string.Join(" | ", values));
            }
        }
    }

    /// <summary>Counters and gauges of everything but the administration, by name and labels; those of nothing that happened are left out.</summary>
    public async Task<SortedDictionary<string, string>> StatisticsAsync()
    {
        var all = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var isHistogram = false;
        foreach (var line in (await MetricsTextAsync()).Split('\n'))
        {
            if (line.StartsWith("# TYPE", StringComparison.Ordinal)) isHistogram = line.EndsWith("histogram", StringComparison.Ordinal);
            var space = line.LastIndexOf(' ');
            if (space < 0 || line[0] == '#' || isHistogram || line[(space + 1)..] == "0" || !Watched().IsMatch(line) || Volatile().IsMatch(line)) continue;
            all[Sorted(Translate(line[..space]))] = line[(space + 1)..];
        }

        return all;
    }

    /// <summary>One statistic now; 0 where there is none.</summary>
    public async Task<long> StatisticAsync(string series)
    {
        foreach (var line in (await MetricsTextAsync()).Split('\n'))
        {
            if (line.StartsWith(series + " ", StringComparison.Ordinal)) return long.Parse(line[(series.Length + 1)..], CultureInfo.InvariantCulture);
        }

        return 0;
    }

    /// <summary>How many requests with a mark an upstream got.</summary>
    public int Count(string backend, string mark) => Backend(backend).Requests.Count(request => IsOf(request.Target, mark));

    /// <summary>Waits until a cluster's endpoints have been checked.</summary>
    public async Task SettleAsync(Observation seen, string cluster, int healthy, int failures)
    {
        var settled = await UntilAsync(async () =>
            await StatisticAsync($"envoy_cluster_membership_healthy{{envoy_cluster_name=\"{cluster}\"}}") == healthy
            && await StatisticAsync($"envoy_cluster_health_check_failure{{envoy_cluster_name=\"{cluster}\"}}") >= failures
            && (healthy == 0 || await StatisticAsync($"envoy_cluster_health_check_success{{envoy_cluster_name=\"{cluster}\"}}") > 0));
        seen.Add("health settles", settled ? "yes" : "no");
    }

    /// <summary>Waits for what comes in its own time, a minute at most.</summary>
    public static async Task<bool> UntilAsync(Func<Task<bool>> condition)
    {
        for (var tries = 0; tries < 1200; tries++)
        {
            if (await condition()) return true;
            await Task.Delay(50);
        }

        return false;
    }

    public async ValueTask DisposeAsync()
    {
        if (_embedded is not null) await _embedded.DisposeAsync();
        if (_envoy is not null) await _envoy.DisposeAsync();
        foreach (var backend in _backends.Values) await backend.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>Ports by the names of what listens there.</summary>
    public string Translate(string text) => PortPattern().Replace(text, match =>
    {
        var port = int.Parse(match.Groups["port"].Value, CultureInfo.InvariantCulture);
        foreach (var (name, value) in _ports)
        {
            if (value == port) return name;
        }

        return match.Value;
    });

    internal static bool IsOf(string target, string mark) => Regex.IsMatch(target, $@"[?&]{Regex.Escape(mark)}($|[&#])");

    // Says its name and sends everything back; at the client's end it says goodbye.
    private static BackendConversation EchoAsync(string name) => async (wire, cancellation) =>
    {
        await wire.WriteAsync(name + "\r\n", cancellation);
        var buffer = new byte[4096];
        for (int read; (read = await wire.Stream.ReadAsync(buffer, cancellation)) > 0;)
        {
            await wire.WriteAsync(buffer.AsMemory(0, read), cancellation);
            if (buffer.AsSpan(0, read).IndexOf("quit"u8) >= 0) return;
        }

        await wire.WriteAsync("goodbye\r\n", cancellation);
    };

    // Labels have no order.
    private static string Sorted(string series)
    {
        var open = series.IndexOf('{', StringComparison.Ordinal);
        return open < 0 ? series : $"{series[..open]}{{{string.Join(',', series[(open + 1)..^1].Split("\",").Select(label => label.TrimEnd('"') + '"').Order(StringComparer.Ordinal))}}}";
    }

    private static string? Text(JsonElement line, string name) => line.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value.ToString() : null;

    private string Expand(string text) => ManifestText.Fill(text, name => name switch
    {
        "log" => LogPath,
        _ when name.StartsWith("pem:", StringComparison.Ordinal) => JsonEncodedText.Encode(_certificates.Pem(name[4..])).ToString(),
        _ => Port(name).ToString(CultureInfo.InvariantCulture),
    });

    private async Task<string> MetricsTextAsync()
    {
        if (_embedded is null)
        {
            using var client = new HttpClient();
            for (var tries = 0; tries < 300 && !_envoy!.HasExited; tries++)
            {
                try
                {
                    return await client.GetStringAsync(new Uri($"http://127.0.0.1:{_admin}/stats/prometheus"));
                }
                catch (HttpRequestException)
                {
                    await Task.Delay(100);
                }
            }

            ThrowIfEnded("all");
            return await client.GetStringAsync(new Uri($"http://127.0.0.1:{_admin}/stats/prometheus"));
        }

        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        PrometheusTextWriter.Write(_embedded.Metrics, buffer);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private void Apply(string listeners, string clusters)
    {
        using var json = JsonDocument.Parse($$"""{"listeners":[ {{listeners}} ],"clusters":[ {{clusters}} ]}""");
        var snapshot = new XdsSnapshot
        {
            Revision = 1,
            Listeners = Read<Envoy.Config.Listener.V3.Listener>(json, "listeners", static listener => listener.Name),
            Clusters = Read<Envoy.Config.Cluster.V3.Cluster>(json, "clusters", static cluster => cluster.Name),
        };
        XdsRejection[] rejections = [.. _embedded!.ApplyAsync(snapshot, CancellationToken.None).AsTask().GetAwaiter().GetResult().Rejections];
        if (rejections.Length > 0) throw new InvalidOperationException(string.Join('\n', rejections));
    }

    private static FrozenDictionary<string, XdsResource<T>> Read<T>(JsonDocument json, string name, Func<T, string> key)
        where T : class, IMessage<T>, new() =>
        json.RootElement.GetProperty(name).EnumerateArray()
            .Select(element => XdsJson.TryParse<T>(element, out var message, out var error)
                ? XdsResource<T>.Create(key(message!), message!)
                : throw new InvalidDataException($"{error} in {element}"))
            .ToFrozenDictionary(static resource => resource.Name);

    [GeneratedRegex(@"127[._]0[._]0[._]1[:_](?<port>\d+)", RegexOptions.ExplicitCapture)]
    private static partial Regex PortPattern();

    // What people alert on.
    [GeneratedRegex(
        "^envoy_(cluster_((external_|internal_|retry_)?upstream_rq(_xx|_completed)?|upstream_rq_(total|retry|retry_limit_exceeded|retry_overflow|retry_success|timeout|per_try_timeout|pending_overflow|max_duration_reached|rx_reset)"
        + "|upstream_cx_(connect_fail|connect_timeout|none_healthy|protocol_error)|membership_(total|healthy|degraded|excluded)"
        + "|outlier_detection_ejections_(active|enforced_[a-z0-9_]+|overflow)|ext_authz_[a-z_]+|ratelimit_[a-z_]+|grpc_[a-z0-9_]+)"
        + "|http_(downstream_rq_(xx|total|completed|timeout|header_timeout|idle_timeout|max_duration_reached|http1_total|http2_total|too_large)"
        + "|downstream_cx_(total|http1_total|http2_total|ssl_total|destroy|protocol_error|idle_timeout|upgrades_total)|no_route|no_cluster|rq_total|rq_direct_response|rq_redirect)"
        + "|listener_(ssl_(handshake|connection_error|fail_verify_(error|no_cert|san|cert_hash)|no_certificate)|no_filter_chain_match|downstream_cx_(total|destroy)|downstream_pre_cx_timeout)"
        + ")\\{")]
    private static partial Regex Watched();

    // What the administration is asked, and what Envoy asks for itself.
    [GeneratedRegex("envoy_http_conn_manager_prefix=\"(admin|async-client)\"|grpc_web_")]
    private static partial Regex Volatile();
}
