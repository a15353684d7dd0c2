using Nuncio.Testing.Backends;

namespace Nuncio.DataPlane.Tests.Parity;

/// <summary>A try that has run out of time goes on beside the next one where the route hedges.</summary>
public sealed class HedgingTests
{
    private const string Hedge = "\"hedge_policy\":{\"hedge_on_per_try_timeout\":true},";

    [Theory]
    [InlineData(Hedge, 900, 200, 0, 200, "200 second")]
    [InlineData(Hedge, 500, 200, 2500, 200, "200 first")]
    [InlineData(Hedge, 600, 200, 0, 503, "200 first")]
    [InlineData(Hedge, 600, 503, 900, 200, "200 second")]
    [InlineData(Hedge, 500, 503, 0, 503, "503 first")]
    [InlineData(Hedge, 0, 503, 0, 200, "200 second")]
    [InlineData(Hedge, 4000, 200, 4000, 200, "504 upstream request timeout")]
    [InlineData("", 500, 200, 2500, 200, "504 upstream request timeout")]
    public async Task FirstGoodResponse_IsPassedOn(string hedge, int firstDelay, int firstStatus, int secondDelay, int secondStatus, string expected)
    {
        var requests = 0;
        await using var backend = WireBackend.Start(async (wire, cancellationToken) =>
        {
            while (await wire.ReadRequestAsync(cancellationToken) is { } request)
            {
                request.BodyText.ShouldBe("body");
                var isFirst = Interlocked.Increment(ref requests) % 2 == 1;
                await Task.Delay(isFirst ? firstDelay : secondDelay, cancellationToken);
                await wire.WriteAsync(Responses.With(isFirst ? firstStatus : secondStatus, isFirst ? "first" : "second"), cancellationToken);
            }
        });
        await using var pair = await ProxyPair.StartAsync(ProxyPair.Resources(
            $$"""
            {"name":"h","domains":["*"],"routes":[{"match":{"prefix":"/"},"route":{ {{hedge}}"timeout":"2s",
              "retry_policy":{"retry_on":"5xx","num_retries":1,"per_try_timeout":"0.25s"},"cluster":"c"} }] }
            """,
            ProxyPair.Cluster("c", "", (backend.Port, 1))));
        pair.Rejections.ShouldBeEmpty();

        await pair.ExpectAsync(expected, static port => ProxyPair.AskAsync(port, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nbody"));
        await pair.StatisticsAsync("envoy_cluster_upstream_rq_(per_try_timeout|timeout|retry|retry_limit_exceeded)\\{");
    }

    [Fact]
    public async Task HeaderOfAnInternalClient_AsksForHedging_AndIsNotPassedOn()
    {
        var requests = 0;
        await using var backend = WireBackend.Start(async (wire, cancellationToken) =>
        {
            while (await wire.ReadRequestAsync(cancellationToken) is { } request)
            {
                var isFirst = Interlocked.Increment(ref requests) % 2 == 1;
                await Task.Delay(isFirst ? 500 : 2500, cancellationToken);
                await wire.WriteAsync(Responses.Ok(request["x-envoy-hedge-on-per-try-timeout"] ?? "none"), cancellationToken);
            }
        });
        await using var pair = await ProxyPair.StartAsync(ProxyPair.Resources(
            """
            {"name":"h","domains":["*"],"routes":[{"match":{"prefix":"/"},"route":{"timeout":"2s",
              "retry_policy":{"retry_on":"5xx","num_retries":1,"per_try_timeout":"0.25s"},"cluster":"c"} }] }
            """,
            ProxyPair.Cluster("c", "", (backend.Port, 1)),
            "\"internal_address_config\":{\"cidr_ranges\":[{\"address_prefix\":\"10.0.0.0\",\"prefix_len\":8}]},"));
        await pair.ExpectAsync("200 none", static port => ProxyPair.AskAsync(port, "GET / HTTP/1.1\r\nhost: a\r\nx-forwarded-for: 10.0.0.1\r\nx-envoy-hedge-on-per-try-timeout: true\r\n\r\n"));
    }
}
