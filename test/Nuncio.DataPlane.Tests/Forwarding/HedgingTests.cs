namespace Nuncio.DataPlane.Tests.Forwarding;

/// <summary>Tries beside each other, and what is said of them.</summary>
public sealed class HedgingTests
{
    private const string Route =
        """
        "timeout":"3600s","hedge_policy":{"hedge_on_per_try_timeout":true},
        "retry_policy":{"retry_on":"5xx","num_retries":1,"per_try_timeout":"0.5s"},
        """;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task FirstGoodAnswer_IsPassedOn_AndToldOf(bool isFirst)
    {
        await using var fixture = new ForwardingFixture(Route, ports: [1, 2], log: "%UPSTREAM_HOST% %UPSTREAM_LOCAL_ADDRESS% %UPSTREAM_REQUEST_ATTEMPT_COUNT% %RESPONSE_FLAGS%");
        var client = await fixture.SendAsync("POST / HTTP/1.1\r\n", "body");
        UpstreamPeer[] tries = [await fixture.AcceptAsync(), await fixture.AcceptInTimeAsync()];
        var (winner, loser) = isFirst ? (tries[0], tries[1]) : (tries[1], tries[0]);
        winner.Port.ShouldNotBe(loser.Port);

        await winner.RespondAsync(200, "won");

        (await client.ReadAsync()).ShouldBe("200 won");
        await loser.WaitForEndAsync();
        await fixture.WaitUntilIdleAsync();
        fixture.Logged.ShouldBe([$"127.0.0.1:{winner.Port} 127.0.0.1:{1000 + winner.Port} 2 -"]);
    }

    [Fact]
    public async Task BadAnswer_WaitsForTheOther()
    {
        await using var fixture = new ForwardingFixture(Route, ports: [1, 2]);
        var client = await fixture.SendAsync();
        var first = await fixture.AcceptAsync();
        var second = await fixture.AcceptInTimeAsync();

        await second.RespondAsync(503, "bad");
        await first.RespondAsync(200, "good");

        (await client.ReadAsync()).ShouldBe("200 good");
        await fixture.WaitUntilIdleAsync();
    }

    [Fact]
    public async Task TryThatFails_LeavesTheOther()
    {
        await using var fixture = new ForwardingFixture(Route, ports: [1, 2]);
        var client = await fixture.SendAsync();
        var first = await fixture.AcceptAsync();
        var second = await fixture.AcceptInTimeAsync();

        first.Close();
        await second.RespondAsync(200, "good");

        (await client.ReadAsync()).ShouldBe("200 good");
        await fixture.WaitUntilIdleAsync();
    }

    [Fact]
    public async Task NeitherAnswers_TheWholeRequestTimesOut()
    {
        await using var fixture = new ForwardingFixture(Route.Replace("3600s", "100s", StringComparison.Ordinal), ports: [1, 2]);
        var client = await fixture.SendAsync();
        var first = await fixture.AcceptAsync();
        var second = await fixture.AcceptInTimeAsync();

        fixture.Time.Advance(TimeSpan.FromSeconds(100));
        (await client.ReadAsync()).ShouldBe("504 upstream request timeout");
        await first.WaitForEndAsync();
        await second.WaitForEndAsync();
        await fixture.WaitUntilIdleAsync();
    }
}
