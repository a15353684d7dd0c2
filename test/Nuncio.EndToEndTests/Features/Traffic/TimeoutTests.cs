namespace Nuncio.EndToEndTests.Features.Traffic;

[Collection(nameof(PlainGroup))]
public class TimeoutTests(GatewayOf<PlainGroup> group)
{
    [SkippableTheory, DataPlanes, Feature("TRF-10")]
    [Manifest("""
        Mapping default-timeout: { hostname: "*", prefix: /default-timeout/, service: $(a) }
        Mapping no-timeout: { hostname: "*", prefix: /no-timeout/, timeout_ms: 0, service: $(a) }
        Mapping short-timeout: { hostname: "*", prefix: /short-timeout/, timeout_ms: 200, service: $(silent:a) }
        """)]
    public async Task Timeout_OfARequest_Answers504(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("/short-timeout/")).ShouldBeAnswered(504);
        (await gateway.GetAsync("/default-timeout/")).Seen("x-envoy-expected-rq-timeout-ms").ShouldBe("3000");
        (await gateway.GetAsync("/no-timeout/")).Seen("x-envoy-expected-rq-timeout-ms").ShouldBeNull();
    }

    [SkippableTheory, DataPlanes, Feature("TRF-12")]
    [Manifest("""
        Mapping idle: { hostname: "*", prefix: /idle/, timeout_ms: 0, idle_timeout_ms: 200, service: $(silent:a) }
        """)]
    public async Task IdleTimeout_OfASilentStream_EndsIt(DataPlane plane) => (await (await group.On(plane)).GetAsync("/idle/")).ShouldBeAnswered(504);

    [SkippableTheory, DataPlanes, Feature("TRF-13")]
    [Manifest("""
        Mapping connect: { hostname: "*", prefix: /connect/, timeout_ms: 0, connect_timeout_ms: 200, service: $(full:a) }
        """)]
    public async Task ConnectTimeout_OfAnUpstreamThatDoesNotAnswer_Gives503(DataPlane plane) =>
        (await (await group.On(plane)).GetAsync("/connect/")).ShouldBeAnswered(503);

    [SkippableTheory, Feature("TRF-14")]
    [Manifest("""
        Mapping pool-idle: { hostname: "*", prefix: /pool-idle/, cluster_idle_timeout_ms: 200, service: $(pool-idle) }
        Mapping pool-lifetime: { hostname: "*", prefix: /pool-lifetime/, cluster_max_connection_lifetime_ms: 200, service: $(pool-lifetime) }
        """)]
    [InlineDataForPlanes("pool-idle")]
    [InlineDataForPlanes("pool-lifetime")]
    public async Task UpstreamConnection_IdleOrOld_IsClosed(DataPlane plane, string name)
    {
        var gateway = await group.On(plane);
        // Twice: what holds for the first connection must hold for those after it.
        for (var i = 0; i < 2; i++)
        {
            (await gateway.GetAsync($"/{name}/")).ShouldBeFrom(name);
            await group.Upstreams.WaitUntilNoneIsOpenAsync(name);
        }
    }
}
