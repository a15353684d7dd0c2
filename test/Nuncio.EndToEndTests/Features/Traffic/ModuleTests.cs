namespace Nuncio.EndToEndTests.Features.Traffic;

/// <summary>What a Module says for all Mappings.</summary>
[CommandLine("--resolve", "quote=$(quote-default)", "--resolve", "quote.elsewhere=$(quote-elsewhere)")]
[Manifest(Common.Everywhere)]
[Manifest("""
    Module ambassador:
      config:
        cluster_request_timeout_ms: 2000
        merge_slashes: true
        reject_requests_with_escaped_slashes: true
        retry_policy: { retry_on: 5xx, num_retries: 1 }
        use_ambassador_namespace_for_service_resolution: true
        cors: { origins: ["https://module.example"], methods: [GET] }
        resolver: endpoint
        load_balancer: { policy: round_robin }
        defaults:
          add_request_headers: { x-default: { value: module } }
          httpmapping:
            add_response_headers: { x-answer-default: { value: module } }
    """)]
public class ModuleTests(GatewayOf<ModuleTests> group) : IClassFixture<GatewayOf<ModuleTests>>
{
    [SkippableTheory, DataPlanes, Feature("TRF-11")]
    [Manifest("""
        Mapping slow: { hostname: "*", prefix: /slow/, service: $(silent:a) }
        Mapping own-time: { hostname: "*", prefix: /own-time/, timeout_ms: 5000, service: $(a) }
        """)]
    public async Task RequestTimeout_OfTheModule_IsTheDefault(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("/slow/")).ShouldBeAnswered(504);
        (await gateway.GetAsync("/default/")).Seen("x-envoy-expected-rq-timeout-ms").ShouldBe("2000");
        (await gateway.GetAsync("/own-time/")).Seen("x-envoy-expected-rq-timeout-ms").ShouldBe("5000");
    }

    [SkippableTheory, DataPlanes, Feature("TRF-28")]
    [Manifest("""
        Mapping default: { hostname: "*", prefix: /default/, service: $(a) }
        Mapping own: { hostname: "*", prefix: /own/, service: $(a), add_request_headers: { x-own: { value: mapping } } }
        Mapping none: { hostname: "*", prefix: /none/, service: $(a), add_request_headers: {} }
        """)]
    public async Task Defaults_ApplyUnlessTheMappingGivesItsOwn(DataPlane plane)
    {
        var gateway = await group.On(plane);

        var byDefault = await gateway.GetAsync("/default/");
        byDefault.Seen("x-default").ShouldBe("module");
        byDefault["x-answer-default"].ShouldBe("module");
        var own = await gateway.GetAsync("/own/");
        own.Seen("x-default").ShouldBeNull();
        own.Seen("x-own").ShouldBe("mapping");
        (await gateway.GetAsync("/none/")).Seen("x-default").ShouldBeNull();
    }

    [SkippableTheory, DataPlanes, Feature("TRF-37")]
    [Manifest("""
        Mapping slashes: { hostname: "*", prefix: /foo/bar, service: $(a) }
        """)]
    public async Task MergeSlashes_AndDotSegments_AreTakenOutBeforeMatching(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("//foo///bar")).ShouldBeFrom("a");
        (await gateway.GetAsync("/x/../foo/./bar")).ShouldBeFrom("a");
    }

    [SkippableTheory, DataPlanes, Feature("TRF-38")]
    public async Task EscapedSlashes_AreRejected(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("/default/a%2Fb")).ShouldBeAnswered(400);
        (await gateway.GetAsync("/default/a%5cb")).ShouldBeAnswered(400);
        (await gateway.GetAsync("/default/a%20b")).ShouldSee("/a%20b");
    }

    [SkippableTheory, DataPlanes, Feature("TRF-15")]
    [Manifest("""
        Mapping more: { hostname: "*", prefix: /more/, service: $(a), retry_policy: { retry_on: 5xx, num_retries: 3 } }
        """)]
    public async Task RetryPolicy_OfTheModule_IsTheDefault(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("/default/", headers: $"x-answer-failures: once-{plane} 1")).Status.ShouldBe(200);
        (await gateway.GetAsync("/default/", headers: $"x-answer-failures: twice-{plane} 2")).Status.ShouldBe(503);
        (await gateway.GetAsync("/more/", headers: $"x-answer-failures: more-{plane} 3")).Status.ShouldBe(200);
    }

    [SkippableTheory, DataPlanes, Feature("TRF-29")]
    public async Task Cors_OfTheModule_IsTheDefault(DataPlane plane)
    {
        var reply = await (await group.On(plane)).SendAsync(
            "OPTIONS", "/default/", "example.com", ["origin: https://module.example", "access-control-request-method: GET"]);

        reply.ShouldBeAnswered(200);
        reply["access-control-allow-origin"].ShouldBe("https://module.example");
    }

    [SkippableTheory, DataPlanes, Feature("TRF-36")]
    [Manifest("""
        Mapping elsewhere/theirs: { hostname: "*", prefix: /theirs/, resolver: kubernetes-service, service: quote }
        """)]
    public async Task Service_WithTheModulesSwitch_IsThatOfTheGateway(DataPlane plane) =>
        (await (await group.On(plane)).GetAsync("/theirs/")).ShouldBeFrom("quote-default");

    [SkippableTheory, DataPlanes, Feature("RES-04")]
    [Manifest("""
        apiVersion: v1
        kind: Service
        metadata: { name: pods, namespace: default }
        spec: { ports: [{ name: http, port: 80, targetPort: 8080 }] }
        ---
        apiVersion: v1
        kind: Endpoints
        metadata: { name: pods, namespace: default }
        subsets:
        - { addresses: [{ ip: 127.0.0.1 }], ports: [{ name: http, port: $(pod-1.port) }] }
        - { addresses: [{ ip: 127.0.0.1 }], ports: [{ name: http, port: $(pod-2.port) }] }
        Mapping pods: { hostname: "*", prefix: /pods/, service: pods }
        """)]
    public async Task Resolver_OfTheModule_IsTheDefault(DataPlane plane)
    {
        await using var client = await (await group.On(plane)).ConnectAsync();
        var reached = new HashSet<string?>();
        for (var i = 0; i < 4; i++) reached.Add((await client.GetAsync("/pods/")).Upstream);

        reached.Order().ShouldBe(["pod-1", "pod-2"]);
    }
}
