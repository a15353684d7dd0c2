using System.Net.Sockets;
using Nuncio.Testing.Backends;

namespace Nuncio.DataPlane.Tests.Parity;

/// <summary>Statistics that people alert on, after the same traffic on both proxies.</summary>
public sealed class StatisticsTests
{
    private const string Host = """{"name":"h","domains":["*"],"routes":[{"match":{"prefix":"/"},"route":{"cluster":"c"} }] }""";

    [Fact]
    public async Task RequestsOverHttp2_AreCountedByCodecListenerAndCluster()
    {
        await using var backend = WireBackend.StartEcho();
        await using var second = await ProxyPair.StartAsync(ProxyPair.Resources(Host, ProxyPair.Cluster("c", "", (backend.Port, 1))));
        await using var first = await ProxyPair.StartAsync(ProxyPair.Resources(Host, ProxyPair.Cluster("c", "\"http2_protocol_options\":{},", (second.Port, 1))));
        await using var third = await ProxyPair.StartAsync(ProxyPair.Resources(Host, ProxyPair.Cluster("c", "\"http2_protocol_options\":{},", (second.EnvoyPort, 1))));
        for (var i = 0; i < 2; i++)
        {
            await first.EachAsync(static async port => (await ProxyPair.AskAsync(port, "GET / HTTP/1.1\r\nhost: a\r\n\r\n")).ShouldStartWith("200"));
            await third.EachAsync(static async port => (await ProxyPair.AskAsync(port, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\nx")).ShouldStartWith("200"));
        }

        const string Codec = "http2_(streams_active|rx_reset|tx_reset|rx_messaging_error|header_overflow|outbound_flood|outbound_control_flood|inbound_[a-z_]*flood|trailers|keepalive_timeout)\\{";
        await first.StatisticsAsync("envoy_cluster_" + Codec);
        await first.StatisticsAsync("envoy_cluster_(upstream_cx_http2_total|external_upstream_rq_time_count|circuit_breakers_[a-z_]*_open)\\{");
        await second.StatisticsAsync("envoy_" + Codec);
        (await second.StatisticsAsync("envoy_listener_http_downstream_rq_(xx|completed)\\{.*\"test\"")).Count.ShouldBe(2);
        (await first.StatisticsAsync("envoy_(cluster_manager_active_clusters|listener_manager_total_listeners_active|server_live)\\{")).Count.ShouldBe(3);
    }

    [Fact]
    public async Task ConnectionsThatEnd_AreCountedByWhoEndedThem()
    {
        await using var backend = WireBackend.Start(static async (wire, cancellationToken) =>
        {
            while (await wire.ReadRequestAsync(cancellationToken) is { } request)
            {
                if (request.Target == "/cut")
                {
                    await wire.WriteAsync("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", cancellationToken);
                    return;
                }

                await wire.WriteAsync(request.Target == "/last" ? "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n" : Responses.Ok(), cancellationToken);
                if (request.Target == "/close") return;
            }
        });
        await using var pair = await ProxyPair.StartAsync(ProxyPair.Resources(
            Host, ProxyPair.Cluster("c", "", (backend.Port, 1)), "\"delayed_close_timeout\":\"0.2s\","));

        // Envoy's count begins with the connection that found it ready.
        if (pair.HasEnvoy) await using (await WireClient.ConnectAsync(pair.Port)) { }
        await pair.EachAsync(static async port => (await ProxyPair.AskAsync(port, "GET / HTTP/1.1\r\nhost: a\r\n\r\n")).ShouldStartWith("200"));
        await pair.EachAsync(static async port => (await ProxyPair.AskAsync(port, "GET /close HTTP/1.1\r\nhost: a\r\n\r\n")).ShouldStartWith("200"));
        (await pair.StatisticsAsync("envoy_cluster_upstream_cx_destroy_remote\\{")).Count.ShouldBe(1);
        foreach (var text in new[] { "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", "GET / HTTP/1.1\r\nhost : a\r\n\r\n", "GET /cut HTTP/1.1\r\nhost: a\r\n\r\n" })
        {
            await pair.EachAsync(async port =>
            {
                await using var client = await WireClient.ConnectAsync(port);
                await client.Wire.WriteAsync(text);
                await client.Wire.ReadToEndAsync();
            });
        }

        await pair.EachAsync(static async port => (await ProxyPair.AskAsync(port, "GET /last HTTP/1.1\r\nhost: a\r\n\r\n")).ShouldStartWith("200"));
        (await pair.StatisticsAsync("envoy_http_downstream_cx_destroy\\{.*\"test\"")).Count.ShouldBe(1);

        // A client that goes while it waits.
        await pair.EachAsync(async port =>
        {
            await using var client = await WireClient.ConnectAsync(port);
            await client.Wire.WriteAsync("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nx");

            // Gone at once, it may be gone before its request is read.
            await Until.TrueAsync(async () => await pair.CountAsync(port, "envoy_cluster_upstream_rq_active{envoy_cluster_name=\"c\"}") == 1, () => "under way");
        });
        (await pair.StatisticsAsync("envoy_http_downstream_cx_destroy_(remote_|local_)?active_rq\\{.*\"test\"")).Count.ShouldBe(2);

        // Where both ends close at about the same time either may have been the first, on either proxy; the one who only reads cannot.
        const string Labels = "{envoy_http_conn_manager_prefix=\"test\"}";
        var byUs = await pair.CountAsync(pair.Port, "envoy_http_downstream_cx_destroy_local" + Labels);
        var byClients = await pair.CountAsync(pair.Port, "envoy_http_downstream_cx_destroy_remote" + Labels);
        byUs.ShouldBeGreaterThan(0);
        byClients.ShouldBeGreaterThan(0);
        (await pair.StatisticsAsync("envoy_cluster_upstream_cx_destroy(_local|_remote|_with_active_rq|_remote_with_active_rq)?\\{")).Count.ShouldBe(5);
    }

    [Fact]
    public async Task ResponseThatTheClientDoesNotTake_PausesReadingTheUpstream()
    {
        const int Length = 24_000_000;
        await using var backend = WireBackend.Start(static async (wire, cancellationToken) =>
        {
            await wire.ReadRequestAsync(cancellationToken);
            await wire.WriteAsync($"HTTP/1.1 200 OK\r\ncontent-length: {Length}\r\n\r\n{new string('x', Length)}", cancellationToken);
        });
        await using var pair = await ProxyPair.StartAsync(ProxyPair.Resources(
            Host.Replace("\"cluster\":\"c\"", "\"cluster\":\"c\",\"timeout\":\"0s\"", StringComparison.Ordinal), ProxyPair.Cluster("c", "", (backend.Port, 1))));
        await pair.EachAsync(async port =>
        {
            using var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", port);
            await client.GetStream().WriteAsync("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"u8.ToArray());

            // Nothing is read until it waits: the kernel does not hold so much.
            await Until.TrueAsync(async () => (await pair.CountAsync(port, "envoy_cluster_upstream_flow_control_paused_reading_total{envoy_cluster_name=\"c\"}")) > 0);
            var buffer = new byte[256 * 1024];
            while (await client.GetStream().ReadAsync(buffer).AsTask().WaitAsync(Until.Limit) > 0)
            {
                // To its end.
            }
        });

        // Envoy does not resume where the upstream has closed meanwhile.
        await Until.TrueAsync(async () =>
            await pair.CountAsync(pair.Port, "envoy_cluster_upstream_flow_control_paused_reading_total{envoy_cluster_name=\"c\"}")
            == await pair.CountAsync(pair.Port, "envoy_cluster_upstream_flow_control_resumed_reading_total{envoy_cluster_name=\"c\"}"));
    }

    [Fact]
    public async Task LimitThatIsReached_ShowsAsAnOpenCircuitBreaker()
    {
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var came = 0;
        await using var backend = WireBackend.Start(async (wire, cancellationToken) =>
        {
            await wire.ReadRequestAsync(cancellationToken);
            Interlocked.Increment(ref came);
            await release.Task.WaitAsync(cancellationToken);
            await wire.WriteAsync(Responses.Ok(), cancellationToken);
        });
        await using var pair = await ProxyPair.StartAsync(ProxyPair.Resources(
            Host, ProxyPair.Cluster("c", "\"circuit_breakers\":{\"thresholds\":[{\"max_requests\":1}]},", (backend.Port, 1))));
        var open = new List<TcpClient>();
        await pair.EachAsync(async port =>
        {
            var client = new TcpClient();
            open.Add(client);
            await client.ConnectAsync("127.0.0.1", port);
            await new HttpWire(client.GetStream()).WriteAsync("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
        });
        await Until.TrueAsync(() => Volatile.Read(ref came) == open.Count);
        (await pair.StatisticsAsync("envoy_cluster_circuit_breakers_default_(cx|rq|rq_pending|rq_retry)_open\\{")).ShouldBe(
            ["envoy_cluster_circuit_breakers_default_rq_open{envoy_cluster_name=\"c\"} 1"]);
        release.SetResult();
        open.ForEach(static client => client.Dispose());
        await pair.StatisticsAsync("envoy_cluster_circuit_breakers_default_(cx|rq|rq_pending|rq_retry)_open\\{");
    }

    [Fact]
    public async Task OriginsAndResources_AreCounted()
    {
        await using var backend = WireBackend.StartEcho();
        await using var pair = await ProxyPair.StartAsync(ProxyPair.Resources(
            """
            {"name":"h","domains":["*"],"routes":[{"match":{"prefix":"/"},"route":{"cluster":"c"},"typed_per_filter_config":{"cors":{
              "@type":"type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy","allow_origin_string_match":[{"exact":"https://good"}] } } }] }
            """,
            ProxyPair.Cluster("c", "", (backend.Port, 1)) + "," + ProxyPair.Cluster("d", "", (backend.Port, 1)),
            filters: "{\"name\":\"cors\",\"typed_config\":{\"@type\":\"type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors\"} },"));
        pair.Rejections.ShouldBeEmpty();
        foreach (var origin in new[] { "https://good", "https://bad", "https://good", "" })
        {
            await pair.CompareAsync(port => ProxyPair.AskAsync(
                port, $"GET / HTTP/1.1\r\nhost: a\r\n{(origin.Length > 0 ? $"origin: {origin}\r\n" : "")}x-request-id: 1\r\n\r\n", "access-control-allow-origin"));
        }

        (await pair.StatisticsAsync("envoy_http_cors_origin_(valid|invalid)\\{")).Count.ShouldBe(2);
        (await pair.StatisticsAsync("envoy_(cluster_manager_cluster_(added|modified|removed)|listener_manager_(listener_(added|modified|removed)|total_listeners_draining))\\{"))
            .Count.ShouldBe(2);
    }

    [Fact]
    public async Task TcpProxy_CountsBytesAndUnknownClusters()
    {
        await using var backend = WireBackend.Start(static async (wire, cancellationToken) =>
        {
            await wire.ReadExactlyAsync(4, cancellationToken);
            await wire.WriteAsync("longer answer", cancellationToken);
        });
        await using var pair = await ProxyPair.StartAsync($$"""
            {"listeners":[ {"name":"l","address":{"socket_address":{"address":"127.0.0.1","port_value":"PORT"} },"filter_chains":[ {"filters":[ {"name":"tcp","typed_config":{
              "@type":"type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy","stat_prefix":"t","cluster":"c"} }] }] }],
             "clusters":[ {{ProxyPair.Cluster("c", "", (backend.Port, 1))}} ]}
            """);
        await pair.ExpectAsync("longer answer", static async port =>
        {
            using var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", port);
            var wire = new HttpWire(client.GetStream());
            await wire.WriteAsync("ping");
            return System.Text.Encoding.Latin1.GetString(await wire.ReadToEndAsync());
        });
        (await pair.StatisticsAsync("envoy_tcp_(downstream_cx_rx_bytes_total|downstream_cx_tx_bytes_total|downstream_cx_no_route|idle_timeout)\\{")).Count.ShouldBe(2);
    }
}
