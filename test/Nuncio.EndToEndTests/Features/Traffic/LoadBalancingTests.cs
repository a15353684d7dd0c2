namespace Nuncio.EndToEndTests.Features.Traffic;

[Collection(nameof(PlainGroup))]
[Manifest("""
    apiVersion: v1
    kind: Service
    metadata: { name: pods, namespace: default }
    spec: { ports: [{ name: http, port: 80, targetPort: web }, { name: other, port: 81, targetPort: 9 }] }
    ---
    apiVersion: v1
    kind: Endpoints
    metadata: { name: pods, namespace: default }
    subsets:
    - { addresses: [{ ip: 127.0.0.1 }], ports: [{ name: http, port: $(pod-1.port) }] }
    - { addresses: [{ ip: 127.0.0.1 }], ports: [{ name: http, port: $(pod-2.port) }] }
    - { addresses: [{ ip: 127.0.0.1 }], ports: [{ name: http, port: $(pod-3.port) }] }
    - { notReadyAddresses: [{ ip: 127.0.0.1 }], ports: [{ name: http, port: $(unready.port) }] }
    """)]
public class LoadBalancingTests(GatewayOf<PlainGroup> group)
{
    [SkippableTheory, Feature("TRF-18", "RES-02", "RES-03")]
    [Manifest("""
        Mapping lb-rr: { hostname: "*", prefix: /lb-rr/, service: pods, resolver: endpoint, load_balancer: { policy: round_robin } }
        Mapping lb-least: { hostname: "*", prefix: /lb-least/, service: pods, resolver: endpoint, load_balancer: { policy: least_request } }
        Mapping lb-none: { hostname: "*", prefix: /lb-none/, service: "pods:80", resolver: kubernetes-endpoint }
        """)]
    [InlineDataForPlanes("/lb-rr/", 20, 20)]
    [InlineDataForPlanes("/lb-least/", 3, 50)]
    [InlineDataForPlanes("/lb-none/", 20, 20)]
    public async Task Requests_OfAService_AreSpreadOverItsReadyEndpoints(DataPlane plane, string target, int least, int most)
    {
        await using var client = await (await group.On(plane)).ConnectAsync();
        var counts = new Dictionary<string, int>();
        for (var i = 0; i < 60; i++)
        {
            var upstream = (await client.GetAsync(target)).Upstream!;
            counts[upstream] = counts.GetValueOrDefault(upstream) + 1;
        }

        counts.Keys.Order().ShouldBe(["pod-1", "pod-2", "pod-3"]);
        counts.Values.ShouldAllBe(count => count >= least && count <= most);
    }

    [SkippableTheory, Feature("TRF-19")]
    [Manifest("""
        Mapping sticky-header: { hostname: "*", prefix: /sticky-header/, service: pods, resolver: endpoint, load_balancer: { policy: ring_hash, header: x-user } }
        Mapping sticky-maglev: { hostname: "*", prefix: /sticky-maglev/, service: pods, resolver: endpoint, load_balancer: { policy: maglev, header: x-user } }
        Mapping sticky-source: { hostname: "*", prefix: /sticky-source/, service: pods, resolver: endpoint, load_balancer: { policy: ring_hash, source_ip: true } }
        """)]
    [InlineDataForPlanes("/sticky-header/", 2)]
    [InlineDataForPlanes("/sticky-maglev/", 2)]
    [InlineDataForPlanes("/sticky-source/", 1)]
    public async Task HashOfHeaderOrSource_KeepsAClientOnOneEndpoint(DataPlane plane, string target, int atLeast)
    {
        var gateway = await group.On(plane);
        var reached = new HashSet<string>();
        for (var user = 0; user < 20; user++)
        {
            var first = await gateway.GetAsync(target, headers: $"x-user: {user}");
            var second = await gateway.GetAsync(target, headers: $"x-user: {user}");
            second.Upstream.ShouldBe(first.Upstream);
            reached.Add(first.Upstream!);
        }

        reached.Count.ShouldBeGreaterThanOrEqualTo(atLeast);
        if (atLeast == 1) reached.ShouldHaveSingleItem();
    }

    [SkippableTheory, DataPlanes, Feature("TRF-19")]
    [Manifest("""
        Mapping sticky-cookie: { hostname: "*", prefix: /sticky-cookie/, service: pods, resolver: endpoint,
          load_balancer: { policy: ring_hash, cookie: { name: sticky, path: /, ttl: 600s } } }
        """)]
    public async Task HashOfCookie_MakesTheCookieAndFollowsIt(DataPlane plane)
    {
        var gateway = await group.On(plane);
        var first = await gateway.GetAsync("/sticky-cookie/");

        var cookie = first["set-cookie"].ShouldNotBeNull(first.ToString());
        cookie.ShouldStartWith("sticky=");
        cookie.ShouldContain("Max-Age=600");
        for (var i = 0; i < 10; i++) (await gateway.GetAsync("/sticky-cookie/", headers: $"cookie: {cookie.Split(';')[0]}")).Upstream.ShouldBe(first.Upstream);
    }

    [SkippableTheory, DataPlanes, Feature("TRF-20")]
    [Manifest("""
        Mapping lb-refused: { hostname: "*", prefix: /lb-refused/, service: pods, load_balancer: { policy: round_robin } }
        """)]
    public async Task LoadBalancer_WithTheServiceResolver_IsRefused(DataPlane plane)
    {
        (await (await group.On(plane)).GetAsync("/lb-refused/")).ShouldNotBeRouted();
        (await group.FindingsAsync()).ShouldContain(finding => finding.Resource == "Mapping/lb-refused" && finding.Level == "error");
    }

    [SkippableTheory, DataPlanes, Feature("TRF-17")]
    [Manifest("""
        apiVersion: v1
        kind: Service
        metadata: { name: checked, namespace: default }
        spec: { ports: [{ port: 80 }] }
        ---
        apiVersion: v1
        kind: Endpoints
        metadata: { name: checked, namespace: default }
        subsets:
        - { addresses: [{ ip: 127.0.0.1 }], ports: [{ port: $(well.port) }] }
        - { addresses: [{ ip: 127.0.0.1 }], ports: [{ port: $(sick:pod.port) }] }
        Mapping checked:
          hostname: "*"
          prefix: /checked/
          service: checked
          resolver: endpoint
          health_checks:
          - { timeout: 1s, interval: 0.1s, unhealthy_threshold: 1, healthy_threshold: 1, health_check: { http: { path: /healthz, hostname: check.example } } }
        """)]
    public async Task HealthCheck_OfASickEndpoint_TakesItOut(DataPlane plane)
    {
        await using var client = await (await group.On(plane)).ConnectAsync();
        await group.Upstreams.WaitForRequestAsync("sick:pod", request => request.Target == "/healthz" && request["host"] == "check.example");

        var inARow = 0;
        for (var tries = 0; inARow < 20; tries++)
        {
            inARow = (await client.GetAsync("/checked/")).Upstream == "well" ? inARow + 1 : 0;
            if (inARow == 0) await Task.Delay(10);
            tries.ShouldBeLessThan(2000);
        }
    }
}
