using System.Globalization;
using System.Text;
using Nuncio.Testing.Backends;

namespace Nuncio.DataPlane.Tests.Parity;

/// <summary>What answers to active checks mean, on both proxies.</summary>
public sealed class HealthCheckTests
{
    // A healthy endpoint is checked again at once, an unhealthy one and one that is not yet so only after the test.
    private const string Timing = """
        "unhealthy_threshold":3,"healthy_threshold":1,"interval":"60s","no_traffic_interval":"60s","no_traffic_healthy_interval":"0.05s",
        """;

    private const string OverHttp2 = """
        "typed_extension_protocol_options":{"envoy.extensions.upstreams.http.v3.HttpProtocolOptions":{
          "@type":"type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions","explicit_http_config":{"http2_protocol_options":{} } } },
        """;

    // H healthy, U unhealthy at once, N no answer, which counts towards the threshold, S none to the first check, D degraded, X unhealthy and excluded.
    private static readonly (string Name, char Means)[] GrpcAnswers =
    [
        ("good", 'H'), ("proto", 'H'), ("other-field", 'H'), ("empty-first", 'H'), ("goaway-answered", 'H'),
        ("not-serving", 'U'), ("unknown", 'U'), ("service-unknown", 'U'), ("status-5", 'U'), ("status-missing", 'U'), ("trailers-only-12", 'U'),
        ("trailers-only-0", 'U'), ("status-in-headers", 'U'), ("http-503", 'U'), ("http-503-grpc", 'U'), ("html", 'U'), ("without-trailers", 'U'),
        ("no-message", 'U'), ("two-messages", 'U'), ("half-a-message", 'U'), ("compressed", 'U'), ("malformed", 'U'),
        ("reset", 'N'), ("refused", 'N'), ("close", 'N'), ("silent", 'S'), ("goaway-unanswered", 'N'),
    ];

    private static readonly (string Name, char Means)[] HttpAnswers =
    [
        ("good", 'H'), ("excluded-ok", 'H'), ("degraded", 'D'), ("500", 'U'), ("503", 'U'), ("404", 'U'), ("302", 'U'), ("204", 'U'), ("excluded", 'X'),
        ("close", 'N'), ("silent", 'S'), ("half", 'S'), ("501", 'R'),
    ];

    [Fact]
    public async Task Answers_MeanTheSame()
    {
        await using var backend = new HealthBackend();
        var clusters = GrpcAnswers.Select(answer => Cluster(backend, "grpc-" + answer.Name, answer.Name, OverHttp2, $$"""
                "grpc_health_check":{"service_name":"{{answer.Name}} PORT x"}
                """))
            .Concat(HttpAnswers.Select(answer => Cluster(backend, "http-" + answer.Name, answer.Name, "", $$"""
                "http_health_check":{"path":"/{{answer.Name}}/PORT/","retriable_statuses":[{"start":501,"end":502}]}
                """)));
        await using var pair = await ProxyPair.StartAsync(ProxyPair.Resources(
            """{"name":"h","domains":["*"],"routes":[{"match":{"prefix":"/"},"route":{"cluster":"http-good"} }] }""", string.Join(',', clusters)));
        pair.Rejections.ShouldBeEmpty();
        var expected = GrpcAnswers.SelectMany(answer => Expected("grpc-" + answer.Name, answer.Means))
            .Concat(HttpAnswers.SelectMany(answer => Expected("http-" + answer.Name, answer.Means)))
            .Order(StringComparer.Ordinal)
            .ToList();

        // Once all the results of ours are there, Envoy's must come to the same.
        const string Pattern = "envoy_cluster_(health_check_|membership_(healthy|degraded|excluded))";
        IReadOnlyList<string> ours = [];
        await Until.TrueAsync(
            () => (ours = pair.OwnStatistics(Pattern)).SequenceEqual(expected),
            () => string.Join('\n', ours.Except(expected).Concat(expected.Except(ours).Select(line => "missing " + line))));
        (await pair.StatisticsAsync(Pattern)).ShouldBe(expected);
    }

    [Fact]
    public async Task UnusedCluster_KeepsItsInterval_AndARequestWithoutEndpointIsNoUse()
    {
        const string Checks = """
            "common_lb_config":{"healthy_panic_threshold":{"value":0} },"health_checks":[{"timeout":"60s","unhealthy_threshold":1,"healthy_threshold":1,
              "interval":"60s","no_traffic_interval":"0.1s","http_health_check":{"path":"/check"} }],
            """;
        await using var good = WireBackend.Start(static _ => Responses.Ok("ok"));
        await using var bad = WireBackend.Start(static request => request.Target == "/check" ? Responses.With(500, "no") : Responses.Ok("ok"));
        await using var pair = await ProxyPair.StartAsync(ProxyPair.Resources(
            """
            {"name":"h","domains":["*"],"routes":[
              {"match":{"prefix":"/used"},"route":{"cluster":"used"} },{"match":{"prefix":"/bad"},"route":{"cluster":"bad"} },{"match":{"prefix":"/unused"},"route":{"cluster":"unused"} }] }
            """,
            string.Join(
                ',', ProxyPair.Cluster("used", Checks, (good.Port, 1)), ProxyPair.Cluster("unused", Checks, (good.Port, 1)),
                ProxyPair.Cluster("bad", Checks, (bad.Port, 1)))));
        pair.Rejections.ShouldBeEmpty();
        await pair.EachAsync(async port =>
        {
            Task<long> CountAsync(string cluster) => pair.CountAsync(port, $"envoy_cluster_health_check_attempt{{envoy_cluster_name=\"{cluster}\"}}");
            await Until.TrueAsync(async () => await ProxyPair.AskAsync(port, "GET /used HTTP/1.1\r\nhost: a\r\n\r\n") == "200 ok");
            (await ProxyPair.AskAsync(port, "GET /bad HTTP/1.1\r\nhost: a\r\n\r\n"))[..3].ShouldBe("503");
            var (used, unused, unhealthy) = (await CountAsync("used"), await CountAsync("unused"), await CountAsync("bad"));
            await Until.TrueAsync(async () => await CountAsync("unused") >= unused + 5 && await CountAsync("bad") >= unhealthy + 5);

            // One more may have been waited for as for a cluster without use.
            (await CountAsync("used")).ShouldBeInRange(used, used + 1);
        });
    }

    [Fact]
    public async Task AnswerToAClient_CanTakeTheEndpointOut()
    {
        const string Checks = """
            "common_lb_config":{"healthy_panic_threshold":{"value":0} },"health_checks":[{"timeout":"60s","unhealthy_threshold":1,"healthy_threshold":1,
              "interval":"60s","no_traffic_interval":"60s","http_health_check":{"path":"/check"} }],
            """;
        await using var backend = WireBackend.Start(static request =>
            request.Target == "/check" ? Responses.Ok("ok") : Responses.Ok("ok", "x-envoy-immediate-health-check-fail: true\r\n"));
        await using var pair = await ProxyPair.StartAsync(ProxyPair.Resources(
            """{"name":"h","domains":["*"],"routes":[{"match":{"prefix":"/"},"route":{"cluster":"c"} }] }""",
            ProxyPair.Cluster("c", Checks, (backend.Port, 1))));
        Task HealthyAsync(int count) => pair.EachAsync(
            port => Until.TrueAsync(async () => await pair.CountAsync(port, "envoy_cluster_membership_healthy{envoy_cluster_name=\"c\"}") == count));
        await HealthyAsync(1);
        await pair.CompareAsync(port => ProxyPair.AskAsync(port, "GET / HTTP/1.1\r\nhost: a\r\n\r\n", "x-envoy-immediate-health-check-fail"));
        await HealthyAsync(0);
        await pair.ExpectAsync("503 no healthy upstream", port => ProxyPair.AskAsync(port, "GET / HTTP/1.1\r\nhost: a\r\n\r\n"));
        await pair.StatisticsAsync("envoy_cluster_(health_check_|membership_)");
    }

    private static string Cluster(HealthBackend backend, string name, string answer, string fields, string check) =>
        ProxyPair.Cluster(name, fields + $$"""
            "health_checks":[{"timeout":"{{(HealthBackend.IsUnanswered(answer) ? "0.5s" : "60s")}}",{{Timing}}{{check}} }],
            """, (backend.Port, 1));

    private static IEnumerable<string> Expected(string cluster, char means)
    {
        var name = new StringBuilder().Append(CultureInfo.InvariantCulture, $"{{envoy_cluster_name=\"{cluster}\"}}").ToString();
        var isGood = means is 'H' or 'D';
        var isHealthy = means is 'H' or 'N' or 'R';

        // The third check of an endpoint that passed the second one has no answer yet.
        yield return $"envoy_cluster_health_check_attempt{name} {(isGood ? 3 : means == 'S' ? 1 : 2)}";
        if (means != 'S') yield return $"envoy_cluster_health_check_success{name} {(isGood ? 2 : 1)}";
        if (!isGood) yield return $"envoy_cluster_health_check_failure{name} 1";
        if (means is 'N' or 'S') yield return $"envoy_cluster_health_check_network_failure{name} 1";
        if (isHealthy || means == 'D') yield return $"envoy_cluster_health_check_healthy{name} 1";
        if (means == 'D') yield return $"envoy_cluster_health_check_degraded{name} 1";
        if (isHealthy) yield return $"envoy_cluster_membership_healthy{name} 1";
        if (means == 'D') yield return $"envoy_cluster_membership_degraded{name} 1";
        if (means == 'X') yield return $"envoy_cluster_membership_excluded{name} 1";
    }
}
