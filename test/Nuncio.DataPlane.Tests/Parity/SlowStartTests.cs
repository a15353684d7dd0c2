using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Nuncio.Testing.Backends;

namespace Nuncio.DataPlane.Tests.Parity;

/// <summary>An endpoint that has just passed its first check gets the share of requests that Envoy gives it.</summary>
public sealed class SlowStartTests
{
    [Theory]
    [InlineData("\"lb_policy\":\"ROUND_ROBIN\",\"round_robin_lb_config\":", 12, 42.9)]
    [InlineData("\"lb_policy\":\"LEAST_REQUEST\",\"least_request_lb_config\":", 12, 42.9)]
    [InlineData("\"lb_policy\":\"ROUND_ROBIN\",\"round_robin_lb_config\":", 0.05, 50)]
    public async Task EndpointThatBecomesHealthy_GetsItsShareLittleByLittle(string policy, double window, double percent)
    {
        // A check of the first endpoint that a busy machine lets run out of time would put it into a window again.
        const string Checks = """
            "health_checks":[{"timeout":"60s","interval":"0.1s","no_traffic_interval":"0.1s","unhealthy_threshold":1,"healthy_threshold":1,"http_health_check":{"path":"/healthz/PORT/"}}],
            "common_lb_config":{"healthy_panic_threshold":{"value":0}},
            """;
        var slowStart = string.Create(
            CultureInfo.InvariantCulture,
            $$"""{"slow_start_config":{"slow_start_window":"{{window}}s","min_weight_percent":{"value":75} } },""");
        // The proxies whose checks the second endpoint passes, by their ports.
        var served = new ConcurrentDictionary<string, bool>();
        await using var old = WireBackend.Start(static _ => Responses.Ok("old"));
        await using var late = WireBackend.Start(request =>
            request.Target.Split('/') is [_, "healthz", var proxy, _] && !served.ContainsKey(proxy) ? Responses.With(503, "no") : Responses.Ok("new"));
        await using var pair = await ProxyPair.StartAsync(ProxyPair.Resources(
            """{"name":"h","domains":["*"],"routes":[{"match":{"prefix":"/"},"route":{"cluster":"c"} }] }""",
            ProxyPair.Cluster("c", policy + slowStart + Checks, (old.Port, 1), (late.Port, 1))));
        pair.Rejections.ShouldBeEmpty();

        // The first endpoint must have left its own window, and the second have passed a check on both proxies before either is asked.
        await Task.Delay(TimeSpan.FromSeconds(Math.Max(window + 1, 4)));
        await pair.EachAsync(static port => Until.TrueAsync(async () => await ProxyPair.AskAsync(port, "GET / HTTP/1.1\r\nhost: a\r\n\r\n") == "200 old"));
        await pair.EachAsync(async port =>
        {
            await using var client = await WireClient.ConnectAsync(port);

            var proxy = port.ToString(CultureInfo.InvariantCulture);
            int fresh;
            for (var tries = 1; ; tries++)
            {
                var begun = Stopwatch.GetTimestamp();
                served[proxy] = true;
                // Its check comes within a tenth of a second, or later where the machine is busy.
                await Until.TrueAsync(async () => await AnswerAsync(client) == "new");
                // Past the shortest window, and far from the three quarters of the others where the share begins to grow.
                await Task.Delay(400);
                fresh = 0;
                for (var i = 0; i < 100; i++)
                {
                    fresh += await AnswerAsync(client) == "new" ? 1 : 0;
                }

                if (window < 1 || Stopwatch.GetElapsedTime(begun).TotalSeconds < window * 0.6 || tries == 10) break;
                // It took so long that the share may have grown meanwhile: once more, after a check that fails.
                served.TryRemove(proxy, out _);
                var stale = 0;
                await Until.TrueAsync(async () => (stale = await AnswerAsync(client) == "old" ? stale + 1 : 0) >= 30);
            }

            ((double)fresh).ShouldBeInRange(percent - 3, percent + 3, proxy);
        });
    }

    private static async Task<string> AnswerAsync(WireClient client) => Encoding.Latin1.GetString((await client.SendAsync("GET", "/", "a", "")).Body);
}
