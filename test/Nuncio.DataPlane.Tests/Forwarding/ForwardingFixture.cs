using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Logging.Abstractions;
using Nuncio.DataPlane.AccessLogging;
using Nuncio.DataPlane.Binding;
using Nuncio.DataPlane.Formatting;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Http.Http1;
using Nuncio.DataPlane.Pipeline;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Telemetry;
using Nuncio.DataPlane.Tests.Http.Http2;
using Nuncio.DataPlane.Tests.Upstream;
using Nuncio.Xds;
using EmptyMessage = Google.Protobuf.WellKnownTypes.Empty;

namespace Nuncio.DataPlane.Tests.Forwarding;

/// <summary>
/// The whole path of a request, codecs and pools included, between a client and upstreams in memory, under a clock that the test moves: what happens, happens
/// because of the test and not because time went by.
/// </summary>
internal sealed class ForwardingFixture : IAsyncDisposable
{
    private readonly HttpPipeline _pipeline;
    private readonly List<FixtureClient> _clients = [];

    /// <param name="route">Fields of the route's action besides its cluster, as JSON, each with a comma behind.</param>
    /// <param name="cluster">The same of the cluster <c>c</c>.</param>
    /// <param name="ports">The cluster's endpoints; one by default.</param>
    /// <param name="log">What <see cref="Logged"/> has of each request: an access log format.</param>
    /// <param name="virtualHost">Further fields of the virtual host.</param>
    public ForwardingFixture(string route = "", string cluster = "", int[]? ports = null, string log = "%RESPONSE_FLAGS%", string virtualHost = "")
    {
        Upstreams = new Upstreams(Time, transports: Connector);
        Upstreams.Apply(Cluster("c", cluster, ports ?? [1]), Cluster("mirror", "", [99]));
        Upstreams.Refused.ShouldBeEmpty();
        var catalog = new HttpFilterCatalog([new ProbeBinder(this, log), new RouterBinder(Upstreams.Table, Upstreams.Environment.Timers)]);
        var errors = new BindErrors();
        var manager = Parse<HcmV3.HttpConnectionManager>($$"""
            {"stat_prefix":"test","stream_idle_timeout":"0s","internal_address_config":{"cidr_ranges":[{"address_prefix":"10.0.0.0","prefix_len":8}]},
             "route_config":{"name":"r","virtual_hosts":[{"name":"h","domains":["*"],{{virtualHost}}
               "routes":[{"match":{"prefix":"/"},"route":{ {{route}}"cluster":"c"} }] }] },
             "http_filters":[{"name":"probe","typed_config":{"@type":"type.googleapis.com/google.protobuf.Empty"} },
               {"name":"router","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"} }] }
            """);
        var model = new HttpConnectionManagerBinder(catalog, new RouteConfigurationBinder(catalog) { Metrics = Upstreams.Environment.Metrics }, new AccessLogFiles())
            .Bind(manager, "", errors);
        errors.All.ShouldBeEmpty();
        Metrics = new HttpConnectionManagerMetrics(Upstreams.Environment.Metrics, "test");
        _pipeline = new HttpPipeline(
            model!, new RouteConfigurationState { Current = model!.RouteConfiguration }, Time, Metrics, NullLogger.Instance);
    }

    public ManualTimeProvider Time { get; } = new();

    public MemoryConnector Connector { get; } = new();

    public Upstreams Upstreams { get; }

    public HttpConnectionManagerMetrics Metrics { get; }

    /// <summary>A line of each request that is over.</summary>
    public List<string> Logged { get; } = [];

    /// <summary>A counter or gauge of the cluster, the words after <c>envoy_cluster_</c>.</summary>
    public long Count(string name, string cluster = "c") => Upstreams.Metric("envoy_cluster_" + name, cluster) ?? 0;

    /// <summary>A client, which sends a request.</summary>
    public async Task<FixtureClient> SendAsync(string head = "GET / HTTP/1.1\r\n", string body = "")
    {
        var client = new FixtureClient(_pipeline, Upstreams.Environment.Timers);
        _clients.Add(client);
        await client.SendAsync(head + "host: a\r\n" + (body.Length > 0 ? string.Create(CultureInfo.InvariantCulture, $"content-length: {body.Length}\r\n") : "") + "\r\n" + body);
        return client;
    }

    /// <summary>A connection of the proxy and the request that came on it, of those that need no time to go by.</summary>
    public async Task<UpstreamPeer> AcceptAsync()
    {
        var peer = await Connector.AcceptAsync().WaitAsync(Until.Limit);
        (await peer.ReadRequestAsync()).ShouldNotBeNull();
        return peer;
    }

    /// <summary>The same, where something has to run out first: time moves on by small steps until it comes.</summary>
    public async Task<UpstreamPeer> AcceptInTimeAsync()
    {
        var peer = await PassUntilAsync(Connector.AcceptAsync());
        (await peer.ReadRequestAsync()).ShouldNotBeNull();
        return peer;
    }

    /// <summary>Lets time go by, 20 ms a step, until something is done.</summary>
    public async Task<T> PassUntilAsync<T>(Task<T> task)
    {
        await Until.TrueAsync(() =>
        {
            if (!task.IsCompleted)
            {
                Time.Advance(TimeSpan.FromMilliseconds(20));
            }

            return task.IsCompleted;
        });
        return await task;
    }

    /// <summary>Waits until nothing of any request is left: the gauges are what they were.</summary>
    public Task WaitUntilIdleAsync() => Until.TrueAsync(
        () => Gauges().All(static gauge => gauge.Value == 0), () => string.Join(' ', Gauges().Select(static gauge => $"{gauge.Key}={gauge.Value}")));

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients)
        {
            await client.DisposeAsync();
        }

        Upstreams.Dispose();
    }

    private static ClusterV3.Cluster Cluster(string name, string fields, int[] ports)
    {
        var endpoints = string.Join(',', ports.Select(static port => string.Create(
            CultureInfo.InvariantCulture,
            $$"""{"endpoint":{"address":{"socket_address":{"address":"127.0.0.1","port_value":{{port}} } } } }""")));
        return Parse<ClusterV3.Cluster>($$"""
            {"name":"{{name}}","type":"STATIC",{{fields}}"load_assignment":{"cluster_name":"{{name}}","endpoints":[{"lb_endpoints":[ {{endpoints}} ] }] } }
            """);
    }

    private static T Parse<T>(string text)
        where T : class, Google.Protobuf.IMessage<T>, new()
    {
        using var json = JsonDocument.Parse(text);
        XdsJson.TryParse<T>(json.RootElement, out var message, out var error).ShouldBeTrue(error?.ToString());
        return message!;
    }

    private Dictionary<string, long> Gauges()
    {
        var gauges = new Dictionary<string, long>(StringComparer.Ordinal) { ["downstream"] = Metrics.DownstreamRequestsActive.Value };
        foreach (var cluster in (string[])["c", "mirror"])
        {
            gauges[cluster + ".active"] = Count("upstream_rq_active", cluster);
            gauges[cluster + ".pending"] = Count("upstream_rq_pending_active", cluster);
            gauges[cluster + ".retries"] = Upstreams.Table.Find(cluster)!.Resources(0).Retries;
        }

        return gauges;
    }

    // Tells the test what is known of a request when it is over.
    private sealed class ProbeBinder(ForwardingFixture fixture, string log) : HttpFilterBinder
    {
        public override string ConfigType => EmptyMessage.Descriptor.FullName;

        public override HttpFilter Bind(string name, int index, Any config, string path, BindErrors errors)
        {
            FormatParser.TryParse(log, out var format, out var error).ShouldBeTrue(error);
            return new Probe(fixture, format) { Name = name, Index = index };
        }
    }

    private sealed class Probe(ForwardingFixture fixture, FormatOperator[] format) : HttpFilter
    {
        public override ValueTask<FilterOutcome> OnRequestAsync(HttpExchange exchange) => new(FilterOutcome.Continue);

        public override void OnComplete(HttpExchange exchange)
        {
            var buffer = new FormatBuffer();
            foreach (var part in format)
            {
                if (!part.TryWrite(exchange, buffer))
                {
                    buffer.Write((byte)'-');
                }
            }

            lock (fixture.Logged)
            {
                fixture.Logged.Add(Encoding.UTF8.GetString(buffer.Written));
            }
        }
    }
}

/// <summary>A client with its connection.</summary>
internal sealed class FixtureClient : IAsyncDisposable
{
    private readonly MemoryTransport _transport;
    private readonly Task _running;
    private readonly StringBuilder _received = new();

    public FixtureClient(HttpStreamProcessor processor, Nuncio.DataPlane.Time.TimerService timers)
    {
        (_transport, var server) = MemoryTransport.CreatePair();
        var end = new IPEndPoint(IPAddress.Loopback, 1);
        var info = new DownstreamConnectionInfo { Id = 1, DirectRemoteAddress = end, RemoteAddress = end, LocalAddress = end };
        _running = new Http1ServerConnection(server, info, Http1ServerOptions.Default with { DelayedCloseTimeout = TimeSpan.Zero }, processor, timers).RunAsync();
    }

    public async Task SendAsync(string text) => await _transport.WriteAsync(Encoding.Latin1.GetBytes(text));

    /// <summary>The client goes away.</summary>
    public void Leave() => _transport.Abort();

    /// <summary>Waits until the response has begun.</summary>
    public async Task WaitForHeadAsync()
    {
        var buffer = new byte[65536];
        while (!_received.ToString().Contains("\r\n\r\n", StringComparison.Ordinal))
        {
            var read = await _transport.ReadAsync(buffer).AsTask().WaitAsync(Until.Limit);
            read.ShouldBeGreaterThan(0);
            _received.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }
    }

    /// <summary>The next response by its length: status and body.</summary>
    public async Task<string> ReadAsync()
    {
        var buffer = new byte[65536];
        while (true)
        {
            var text = _received.ToString();
            var head = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            const string Length = "content-length: ";
            var at = head < 0 ? -1 : text.IndexOf(Length, 0, head + 2, StringComparison.Ordinal);
            if (at >= 0)
            {
                var length = int.Parse(text.AsSpan(at + Length.Length, text.IndexOf('\r', at) - at - Length.Length), CultureInfo.InvariantCulture);
                if (text.Length >= head + 4 + length)
                {
                    _received.Remove(0, head + 4 + length);
                    return $"{text.AsSpan(9, 3)} {text.AsSpan(head + 4, length)}".TrimEnd();
                }
            }

            var read = await _transport.ReadAsync(buffer).AsTask().WaitAsync(Until.Limit);
            if (read <= 0)
            {
                throw new InvalidOperationException($"The connection ended after: {text}");
            }

            _received.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }
    }

    public async ValueTask DisposeAsync()
    {
        _transport.Abort();
        await _running.WaitAsync(Until.Limit);
    }
}
