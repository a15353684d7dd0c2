using System.Globalization;
using System.Text;
using Nuncio.Testing.Backends;

namespace Nuncio.DataPlane.Tests.Parity;

/// <summary>An endpoint that has just passed its first check gets the share of requests that Envoy gives it.</summary>
public sealed class SlowStartTests
{
    [Theory]
    [InlineData("\"lb_policy\":\"ROUND_ROBIN\",\"round_robin_lb_config\":{\"slow_start_config\":{\"slow_start_window\":\"3s\",\"min_weight_percent\":{\"value\":75}}},", 42.9)]
    [InlineData("\"lb_policy\":\"LEAST_REQUEST\",\"least_request_lb_config\":{\"slow_start_config\":{\"slow_start_window\":\"3s\",\"min_weight_percent\":{\"value\":75}}},", 42.9)]
    [InlineData("\"lb_policy\":\"ROUND_ROBIN\",\"round_robin_lb_config\":{\"slow_start_config\":{\"slow_start_window\":\"0.05s\",\"min_weight_percent\":{\"value\":75}}},", 50)]
    public async Task EndpointThatBecomesHealthy_GetsItsShareLittleByLittle(string policy, double percent)
    {
        const string Checks = """
            "health_checks":[{"timeout":"1s","interval":"0.1s","no_traffic_interval":"0.1s","unhealthy_threshold":1,"healthy_threshold":1,"http_health_check":{"path":"/healthz"}}],
            "common_lb_config":{"healthy_panic_threshold":{"value":0}},
            """;
        var serves = false;
        await using var old = WireBackend.Start(static _ => Responses.Ok("old"));
        await using var late = WireBackend.Start(_ => Volatile.Read(ref serves) ? Responses.Ok("new") : Responses.With(503, "no"));
        await using var pair = await ProxyPair.StartAsync(ProxyPair.Resources(
            """{"name":"h","domains":["*"],"routes":[{"match":{"prefix":"/"},"route":{"cluster":"c"} }] }""",
            ProxyPair.Cluster("c", policy + Checks, (old.Port, 1), (late.Port, 1))));
        pair.Rejections.ShouldBeEmpty();

        // The first endpoint must have left its own window, and the second have passed a check on both proxies before either is asked.
        await Task.Delay(TimeSpan.FromSeconds(4));
        await pair.EachAsync(static async port => (await ProxyPair.AskAsync(port, "GET / HTTP/1.1\r\nhost: a\r\n\r\n")).ShouldBe("200 old"));
        Volatile.Write(ref serves, true);
        await pair.EachAsync(async port =>
        {
            await using var client = await WireClient.ConnectAsync(port);

            // Its check comes within a tenth of a second, or later where the machine is busy.
            for (var tries = 0; Encoding.Latin1.GetString((await client.SendAsync("GET", "/", "a", "")).Body) != "new"; tries++)
            {
                tries.ShouldBeLessThan(500);
                await Task.Delay(10);
            }

            // Past the shortest window, well inside the others.
            await Task.Delay(400);
            var fresh = 0;
            for (var i = 0; i < 100; i++)
            {
                fresh += Encoding.Latin1.GetString((await client.SendAsync("GET", "/", "a", "")).Body) == "new" ? 1 : 0;
            }

            ((double)fresh).ShouldBeInRange(percent - 3, percent + 3, port.ToString(CultureInfo.InvariantCulture));
        });
    }
}
