using Nuncio.DataPlane.Forwarding;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;

namespace Nuncio.DataPlane.Tests.Forwarding;

/// <summary>How long the pause before a try is.</summary>
public sealed class RetryStateTests
{
    [Fact]
    public async Task Pause_IsBelowACeilingThatDoubles()
    {
        TimeSpan[] ceilings = [.. new[] { 100, 200, 400, 500, 500, 500 }.Select(static milliseconds => TimeSpan.FromMilliseconds(milliseconds))];
        var longest = new TimeSpan[ceilings.Length];
        for (var i = 0; i < 200; i++)
        {
            var state = await BeginAsync(new RetryPolicyModel
            {
                RetryOn = RetryOn.ServerError,
                BackOffBase = TimeSpan.FromMilliseconds(100),
                BackOffMax = TimeSpan.FromMilliseconds(500),
            });
            for (var tries = 0; tries < ceilings.Length; tries++)
            {
                var pause = state.NextPause();
                pause.ShouldBeInRange(TimeSpan.Zero, ceilings[tries]);
                longest[tries] = pause > longest[tries] ? pause : longest[tries];
            }
        }

        // Full jitter: of two hundred, chance leaves none in the upper half less than once in 10^60 runs.
        for (var tries = 0; tries < ceilings.Length; tries++)
        {
            longest[tries].ShouldBeGreaterThan(ceilings[tries] / 2);
        }
    }

    [Theory]
    [InlineData("retry-after: 7", 7)]
    [InlineData("retry-after: 0", 0)]
    [InlineData("retry-after: 7x", 0)]
    [InlineData("retry-after: -7", 0)]
    [InlineData("retry-after: 301", 0)]
    [InlineData("x-reset: 5", 5)]
    [InlineData("x-reset: -5", 0)]
    [InlineData("other: 7", 0)]
    public async Task Pause_IsWhatTheUpstreamAskedFor(string header, int seconds)
    {
        await using var fixture = new ForwardingFixture();
        var state = await BeginAsync(new RetryPolicyModel
        {
            RetryOn = RetryOn.ServerError,
            ResetHeaders = [("retry-after"u8.ToArray(), false), ("x-reset"u8.ToArray(), true)],
        });
        var cluster = fixture.Upstreams.Table.Find("c")!;
        var response = new HeaderMap { Status = 503 };
        var colon = header.IndexOf(':', StringComparison.Ordinal);
        var value = header.StartsWith("x-reset", StringComparison.Ordinal)
            ? (fixture.Time.GetUtcNow().ToUnixTimeSeconds() + seconds).ToString(System.Globalization.CultureInfo.InvariantCulture)
            : header[(colon + 2)..];
        response.Add(System.Text.Encoding.ASCII.GetBytes(header[..colon]), System.Text.Encoding.ASCII.GetBytes(value));

        state.OnResponse(response, cluster.Resources(0), cluster).ShouldBe(RetryDecision.Yes);

        var asked = TimeSpan.FromSeconds(seconds);
        state.NextPause().ShouldBeInRange(asked, seconds == 0 ? TimeSpan.FromMilliseconds(25) : asked * 1.5);
        state.End();
        cluster.Resources(0).Retries.ShouldBe(0);
    }

    private static async Task<RetryState> BeginAsync(RetryPolicyModel policy)
    {
        RetryState? state = null;
        var pipeline = new Pipeline.PipelineFixture
        {
            Router = async exchange =>
            {
                state = new RetryState();
                state.Begin(policy, exchange);
                return await exchange.RespondAsync(200, default, "");
            },
        }.Add("/", static route => route.Route_ = new RouteV3.RouteAction { Cluster = "c" });
        await pipeline.SendAsync(Pipeline.FakeServerStream.Get("a/"));
        return state!;
    }
}
