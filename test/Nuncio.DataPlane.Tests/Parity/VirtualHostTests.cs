using System.Globalization;
using System.Net.Sockets;
using Nuncio.Testing.Backends;

namespace Nuncio.DataPlane.Tests.Parity;

/// <summary>What virtual hosts ask for besides their routes.</summary>
public sealed class VirtualHostTests
{
    [Fact]
    public async Task RequireTls_OnACleartextRequest_RedirectsToTheSameUrl()
    {
        await using var backend = WireBackend.StartEcho();
        await using var pair = await ProxyPair.StartAsync(ProxyPair.Resources(
            """
            {"name":"all","domains":["all"],"require_tls":"ALL","routes":[{"match":{"prefix":"/"},"route":{"cluster":"c"}}]},
            {"name":"external","domains":["external"],"require_tls":"EXTERNAL_ONLY","routes":[{"match":{"prefix":"/"},"route":{"cluster":"c"}}]}
            """,
            ProxyPair.Cluster("c", "", (backend.Port, 1))));
        pair.Rejections.ShouldBeEmpty();

        await pair.ExpectAsync("301 location=https://all/a?b", static port => ProxyPair.AskAsync(port, "GET /a?b HTTP/1.1\r\nhost: all\r\n\r\n", "location"));
        await pair.ExpectAsync(
            "301 location=https://external/", static port => ProxyPair.AskAsync(port, "GET / HTTP/1.1\r\nhost: external\r\n\r\n", "location"));
        await pair.ExpectAsync(
            "200", static async port => (await ProxyPair.AskAsync(port, "GET / HTTP/1.1\r\nhost: all\r\nx-forwarded-proto: https\r\n\r\n"))[..3]);
        await pair.StatisticsAsync("envoy_http_rq_(redirect|direct_response)\\{.*test");
    }

    [Fact]
    public async Task VirtualClusters_CountTheirRequests()
    {
        await using var backend = WireBackend.Start(
            static request => Responses.With(request.Target.StartsWith("/bad", StringComparison.Ordinal) ? 503 : 200, "x"));
        await using var pair = await ProxyPair.StartAsync(ProxyPair.Resources(
            """
            {"name":"host","domains":["*"],"virtual_clusters":[
               {"name":"bad","headers":[{"name":":path","string_match":{"prefix":"/bad"}},{"name":":method","string_match":{"exact":"GET"}}]},
               {"name":"users","headers":[{"name":":path","string_match":{"safe_regex":{"regex":"/users/.*"}}}]}],
             "routes":[{"match":{"prefix":"/"},"route":{"cluster":"c","retry_policy":{"retry_on":"5xx","num_retries":2,"retry_back_off":{"base_interval":"0.001s"}}}}]}
            """,
            ProxyPair.Cluster("c", "", (backend.Port, 1))));
        pair.Rejections.ShouldBeEmpty();

        foreach (var path in (string[])["/bad", "/users/1", "/users/2", "/other"])
        {
            await pair.CompareAsync(port => ProxyPair.AskAsync(port, $"GET {path} HTTP/1.1\r\nhost: a\r\n\r\n"));
        }

        var counters = await pair.StatisticsAsync("^envoy_vhost_vcluster_upstream_rq(_xx|_total|_completed|_retry|_retry_limit_exceeded|_timeout)?\\{");
        counters.ShouldContain("""envoy_vhost_vcluster_upstream_rq_total{envoy_virtual_cluster="users",envoy_virtual_host="host"} 2""");
    }

    [Fact]
    public async Task RetriableStatusCodes_OfTheRequest_AreAllRetried()
    {
        var asked = 0;
        await using var backend = WireBackend.Start(
            request => Responses.With((Interlocked.Increment(ref asked) % 3) switch { 1 => 418, 2 => 409, _ => 200 }, "x"));
        await using var pair = await ProxyPair.StartAsync(ProxyPair.Resources(
            """{"name":"h","domains":["*"],"routes":[{"match":{"prefix":"/"},"route":{"cluster":"c","retry_policy":{"num_retries":3,"retry_back_off":{"base_interval":"0.001s"}}}}]}""",
            ProxyPair.Cluster("c", "", (backend.Port, 1)),
            "\"use_remote_address\":true,\"internal_address_config\":{\"cidr_ranges\":[{\"address_prefix\":\"127.0.0.0\",\"prefix_len\":8}]},"));

        await pair.ExpectAsync("200 x", port => AskAnewAsync(
            port, "GET / HTTP/1.1\r\nhost: a\r\nx-envoy-retry-on: retriable-status-codes\r\nx-envoy-retriable-status-codes: 418, 409\r\n\r\n"));
        await pair.ExpectAsync("418 x", port => AskAnewAsync(port, "GET / HTTP/1.1\r\nhost: a\r\n\r\n"));
        await pair.StatisticsAsync("^envoy_cluster_(retry_|external_|internal_)?upstream_rq(_xx|_completed|_total)?\\{");

        Task<string> AskAnewAsync(int port, string request)
        {
            asked = 0;
            return ProxyPair.AskAsync(port, request);
        }
    }

    [Fact]
    public async Task ResetHeaders_SayWhenToRetry()
    {
        await using var backend = WireBackend.Start(static _ => Responses.With(503, "x", "retry-after: 1\r\n"));
        await using var pair = await ProxyPair.StartAsync(ProxyPair.Resources(
            """
            {"name":"h","domains":["*"],"routes":[{"match":{"prefix":"/"},"route":{"cluster":"c","retry_policy":{"retry_on":"5xx","num_retries":1,
              "rate_limited_retry_back_off":{"reset_headers":[{"name":"Retry-After","format":"SECONDS"}],"max_interval":"5s"}}}}]}
            """,
            ProxyPair.Cluster("c", "", (backend.Port, 1))));
        pair.Rejections.ShouldBeEmpty();

        await pair.ExpectAsync("503 x", static port => ProxyPair.AskAsync(port, "GET / HTTP/1.1\r\nhost: a\r\n\r\n"));
        var counters = await pair.StatisticsAsync("^envoy_cluster_upstream_rq_retry_backoff_(ratelimited|exponential)\\{");
        counters.ShouldHaveSingleItem().ShouldEndWith("ratelimited{envoy_cluster_name=\"c\"} 1");
    }
}
