using Nuncio.Testing.Backends;

namespace Nuncio.DataPlane.Tests.Parity;

/// <summary>A try that has run out of time goes on beside the next one where the route hedges.</summary>
public sealed class HedgingTests
{
    private const string Hedge = "\"hedge_policy\":{\"hedge_on_per_try_timeout\":true},";
    private const string Timeout = "504 upstream request timeout";

    /// <summary>When a try is answered: by what becomes of the other one, not by a clock, which a busy machine would set wrong.</summary>
    public enum When
    {
        AtOnce,
        AfterTheSecondCame,
        AfterTheOtherWasTaken,
        Never,
    }

    [Theory]
    [InlineData(Hedge, When.Never, 200, When.AtOnce, 200, "200 second")]
    [InlineData(Hedge, When.AfterTheSecondCame, 200, When.Never, 200, "200 first")]
    [InlineData(Hedge, When.AfterTheOtherWasTaken, 200, When.AtOnce, 503, "200 first")]
    [InlineData(Hedge, When.AfterTheSecondCame, 503, When.AfterTheOtherWasTaken, 200, "200 second")]
    [InlineData(Hedge, When.AfterTheOtherWasTaken, 503, When.AtOnce, 503, "503 first")]
    [InlineData(Hedge, When.AtOnce, 503, When.AtOnce, 200, "200 second")]
    [InlineData(Hedge, When.Never, 200, When.Never, 200, Timeout)]
    [InlineData("", When.AfterTheSecondCame, 200, When.Never, 200, Timeout)]
    public async Task FirstGoodResponse_IsPassedOn(string hedge, When first, int firstStatus, When second, int secondStatus, string expected)
    {
        await using var backend = Start((isFirst, request) =>
        {
            request.BodyText.ShouldBe("body");
            // What the other try waits for closes its connection, so that it is known when it was read.
            return isFirst
                ? (first, Responses.With(firstStatus, "first", second == When.AfterTheOtherWasTaken ? Close : ""))
                : (second, Responses.With(secondStatus, "second", first == When.AfterTheOtherWasTaken ? Close : ""));
        });
        // Where an answer comes, only its absence may run into a limit: what a busy machine takes for an answer must not.
        var (whole, each) = expected == Timeout ? ("2s", "0.25s") : ("60s", first == When.AtOnce ? "60s" : "4s");
        await using var pair = await ProxyPair.StartAsync(ProxyPair.Resources(
            $$"""
            {"name":"h","domains":["*"],"routes":[{"match":{"prefix":"/"},"route":{ {{hedge}}"timeout":"{{whole}}",
              "retry_policy":{"retry_on":"5xx","num_retries":1,"per_try_timeout":"{{each}}"},"cluster":"c"} }] }
            """,
            ProxyPair.Cluster("c", "", (backend.Port, 1))));
        pair.Rejections.ShouldBeEmpty();

        await pair.ExpectAsync(expected, static port => ProxyPair.AskAsync(port, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nbody"));

        await pair.StatisticsAsync("envoy_cluster_upstream_rq_(per_try_timeout|timeout|retry|retry_limit_exceeded)\\{");
    }

    [Fact]
    public async Task HeaderOfAnInternalClient_AsksForHedging_AndIsNotPassedOn()
    {
        await using var backend = Start(static (isFirst, request) =>
            (isFirst ? When.AfterTheSecondCame : When.Never, Responses.Ok(request["x-envoy-hedge-on-per-try-timeout"] ?? "none")));
        await using var pair = await ProxyPair.StartAsync(ProxyPair.Resources(
            """
            {"name":"h","domains":["*"],"routes":[{"match":{"prefix":"/"},"route":{"timeout":"60s",
              "retry_policy":{"retry_on":"5xx","num_retries":1,"per_try_timeout":"0.25s"},"cluster":"c"} }] }
            """,
            ProxyPair.Cluster("c", "", (backend.Port, 1)),
            "\"internal_address_config\":{\"cidr_ranges\":[{\"address_prefix\":\"10.0.0.0\",\"prefix_len\":8}]},"));

        await pair.ExpectAsync("200 none", static port => ProxyPair.AskAsync(port, "GET / HTTP/1.1\r\nhost: a\r\nx-forwarded-for: 10.0.0.1\r\nx-envoy-hedge-on-per-try-timeout: true\r\n\r\n"));
    }

    private const string Close = "connection: close\r\n";

    // Each request of a client becomes two of the proxy.
    private static WireBackend Start(Func<bool, BackendRequest, (When When, string Answer)> answer)
    {
        var gate = new Lock();
        var requests = 0;
        var current = new Tries();
        return WireBackend.Start(async (wire, cancellationToken) =>
        {
            while (await wire.ReadRequestAsync(cancellationToken) is { } request)
            {
                Tries tries;
                bool isFirst;
                lock (gate)
                {
                    isFirst = ++requests % 2 == 1;
                    if (isFirst) current = new Tries();
                    tries = current;
                }

                if (!isFirst) tries.SecondCame.TrySetResult();
                var (when, text) = answer(isFirst, request);
                switch (when)
                {
                    case When.AfterTheSecondCame:
                        await tries.SecondCame.Task.WaitAsync(cancellationToken);
                        break;
                    case When.AfterTheOtherWasTaken:
                        await (isFirst ? tries.SecondTaken : tries.FirstTaken).Task.WaitAsync(cancellationToken);
                        break;
                    case When.Never:
                        await Task.Delay(System.Threading.Timeout.InfiniteTimeSpan, cancellationToken);
                        break;
                }

                await wire.WriteAsync(text, cancellationToken);
                if (!text.Contains(Close, StringComparison.Ordinal)) continue;
                try
                {
                    // A proxy that has read all of it closes; one that keeps it for the time being has read it soon enough.
                    using var soon = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                    soon.CancelAfter(TimeSpan.FromSeconds(2));
                    await wire.ReadToEndAsync(soon.Token);
                }
                finally
                {
                    (isFirst ? tries.FirstTaken : tries.SecondTaken).TrySetResult();
                }

                return;
            }
        });
    }

    private sealed class Tries
    {
        public TaskCompletionSource SecondCame { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource FirstTaken { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource SecondTaken { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
