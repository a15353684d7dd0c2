namespace Nuncio.DataPlane.Tests.Forwarding;

/// <summary>Limits of time on the request and on each try.</summary>
public sealed class TimeoutTests
{
    [Fact]
    public async Task TryThatTakesTooLong_IsGivenUpForTheNext()
    {
        await using var fixture = new ForwardingFixture(
            """ "timeout":"3600s","retry_policy":{"retry_on":"5xx","num_retries":1,"per_try_timeout":"0.5s"}, """, log: "%RESPONSE_FLAGS% %UPSTREAM_REQUEST_ATTEMPT_COUNT%");
        var client = await fixture.SendAsync();
        var first = await fixture.AcceptAsync();
        var second = await fixture.AcceptInTimeAsync();

        await first.WaitForEndAsync();
        await second.RespondAsync(200, "second");

        (await client.ReadAsync()).ShouldBe("200 second");
        await fixture.WaitUntilIdleAsync();
        fixture.Count("upstream_rq_per_try_timeout").ShouldBe(1);
        fixture.Logged.ShouldBe(["- 2"]);
    }

    [Fact]
    public async Task EveryTry_HasTimeOfItsOwn()
    {
        await using var fixture = new ForwardingFixture(
            """ "timeout":"3600s","retry_policy":{"retry_on":"5xx","num_retries":2,"per_try_timeout":"0.5s","retry_back_off":{"base_interval":"0.001s"} }, """);
        var client = await fixture.SendAsync();
        var answer = client.ReadAsync();
        for (var i = 0; i < 3; i++)
        {
            _ = i == 0 ? await fixture.AcceptAsync() : await fixture.AcceptInTimeAsync();
            fixture.Time.Advance(TimeSpan.FromMilliseconds(300));
            answer.IsCompleted.ShouldBeFalse();
        }

        (await fixture.PassUntilAsync(answer)).ShouldBe("504 upstream request timeout");
        await fixture.WaitUntilIdleAsync();
        fixture.Count("upstream_rq_per_try_timeout").ShouldBe(3);
        fixture.Logged.ShouldBe(["URX,UT"]);
    }

    [Theory]
    [InlineData("\"timeout\":\"0.5s\",", "504 upstream request timeout", "UT")]
    [InlineData("\"timeout\":\"0.5s\",\"retry_policy\":{\"retry_on\":\"5xx\",\"num_retries\":9},", "504 upstream request timeout", "UT")]
    [InlineData("\"timeout\":\"0s\",\"idle_timeout\":\"0.5s\",", "504 stream timeout", "SI")]
    [InlineData("\"timeout\":\"0s\",\"max_stream_duration\":{\"max_stream_duration\":\"0.5s\"},", "504 downstream duration timeout", "-")]
    [InlineData("\"timeout\":\"3600s\",\"retry_policy\":{\"retry_on\":\"5xx\",\"num_retries\":0,\"per_try_idle_timeout\":\"0.5s\"},", "504 upstream request timeout", "URX,UT")]
    public async Task RequestThatTakesTooLong_IsAnswered(string route, string expected, string flags)
    {
        await using var fixture = new ForwardingFixture(route);
        var client = await fixture.SendAsync();
        var answer = client.ReadAsync();
        var upstream = await fixture.AcceptAsync();
        fixture.Time.Advance(TimeSpan.FromMilliseconds(400));
        answer.IsCompleted.ShouldBeFalse();

        (await fixture.PassUntilAsync(answer)).ShouldBe(expected);
        await upstream.WaitForEndAsync();
        await fixture.WaitUntilIdleAsync();
        fixture.Logged.ShouldBe([flags]);
        fixture.Connector.Connects.ShouldBe(1);
    }

    [Fact]
    public async Task LongestDurationOfAStream_IsOneTrys()
    {
        await using var fixture = new ForwardingFixture(
            "\"timeout\":\"0s\",\"retry_policy\":{\"retry_on\":\"reset\",\"num_retries\":2},", "\"common_http_protocol_options\":{\"max_stream_duration\":\"0.5s\"},");
        var client = await fixture.SendAsync();
        var answer = client.ReadAsync();
        for (var i = 0; i < 3; i++)
        {
            _ = i == 0 ? await fixture.AcceptAsync() : await fixture.AcceptInTimeAsync();
            fixture.Time.Advance(TimeSpan.FromMilliseconds(400));
            answer.IsCompleted.ShouldBeFalse();
        }

        (await fixture.PassUntilAsync(answer)).ShouldBe("504 upstream max stream duration reached");
        await fixture.WaitUntilIdleAsync();
        fixture.Count("upstream_rq_max_duration_reached").ShouldBe(3);
        fixture.Count("upstream_rq_retry").ShouldBe(2);
        fixture.Logged.ShouldBe(["URX,UMSDR"]);
    }

    [Fact]
    public async Task TryThatStopsInItsAnswer_IsCounted()
    {
        await using var fixture = new ForwardingFixture(
            "\"timeout\":\"0s\",\"retry_policy\":{\"retry_on\":\"5xx\",\"num_retries\":2,\"per_try_idle_timeout\":\"0.5s\"},",
            log: "%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %UPSTREAM_REQUEST_ATTEMPT_COUNT%");
        var client = await fixture.SendAsync();
        var upstream = await fixture.AcceptAsync();
        await upstream.SendAsync("HTTP/1.1 200 x\r\ncontent-length: 10\r\n\r\nabc");
        await client.WaitForHeadAsync();
        await Until.TrueAsync(() =>
        {
            fixture.Time.Advance(TimeSpan.FromMilliseconds(100));
            return fixture.Logged.Count > 0;
        });
        await fixture.WaitUntilIdleAsync();
        fixture.Count("upstream_rq_per_try_idle_timeout").ShouldBe(1);
        fixture.Logged.ShouldBe(["200 UT upstream_per_try_idle_timeout 1"]);
    }

    [Fact]
    public async Task Pause_CountsForTheWholeRequest()
    {
        // The pause between tries alone is longer than the request may take.
        await using var fixture = new ForwardingFixture(
            """
            "timeout":"0.2s","retry_policy":{"retry_on":"5xx","rate_limited_retry_back_off":{"reset_headers":[{"name":"retry-after","format":"SECONDS"}],"max_interval":"300s"} },
            """);
        var client = await fixture.SendAsync();
        await (await fixture.AcceptAsync()).RespondAsync(503, "", "retry-after: 20\r\n");

        (await fixture.PassUntilAsync(client.ReadAsync())).ShouldBe("504 upstream request timeout");
        await fixture.WaitUntilIdleAsync();
        fixture.Count("upstream_rq_retry_backoff_ratelimited").ShouldBe(1);
        fixture.Connector.Connects.ShouldBe(1);
    }

    [Fact]
    public async Task ConnectionThatIsNotMadeInTime_EndsTheRequestAlone()
    {
        await using var fixture = new ForwardingFixture(""" "timeout":"0.5s", """);
        fixture.Connector.Gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var client = await fixture.SendAsync();
        await Until.TrueAsync(() => fixture.Count("upstream_rq_pending_active") == 1);

        (await fixture.PassUntilAsync(client.ReadAsync())).ShouldBe("504 upstream request timeout");
        await fixture.WaitUntilIdleAsync();
        fixture.Connector.Gate.SetResult();
    }
}
