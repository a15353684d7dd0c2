using Nuncio.ParityTests.Static;
using Nuncio.Testing.Backends;
using static Nuncio.ParityTests.Static.Resources;

namespace Nuncio.ParityTests.Areas;

/// <summary>Load balancing, priorities, health, outliers, circuit breakers, retries and timeouts.</summary>
internal static class ResilienceArea
{
    private const string NoPanic = "\"common_lb_config\":{\"healthy_panic_threshold\":{\"value\":0} },";
    private const string Checks = "\"health_checks\":[ {\"timeout\":\"2s\",\"interval\":\"1s\",\"no_traffic_interval\":\"1s\",\"unhealthy_threshold\":1,\"healthy_threshold\":1,";
    private const string HttpChecks = Checks + "\"http_health_check\":{\"path\":\"/health\"} }],";

    private static readonly string[] Three = ["h1:x", "h1:y", "h1:z"];

    public static Area Value { get; } = new(
        "Load balancing, health, failures",
        [
            Listener("rs", "", Chain(Http("rs", string.Join(',', [
                .. new[] { "rr", "rr-weighted", "random", "least", "least-weighted", "hc", "hc-closed", "hc-panic", "hc-none", "hc-sick", "hc-tcp", "failover", "spill", "no-hosts",
                    "outlier-5xx", "outlier-gateway", "outlier-local", "outlier-percent", "busy", "busy-h2", "refused", "lasting" }.Select(name => Route($"/{name}/", name)),
                Route("/ring/", "ring", "\"hash_policy\":[ {\"header\":{\"header_name\":\"x-key\"} }],"),
                Route("/maglev/", "maglev", "\"hash_policy\":[ {\"header\":{\"header_name\":\"x-key\"} }],"),
                Route("/sticky/", "ring", "\"hash_policy\":[ {\"cookie\":{\"name\":\"sticky\",\"ttl\":\"60s\"} }],"),
                .. new (string Name, string Policy)[]
                {
                    ("5xx", "\"retry_on\":\"5xx\",\"num_retries\":2"), ("gateway", "\"retry_on\":\"gateway-error\",\"num_retries\":1"), ("4xx", "\"retry_on\":\"retriable-4xx\""),
                    ("codes", "\"retry_on\":\"retriable-status-codes\",\"retriable_status_codes\":[418]"), ("reset", "\"retry_on\":\"reset\",\"num_retries\":3"),
                    ("headers", "\"retry_on\":\"retriable-headers\",\"retriable_headers\":[ {\"name\":\"x-retry\",\"present_match\":true}]"),
                    ("per-try", "\"retry_on\":\"5xx\",\"num_retries\":2,\"per_try_timeout\":\"0.3s\""),
                    ("pause", "\"retry_on\":\"5xx\",\"num_retries\":3,\"retry_back_off\":{\"base_interval\":\"0.001s\",\"max_interval\":\"0.002s\"}"),
                    ("connect", "\"retry_on\":\"connect-failure\",\"num_retries\":1"),
                }.Select(retry => Route($"/retry-{retry.Name}/", "plain", $$"""
                    "retry_policy":{ {{retry.Policy}} },
                    """)),
                Route("/retry-refused/", "refused", "\"retry_policy\":{\"retry_on\":\"connect-failure\",\"num_retries\":2},"),
                Route("/retry-other-host/", "half-closed", "\"retry_policy\":{\"retry_on\":\"connect-failure\",\"num_retries\":3,\"retry_host_predicate\":[ {\"name\":\"previous\",\"typed_config\":{\"@type\":\"type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate\"} }],\"host_selection_retry_max_attempts\":5},"),
                Route("/retry-none-allowed/", "retries-full", "\"retry_policy\":{\"retry_on\":\"5xx\",\"num_retries\":2},"),
                Route("/timeout/", "plain", "\"timeout\":\"0.4s\","),
                Route("/timeout-none/", "plain", "\"timeout\":\"0s\","),
                Route("/idle/", "plain", "\"timeout\":\"0s\",\"idle_timeout\":\"0.4s\","),
                Route("/duration/", "plain", "\"timeout\":\"0s\",\"max_stream_duration\":{\"max_stream_duration\":\"0.4s\"},"),
                Route("/busy-timeout/", "busy", "\"timeout\":\"0.8s\","),
                Route("/busy-h2-timeout/", "busy-h2", "\"timeout\":\"0.8s\","),
                Route("/plain/", "plain"),
            ])))),
            Listener("rs-limits", "", Chain(Http("rs-limits", Route("/plain/", "plain"),
                "\"request_timeout\":\"0.9s\",\"request_headers_timeout\":\"0.4s\",\"stream_idle_timeout\":\"5s\",\"common_http_protocol_options\":{\"idle_timeout\":\"0.6s\"},"))),
            Listener("rs-age", "", Chain(Http("rs-age", Route("/plain/", "plain"), "\"drain_timeout\":\"0.2s\",\"common_http_protocol_options\":{\"max_connection_duration\":\"0.5s\",\"max_requests_per_connection\":2},"))),
        ],
        [
            Cluster("plain", "", "h1:p"),
            Cluster("rr", "\"lb_policy\":\"ROUND_ROBIN\",", Three),
            Cluster("rr-weighted", "\"lb_policy\":\"ROUND_ROBIN\",", "h1:x*1", "h1:y*2", "h1:z*3"),
            Cluster("random", "\"lb_policy\":\"RANDOM\",", Three),
            Cluster("least", "\"lb_policy\":\"LEAST_REQUEST\",", Three),
            Cluster("least-weighted", "\"lb_policy\":\"LEAST_REQUEST\",", "h1:x*1", "h1:y*2", "h1:z*3"),
            Cluster("ring", "\"lb_policy\":\"RING_HASH\",", Three),
            Cluster("maglev", "\"lb_policy\":\"MAGLEV\",", Three),
            Cluster("no-hosts", "", []),
            Cluster("hc", HttpChecks, "h1:x", "h1:y"),
            Cluster("hc-closed", HttpChecks, "h1:x", "closed:hc"),
            Cluster("hc-panic", HttpChecks, "h1:x", "closed:hc", "closed:hc2"),
            Cluster("hc-none", HttpChecks + NoPanic, "closed:hc", "closed:hc2"),
            Cluster("hc-sick", Checks + "\"http_health_check\":{\"path\":\"/health\",\"request_headers_to_add\":[ {\"header\":{\"key\":\"x-do\",\"value\":\"500\"} }]} }]," + NoPanic, "h1:x"),
            Cluster("hc-tcp", Checks + "\"tcp_health_check\":{} }]," + NoPanic, "h1:x", "closed:hc"),
            Prioritised("failover", HttpChecks, ["closed:hc", "closed:hc2"], ["h1:y"]),
            Prioritised("spill", HttpChecks, ["h1:x", "closed:hc"], ["h1:y"]),
            Cluster("outlier-5xx", NoPanic + "\"outlier_detection\":{\"consecutive_5xx\":3,\"base_ejection_time\":\"60s\",\"max_ejection_percent\":100},", "h1:o1"),
            Cluster("outlier-gateway", NoPanic + "\"outlier_detection\":{\"consecutive_5xx\":50,\"consecutive_gateway_failure\":2,\"enforcing_consecutive_gateway_failure\":100,\"base_ejection_time\":\"60s\",\"max_ejection_percent\":100},", "h1:o2"),
            Cluster("outlier-local", NoPanic + "\"outlier_detection\":{\"split_external_local_origin_errors\":true,\"consecutive_local_origin_failure\":2,\"base_ejection_time\":\"60s\",\"max_ejection_percent\":100},", "closed:o3"),
            Cluster("outlier-percent", "\"outlier_detection\":{\"consecutive_5xx\":2,\"base_ejection_time\":\"60s\",\"max_ejection_percent\":10},", "h1:o4", "h1:o5"),
            Cluster("busy", "\"circuit_breakers\":{\"thresholds\":[ {\"max_connections\":1,\"max_pending_requests\":1}]},", "silent:busy"),
            Cluster("busy-h2", "\"circuit_breakers\":{\"thresholds\":[ {\"max_requests\":1}]}," + OverHttp2, "h2:busy"),
            Cluster("retries-full", "\"circuit_breakers\":{\"thresholds\":[ {\"max_retries\":0}]},", "h1:p"),
            Cluster("refused", "", "closed:refused"),
            Cluster("half-closed", "", "h1:half", "closed:half"),
            Cluster("lasting", "\"typed_extension_protocol_options\":{\"envoy.extensions.upstreams.http.v3.HttpProtocolOptions\":{\"@type\":\"type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions\",\"common_http_protocol_options\":{\"max_stream_duration\":\"0.4s\",\"max_requests_per_connection\":1},\"explicit_http_config\":{\"http_protocol_options\":{} } } },", "h1:lasting"),
        ],
        [.. Balancing(), .. Health(), .. Outliers(), .. Breakers(), .. Retries(), .. Timeouts()]);

    private static IEnumerable<Scenario> Balancing() =>
    [
        Does.Repeated("lb-round-robin", "rs", "/rr/", 30),
        Shares("lb-round-robin-weighted", "/rr-weighted/", 60, counts => string.Join(' ', counts.Select(count => (count + 5) / 10 * 10))),
        // A third of 150 each, within more than five standard deviations of 5.8.
        Shares("lb-random", "/random/", 150, counts => counts.All(count => count is > 20 and < 90) ? "all" : string.Join(' ', counts)),
        Shares("lb-least-request", "/least/", 150, counts => counts.All(count => count is > 20 and < 90) ? "all" : string.Join(' ', counts)),
        Shares("lb-least-request-weighted", "/least-weighted/", 60, counts => string.Join(' ', counts.Select(count => (count + 5) / 10 * 10))),
        Shares("lb-ring-hash", "/ring/", 60, counts => counts.All(count => count > 0) ? "all" : string.Join(' ', counts), "x-key: $(i)\r\n"),
        Shares("lb-ring-hash-same-key", "/ring/", 10, counts => string.Join(' ', counts.Order()), "x-key: same\r\n"),
        Shares("lb-maglev", "/maglev/", 60, counts => counts.All(count => count > 0) ? "all" : string.Join(' ', counts), "x-key: $(i)\r\n"),
        Shares("lb-maglev-same-key", "/maglev/", 10, counts => string.Join(' ', counts.Order()), "x-key: same\r\n"),
        Shares("lb-sticky-cookie", "/sticky/", 10, counts => string.Join(' ', counts.Order()), "cookie: sticky=abc\r\n"),
        Does.Get("lb-no-hosts", "rs", "/no-hosts/"),
    ];

    private static IEnumerable<Scenario> Health() =>
    [
        Healthy("hc-all", "hc", 2, 0, 10),
        Healthy("hc-one-closed", "hc-closed", 1, 1, 10),
        Healthy("hc-panics", "hc-panic", 1, 2, 30),
        Healthy("hc-none-left", "hc-none", 0, 2, 3),
        Healthy("hc-bad-status", "hc-sick", 0, 1, 3),
        Healthy("hc-over-tcp", "hc-tcp", 1, 1, 10),
        Healthy("priority-failover", "failover", 1, 2, 10),
        new("priority-spill", async (plane, seen) =>
        {
            // Half of the first priority is healthy: with Envoy's factor of 1.4 it takes 70 of 100; 140 of 200, within more than five standard deviations of 6.5.
            await plane.SettleAsync(seen, "spill", 2, 1);
            for (var i = 0; i < 200; i++)
            {
                await using var client = await WireClient.ConnectAsync(plane.Port("l:rs"));
                await client.SendAsync("GET", "/spill/?priority-spill", "example.com");
            }

            var (first, second) = (plane.Count("h1:x", "priority-spill"), plane.Count("h1:y", "priority-spill"));
            seen.Add("shares", first is > 105 and < 175 && second is > 25 and < 95 ? "70 to 30" : plane.Asked("priority-spill"));
        }, IsRandom: true),
    ];

    private static IEnumerable<Scenario> Outliers() =>
    [
        Does.Repeated("outlier-consecutive-5xx", "rs", "/outlier-5xx/", 5, "x-do: 503\r\n", pause: 100),
        Does.Get("outlier-still-ejected", "rs", "/outlier-5xx/"),
        Does.Repeated("outlier-500-is-no-gateway-failure", "rs", "/outlier-gateway/", 4, "x-do: 500\r\n", pause: 100),
        Does.Repeated("outlier-gateway-failure", "rs", "/outlier-gateway/", 4, "x-do: 502\r\n", pause: 100),
        Does.Repeated("outlier-local-origin", "rs", "/outlier-local/", 4, pause: 100),
        Does.Repeated("outlier-max-ejection-percent", "rs", "/outlier-percent/", 12, "x-do: 503\r\n", pause: 100),
    ];

    private static IEnumerable<Scenario> Breakers() =>
    [
        Does.Repeated("breaker-connections-and-pending", "rs", "/busy-timeout/", 4, together: true),
        Does.Repeated("breaker-requests", "rs", "/busy-h2-timeout/", 4, "x-do: silent\r\n", together: true),
        Does.Get("breaker-retries", "rs", "/retry-none-allowed/", "x-do: 503\r\n"),
    ];

    private static IEnumerable<Scenario> Retries() =>
    [
        Does.Get("retry-5xx-500", "rs", "/retry-5xx/", "x-do: 500\r\n"),
        Does.Get("retry-5xx-200", "rs", "/retry-5xx/"),
        Does.Get("retry-5xx-close", "rs", "/retry-5xx/", "x-do: close\r\n"),
        Does.Get("retry-5xx-rate-limited", "rs", "/retry-5xx/", "x-do: ratelimited\r\n"),
        Does.Get("retry-gateway-500", "rs", "/retry-gateway/", "x-do: 500\r\n"),
        Does.Get("retry-gateway-502", "rs", "/retry-gateway/", "x-do: 502\r\n"),
        Does.Get("retry-4xx-409", "rs", "/retry-4xx/", "x-do: 409\r\n"),
        Does.Get("retry-4xx-404", "rs", "/retry-4xx/", "x-do: 404\r\n"),
        Does.Get("retry-codes-418", "rs", "/retry-codes/", "x-do: 418\r\n"),
        Does.Get("retry-codes-503", "rs", "/retry-codes/", "x-do: 503\r\n"),
        Does.Get("retry-headers", "rs", "/retry-headers/", "x-do: retriable\r\n"),
        Does.Get("retry-reset-close", "rs", "/retry-reset/", "x-do: close\r\n"),
        Does.Get("retry-reset-503", "rs", "/retry-reset/", "x-do: 503\r\n"),
        Does.Get("retry-connect-close", "rs", "/retry-connect/", "x-do: close\r\n"),
        Does.Get("retry-connect-refused", "rs", "/retry-refused/"),
        Does.Get("retry-pauses", "rs", "/retry-pause/", "x-do: 503\r\n"),
        Does.Get("retry-per-try-timeout", "rs", "/retry-per-try/", "x-do: silent\r\n", TimeSpan.FromSeconds(0.9)),
        Does.Repeated("retry-other-host", "rs", "/retry-other-host/", 6),
        Does.Http1("retry-post", "rs", "POST /retry-5xx/?ID HTTP/1.1\r\nhost: a\r\nx-do: 503\r\ncontent-length: 5\r\n\r\nhello"),
        Does.Http1("retry-chunked", "rs", "POST /retry-5xx/?ID HTTP/1.1\r\nhost: a\r\nx-do: 503\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
    ];

    private static IEnumerable<Scenario> Timeouts() =>
    [
        Does.Get("timeout-route", "rs", "/timeout/", "x-do: silent\r\n", TimeSpan.FromSeconds(0.4)),
        Does.Get("timeout-idle", "rs", "/idle/", "x-do: silent\r\n", TimeSpan.FromSeconds(0.4)),
        Does.Get("timeout-stream-duration", "rs", "/duration/", "x-do: silent\r\n", TimeSpan.FromSeconds(0.4)),
        Does.Get("timeout-upstream-duration", "rs", "/lasting/", "x-do: silent\r\n", TimeSpan.FromSeconds(0.4)),
        Does.Repeated("upstream-one-request-a-connection", "rs", "/lasting/", 3),
        Does.Http1("timeout-request-body", "rs-limits", "POST /plain/?ID HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhe", takes: TimeSpan.FromSeconds(0.9), lives: false),
        Does.Http1("timeout-request-headers", "rs-limits", "GET /plain/?ID HTTP/1.1\r\nhost: a\r\nx-a", takes: TimeSpan.FromSeconds(0.4), lives: false),
        Closes("timeout-idle-connection", "rs-limits", "", TimeSpan.FromSeconds(0.6)),
        Closes("timeout-idle-connection-after-request", "rs-limits", "GET /plain/?ID HTTP/1.1\r\nhost: a\r\n\r\n", TimeSpan.FromSeconds(0.6)),
        Closes("timeout-connection-duration", "rs-age", "GET /plain/?ID HTTP/1.1\r\nhost: a\r\n\r\n", TimeSpan.FromSeconds(0.5)),
        Does.Http1("two-requests-a-connection", "rs-age", "GET /plain/1?ID HTTP/1.1\r\nhost: a\r\n\r\nGET /plain/2?ID HTTP/1.1\r\nhost: a\r\n\r\n", answers: 2),
    ];

    // Who of x, y and z got how much.
    private static Scenario Shares(string name, string path, int times, Func<int[], string> say, string headers = "") => new(name, async (plane, seen) =>
    {
        await Does.Repeated(name, "rs", path, times, headers).RunAsync(plane, seen);
        seen.Add("shares", say([.. Three.Select(backend => plane.Count(backend, name))]));
    }, IsRandom: true);

    // Waits for the first checks, then asks.
    private static Scenario Healthy(string name, string cluster, int healthy, int failures, int times) => new(name, async (plane, seen) =>
    {
        await plane.SettleAsync(seen, cluster, healthy, failures);
        await Does.Repeated(name, "rs", $"/{cluster}/", times).RunAsync(plane, seen);
    });

    // How long an idle connection is kept.
    private static Scenario Closes(string name, string listener, string bytes, TimeSpan after) => new(name, (plane, seen) => Does.WithClientAsync(plane, seen, listener, null, null, async (client, cancellation) =>
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        if (bytes.Length > 0)
        {
            await client.Wire.WriteAsync(bytes.Replace("ID", name, StringComparison.Ordinal), cancellation);
            seen.AddResponse(await client.Wire.ReadResponseAsync("GET", cancellation));
        }

        seen.Add("rest", System.Text.Encoding.Latin1.GetString(await client.Wire.ReadToEndAsync(cancellation)));
        seen.AddTime(clock.Elapsed, after);
    }));
}
