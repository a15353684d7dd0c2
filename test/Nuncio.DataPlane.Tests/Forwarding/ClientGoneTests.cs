namespace Nuncio.DataPlane.Tests.Forwarding;

/// <summary>A client that goes away in the middle: everything that was under way for it ends, and nothing stays behind.</summary>
public sealed class ClientGoneTests
{
    private const string Hedge =
        """
        "timeout":"3600s","hedge_policy":{"hedge_on_per_try_timeout":true},
        "retry_policy":{"retry_on":"5xx","num_retries":2,"per_try_timeout":"0.5s"},
        """;

    private const string Mirror = """ "timeout":"3600s","request_mirror_policies":[{"cluster":"mirror"}], """;

    [Theory]
    [InlineData("")]
    [InlineData("body")]
    public async Task WaitingForTheAnswer_EndsTheTry(string body)
    {
        await using var fixture = new ForwardingFixture(log: "%RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%");
        var client = await fixture.SendAsync("POST / HTTP/1.1\r\n", body);
        var upstream = await fixture.AcceptAsync();

        client.Leave();

        await upstream.WaitForEndAsync();
        await fixture.WaitUntilIdleAsync();
        fixture.Logged.ShouldBe(["DC downstream_remote_disconnect"]);
    }

    [Fact]
    public async Task InTheMiddleOfTheAnswer_EndsTheTry()
    {
        await using var fixture = new ForwardingFixture();
        var client = await fixture.SendAsync();
        var upstream = await fixture.AcceptAsync();
        await upstream.SendAsync("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf");
        await Until.TrueAsync(() => fixture.Count("upstream_rq_completed") == 1);

        client.Leave();

        await upstream.WaitForEndAsync();
        await fixture.WaitUntilIdleAsync();
        fixture.Logged.ShouldBe(["DC"]);
    }

    [Fact]
    public async Task WaitingForAConnection_LeavesThePool()
    {
        await using var fixture = new ForwardingFixture();
        fixture.Connector.Gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var client = await fixture.SendAsync();
        await Until.TrueAsync(() => fixture.Count("upstream_rq_pending_active") == 1);

        client.Leave();

        await fixture.WaitUntilIdleAsync();
        fixture.Logged.ShouldBe(["DC"]);
        fixture.Connector.Gate.SetResult();
    }

    [Fact]
    public async Task BetweenTwoTries_NoneIsMadeAnyMore()
    {
        await using var fixture = new ForwardingFixture(
            """ "timeout":"0s","retry_policy":{"retry_on":"5xx","retry_back_off":{"base_interval":"100s","max_interval":"100s"} }, """);
        var client = await fixture.SendAsync();
        await (await fixture.AcceptAsync()).RespondAsync(503);
        await Until.TrueAsync(() => fixture.Count("upstream_rq_retry") == 1);

        client.Leave();

        await fixture.WaitUntilIdleAsync();
        fixture.Time.Advance(TimeSpan.FromSeconds(200));
        fixture.Connector.Connects.ShouldBe(1);
        fixture.Logged.ShouldBe(["DC"]);
    }

    [Fact]
    public async Task TriesBesideEachOther_AllEnd()
    {
        await using var fixture = new ForwardingFixture(Hedge, ports: [1, 2, 3]);
        var client = await fixture.SendAsync("POST / HTTP/1.1\r\n", "body");
        UpstreamPeer[] tries = [await fixture.AcceptAsync(), await fixture.AcceptInTimeAsync(), await fixture.AcceptInTimeAsync()];

        client.Leave();

        foreach (var one in tries)
        {
            await one.WaitForEndAsync();
        }

        await fixture.WaitUntilIdleAsync();
        fixture.Logged.ShouldBe(["DC"]);
    }

    [Fact]
    public async Task HedgedTryThatConnects_Ends()
    {
        await using var fixture = new ForwardingFixture(Hedge, ports: [1, 2]);
        var client = await fixture.SendAsync();
        var first = await fixture.AcceptAsync();
        fixture.Connector.Gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await Until.TrueAsync(() =>
        {
            fixture.Time.Advance(TimeSpan.FromMilliseconds(20));
            return fixture.Connector.Connects == 2;
        });

        client.Leave();

        await first.WaitForEndAsync();
        await fixture.WaitUntilIdleAsync();
        fixture.Connector.Gate.SetResult();
    }

    [Fact]
    public async Task HalfARequest_EndsItsMirror()
    {
        await using var fixture = new ForwardingFixture(Mirror);
        var client = await fixture.SendAsync("POST / HTTP/1.1\r\ncontent-length: 10\r\n");
        await client.SendAsync("half");
        UpstreamPeer[] both = [await fixture.Connector.AcceptAsync().WaitAsync(Until.Limit), await fixture.Connector.AcceptAsync().WaitAsync(Until.Limit)];

        client.Leave();

        foreach (var one in both)
        {
            await one.WaitForEndAsync();
        }

        await fixture.WaitUntilIdleAsync();
    }

    [Fact]
    public async Task WholeRequest_IsMirroredAllTheSame()
    {
        await using var fixture = new ForwardingFixture(Mirror);
        var client = await fixture.SendAsync("POST / HTTP/1.1\r\n", "body");
        UpstreamPeer[] both = [await fixture.AcceptAsync(), await fixture.AcceptAsync()];
        var mirror = both.Single(static one => one.Port == 99);

        client.Leave();

        await both.Single(static one => one.Port == 1).WaitForEndAsync();
        fixture.Count("upstream_rq_active", "mirror").ShouldBe(1);
        await mirror.RespondAsync(200);
        await fixture.WaitUntilIdleAsync();
    }
}
