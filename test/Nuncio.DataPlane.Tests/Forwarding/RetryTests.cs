namespace Nuncio.DataPlane.Tests.Forwarding;

/// <summary>When a request is tried again, and when no more.</summary>
public sealed class RetryTests
{
    [Theory]
    [InlineData("5xx", 500, "", true)]
    [InlineData("5xx", 499, "", false)]
    [InlineData("gateway-error", 502, "", true)]
    [InlineData("gateway-error", 504, "", true)]
    [InlineData("gateway-error", 500, "", false)]
    [InlineData("retriable-4xx", 409, "", true)]
    [InlineData("retriable-4xx", 404, "", false)]
    [InlineData("retriable-status-codes", 418, "", true)]
    [InlineData("retriable-status-codes", 500, "", false)]
    [InlineData("retriable-headers", 200, "x-again: 1\r\n", true)]
    [InlineData("retriable-headers", 200, "", false)]
    [InlineData("reset,connect-failure,refused-stream", 503, "", false)]
    [InlineData("unavailable", 200, "grpc-status: 14\r\n", true)]
    [InlineData("cancelled,internal", 200, "grpc-status: 13\r\n", true)]
    [InlineData("cancelled,deadline-exceeded,resource-exhausted", 200, "grpc-status: 14\r\n", false)]
    [InlineData("envoy-ratelimited", 429, "x-envoy-ratelimited: true\r\n", true)]
    [InlineData("5xx", 503, "x-envoy-ratelimited: true\r\n", false)]
    [InlineData("nonsense", 503, "", false)]
    public async Task Answer_ForWhichAWordStands_IsNotPassedOn(string words, int status, string headers, bool isRetried)
    {
        await using var fixture = new ForwardingFixture(
            $$"""
            "timeout":"0s","retry_policy":{"retry_on":"{{words}}","num_retries":1,"retriable_status_codes":[418],
              "retriable_headers":[{"name":"x-again","present_match":true}]},
            """);
        var client = await fixture.SendAsync();
        var upstream = await fixture.AcceptAsync();

        await upstream.RespondAsync(status, "first", headers);
        if (isRetried)
        {
            await (await fixture.AcceptInTimeAsync()).RespondAsync(200, "second");
        }

        (await client.ReadAsync()).ShouldBe(isRetried ? "200 second" : $"{status} first");
        fixture.Count("upstream_rq_retry").ShouldBe(isRetried ? 1 : 0);
        fixture.Count("upstream_rq_retry_success").ShouldBe(isRetried ? 1 : 0);
        await fixture.WaitUntilIdleAsync();
    }

    [Theory]
    [InlineData("reset", true)]
    [InlineData("5xx", true)]
    [InlineData("gateway-error", true)]
    [InlineData("connect-failure,refused-stream,retriable-4xx", false)]
    [InlineData("reset-before-request", false)]
    public async Task ConnectionThatEndsWithoutAnAnswer_IsAReset(string words, bool isRetried)
    {
        await using var fixture = new ForwardingFixture($$""" "timeout":"0s","retry_policy":{"retry_on":"{{words}}"}, """);
        var client = await fixture.SendAsync();

        (await fixture.AcceptAsync()).Close();
        if (isRetried)
        {
            await (await fixture.AcceptInTimeAsync()).RespondAsync(200, "second");
        }

        (await client.ReadAsync())[..3].ShouldBe(isRetried ? "200" : "503");
        await fixture.WaitUntilIdleAsync();
        fixture.Logged.ShouldBe([isRetried ? "-" : "UC"]);
    }

    [Theory]
    [InlineData("connect-failure", 3)]
    [InlineData("reset", 3)]
    [InlineData("retriable-4xx", 1)]
    public async Task ConnectionThatIsNotMade_IsTriedAgain(string words, int connects)
    {
        await using var fixture = new ForwardingFixture($$""" "timeout":"0s","retry_policy":{"retry_on":"{{words}}","num_retries":2}, """);
        fixture.Connector.Refused.Add(1);

        var client = await fixture.SendAsync();

        (await fixture.PassUntilAsync(client.ReadAsync()))[..3].ShouldBe("503");
        fixture.Connector.Connects.ShouldBe(connects);
        await fixture.WaitUntilIdleAsync();
        fixture.Logged.ShouldBe([connects > 1 ? "URX,UF" : "UF"]);
    }

    [Fact]
    public async Task LastTry_IsPassedOn()
    {
        await using var fixture = new ForwardingFixture(""" "timeout":"0s","retry_policy":{"retry_on":"5xx","num_retries":3}, """);
        var client = await fixture.SendAsync();
        var upstream = await fixture.AcceptAsync();
        for (var i = 0; i < 3; i++)
        {
            await upstream.RespondAsync(503, $"try {i}");
            upstream = await fixture.AcceptInTimeAsync();
        }

        await upstream.RespondAsync(503, "last");

        (await client.ReadAsync()).ShouldBe("503 last");
        await fixture.WaitUntilIdleAsync();
        fixture.Count("upstream_rq_retry_limit_exceeded").ShouldBe(1);
        fixture.Logged.ShouldBe(["URX"]);
    }

    [Fact]
    public async Task RequestsOwnWish_AddsToTheRoute()
    {
        await using var fixture = new ForwardingFixture(""" "timeout":"0s", """);
        var client = await fixture.SendAsync(
            "GET / HTTP/1.1\r\nx-forwarded-for: 10.0.0.1\r\nx-envoy-retry-on: retriable-status-codes\r\nx-envoy-retriable-status-codes: 404, 405\r\nx-envoy-max-retries: 2\r\n");
        var upstream = await fixture.AcceptAsync();
        foreach (var status in (int[])[404, 405])
        {
            await upstream.RespondAsync(status);
            upstream = await fixture.AcceptInTimeAsync();
        }

        await upstream.RespondAsync(404, "last");

        (await client.ReadAsync()).ShouldBe("404 last");
    }

    [Fact]
    public async Task MoreRetriesThanTheClusterAllows_AreNotMade()
    {
        await using var fixture = new ForwardingFixture(
            """ "timeout":"0s","retry_policy":{"retry_on":"5xx"}, """, """ "circuit_breakers":{"thresholds":[{"max_retries":1}]}, """);
        var first = await fixture.SendAsync();
        await (await fixture.AcceptAsync()).RespondAsync(503, "", "connection: close\r\n");
        var retried = await fixture.AcceptInTimeAsync();
        var second = await fixture.SendAsync();
        await (await fixture.AcceptAsync()).RespondAsync(503, "full");

        (await second.ReadAsync()).ShouldBe("503 full");
        fixture.Count("upstream_rq_retry_overflow").ShouldBe(1);
        await retried.RespondAsync(200, "well");
        (await first.ReadAsync()).ShouldBe("200 well");
        await fixture.WaitUntilIdleAsync();
        fixture.Logged.ShouldBe(["UO", "-"]);
    }

    [Theory]
    [InlineData(50, 0, true)]
    [InlineData(20, 0, false)]
    [InlineData(20, 1, true)]
    public async Task Budget_IsAShareOfWhatIsUnderWay(int percent, int least, bool isRetried)
    {
        await using var fixture = new ForwardingFixture(
            """ "timeout":"0s","retry_policy":{"retry_on":"5xx"}, """,
            $$""" "circuit_breakers":{"thresholds":[{"retry_budget":{"budget_percent":{"value":{{percent}}},"min_retry_concurrency":{{least}}} }]}, """);
        var others = new (FixtureClient Client, UpstreamPeer Upstream)[2];
        for (var i = 0; i < others.Length; i++)
        {
            others[i] = (await fixture.SendAsync(), await fixture.AcceptAsync());
        }

        var client = await fixture.SendAsync();
        await (await fixture.AcceptAsync()).RespondAsync(503, "first", "connection: close\r\n");
        if (isRetried)
        {
            await (await fixture.AcceptInTimeAsync()).RespondAsync(200, "second");
        }

        (await client.ReadAsync()).ShouldBe(isRetried ? "200 second" : "503 first");
        foreach (var (other, upstream) in others)
        {
            await upstream.RespondAsync(200);
            (await other.ReadAsync()).ShouldBe("200 ok");
        }

        await fixture.WaitUntilIdleAsync();
    }

    [Fact]
    public async Task EndpointThatWasTried_IsAvoided()
    {
        await using var fixture = new ForwardingFixture(
            """
            "timeout":"0s","retry_policy":{"retry_on":"5xx","num_retries":1,"host_selection_retry_max_attempts":5,
              "retry_host_predicate":[{"name":"envoy.retry_host_predicates.previous_hosts","typed_config":{
                "@type":"type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"} }]},
            """,
            ports: [1, 2]);
        for (var i = 0; i < 4; i++)
        {
            var client = await fixture.SendAsync();
            var first = await fixture.AcceptAsync();
            await first.RespondAsync(500, "", "connection: close\r\n");
            var second = await fixture.AcceptInTimeAsync();
            second.Port.ShouldBe(3 - first.Port);
            await second.RespondAsync(200, "", "connection: close\r\n");
            (await client.ReadAsync()).ShouldBe("200");
        }
    }

    [Fact]
    public async Task Body_IsSentAgain()
    {
        await using var fixture = new ForwardingFixture(""" "timeout":"0s","retry_policy":{"retry_on":"5xx"}, """);
        var body = new string('b', 100_000);
        var client = await fixture.SendAsync("POST / HTTP/1.1\r\n", body);
        await (await fixture.AcceptAsync()).RespondAsync(503, "", "connection: close\r\n");
        var peer = await fixture.PassUntilAsync(fixture.Connector.AcceptAsync());

        (await peer.ReadRequestAsync())!.ShouldEndWith("\r\n\r\n" + body);
        await peer.RespondAsync(200);
        (await client.ReadAsync()).ShouldBe("200 ok");
        await fixture.WaitUntilIdleAsync();
    }

    [Fact]
    public async Task BodyBeyondTheLimit_IsNotSentAgain()
    {
        await using var fixture = new ForwardingFixture(
            """ "timeout":"0s","retry_policy":{"retry_on":"5xx"}, """, """ "per_connection_buffer_limit_bytes":1000, """);
        var client = await fixture.SendAsync("POST / HTTP/1.1\r\n", new string('b', 10_000));

        await (await fixture.AcceptAsync()).RespondAsync(503, "only");

        (await client.ReadAsync()).ShouldBe("503 only");
        fixture.Count("retry_or_shadow_abandoned").ShouldBe(1);
        fixture.Connector.Connects.ShouldBe(1);
        await fixture.WaitUntilIdleAsync();
    }
}
