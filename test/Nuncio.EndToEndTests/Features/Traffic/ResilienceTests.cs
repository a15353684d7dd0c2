namespace Nuncio.EndToEndTests.Features.Traffic;

[Collection(nameof(PlainGroup))]
public class ResilienceTests(GatewayOf<PlainGroup> group)
{
    [SkippableTheory, DataPlanes, Feature("TRF-15")]
    [Manifest("""
        Mapping retried: { hostname: "*", prefix: /retried/, retry_policy: { retry_on: 5xx, num_retries: 2 }, service: $(retried) }
        Mapping not-retried: { hostname: "*", prefix: /not-retried/, service: $(retried) }
        """)]
    public async Task Retries_OfAnUpstreamThatFailsTwice_EndIn200(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync($"/retried/{plane}", headers: $"x-answer-failures: retried-{plane} 2")).Status.ShouldBe(200);
        group.Upstreams.Requests("retried").Count(request => request.Target == $"/{plane}").ShouldBe(3);
        (await gateway.GetAsync("/retried/more", headers: $"x-answer-failures: more-{plane} 3")).Status.ShouldBe(503);
        (await gateway.GetAsync("/not-retried/", headers: $"x-answer-failures: not-retried-{plane} 1")).Status.ShouldBe(503);
    }

    [SkippableTheory, Feature("TRF-16", "TRF-33")]
    [Manifest("""
        Mapping breaker: { hostname: "*", prefix: /breaker/, circuit_breakers: [{ max_requests: 1 }], service: $(breaker) }
        Mapping high-breaker: { hostname: "*", prefix: /high-breaker/, priority: HIGH, service: $(high-breaker),
          circuit_breakers: [{ priority: high, max_requests: 1 }, { priority: default, max_requests: 100 }] }
        """)]
    [InlineDataForPlanes("breaker")]
    [InlineDataForPlanes("high-breaker")]
    public async Task CircuitBreaker_OfOneRequest_RefusesASecondBesideIt(DataPlane plane, string name)
    {
        var gateway = await group.On(plane);
        var first = gateway.GetAsync($"/{name}/{plane}", headers: $"x-answer-gate: {name}-{plane}");
        await group.Upstreams.WaitForRequestAsync(name, request => request.Target == $"/{plane}");

        var second = await gateway.GetAsync($"/{name}/second");
        group.Upstreams.OpenGate($"{name}-{plane}");

        second.ShouldBeAnswered(503);
        second["x-envoy-overloaded"].ShouldBe("true");
        (await first).ShouldBeFrom(name);
        (await gateway.GetAsync($"/{name}/third")).ShouldBeFrom(name);
    }
}
