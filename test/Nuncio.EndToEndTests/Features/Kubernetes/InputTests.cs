namespace Nuncio.EndToEndTests.Features.Kubernetes;

/// <summary>Annotations and old versions of objects.</summary>
[Collection(nameof(PlainGroup))]
public class InputTests(GatewayOf<PlainGroup> group)
{
    [SkippableTheory, DataPlanes, Feature("K8S-09", "K8S-10")]
    [Manifest("""
        apiVersion: v1
        kind: Service
        metadata:
          name: annotated
          namespace: default
          annotations:
            getambassador.io/config: |
              apiVersion: getambassador.io/v3alpha1
              kind: Mapping
              name: from-annotation
              hostname: "*"
              prefix: /from-annotation/
              service: $(a)
              ---
              apiVersion: ambassador/v2
              kind: Mapping
              name: from-annotation-v2
              prefix: /from-annotation-v2/
              host: old.example.com
              service: $(b)
        spec: { ports: [{ port: 80 }] }
        """)]
    public async Task Annotation_OfAService_HoldsMappingsOfAnyVersion(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("/from-annotation/")).ShouldBeFrom("a");
        (await gateway.GetAsync("/from-annotation-v2/", "old.example.com")).ShouldBeFrom("b");
        (await gateway.GetAsync("/from-annotation-v2/")).ShouldNotBeRouted();
    }

    [SkippableTheory, DataPlanes, Feature("K8S-12", "K8S-13", "K8S-14")]
    [Manifest("""
        apiVersion: getambassador.io/v2
        kind: Mapping
        metadata: { name: v2-plain, namespace: default }
        spec: { prefix: /v2-plain/, service: $(a) }
        ---
        apiVersion: getambassador.io/v2
        kind: Mapping
        metadata: { name: v2-regex, namespace: default }
        spec: { prefix: /v2-regex/, host: "v[0-9]+[.]v2[.]com", host_regex: true, service: $(a) }
        ---
        apiVersion: getambassador.io/v2
        kind: Mapping
        metadata: { name: v2-header, namespace: default }
        spec: { prefix: /v2-header/, headers: { x-any: true }, add_request_headers: { x-added: v2 }, service: $(a) }
        ---
        apiVersion: getambassador.io/v2
        kind: Mapping
        metadata: { name: v2-tls, namespace: default }
        spec: { prefix: /v2-tls/, tls: true, service: $(tls:a) }
        """)]
    public async Task Version2_OfAMapping_MeansTheSame(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("/v2-plain/", "any.example.com")).ShouldBeFrom("a");
        (await gateway.GetAsync("/v2-regex/", "v1.v2.com")).ShouldBeFrom("a");
        (await gateway.GetAsync("/v2-regex/", "v2.com")).ShouldNotBeRouted();
        (await gateway.GetAsync("/v2-header/", headers: "x-any: thing")).Seen("x-added").ShouldBe("v2");
        (await gateway.GetAsync("/v2-header/")).ShouldNotBeRouted();
        (await gateway.GetAsync("/v2-tls/")).ShouldBeFrom("tls:a");
    }
}

/// <summary>A gateway with an id and a namespace of its own.</summary>
[Variable("AMBASSADOR_ID", "mine")]
[Variable("AMBASSADOR_NAMESPACE", "own")]
[Variable("AMBASSADOR_SINGLE_NAMESPACE", "true")]
[Variable("AMBASSADOR_JSON_LOGGING", "true")]
[Manifest("""
    Listener own/main: { ambassador_id: [mine], port: $(port), protocol: HTTP, securityModel: XFP, hostBinding: { namespace: { from: ALL } } }
    Host own/everywhere: { ambassador_id: [mine], hostname: "*", requestPolicy: { insecure: { action: Route } } }
    Mapping own/mine: { ambassador_id: [other, mine], hostname: "*", prefix: /mine/, service: $(a) }
    Mapping own/theirs: { ambassador_id: [other], hostname: "*", prefix: /theirs/, service: $(a) }
    Mapping own/nobodys: { hostname: "*", prefix: /nobodys/, service: $(a) }
    Mapping elsewhere/outside: { ambassador_id: [mine], hostname: "*", prefix: /outside/, service: $(a) }
    """)]
public class ScopeTests(GatewayOf<ScopeTests> group) : IClassFixture<GatewayOf<ScopeTests>>
{
    [SkippableTheory, DataPlanes, Feature("K8S-15", "K8S-16")]
    public async Task Resources_OfOtherIdsOrNamespaces_AreNotTaken(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("/mine/")).ShouldBeFrom("a");
        (await gateway.GetAsync("/theirs/")).ShouldNotBeRouted();
        (await gateway.GetAsync("/nobodys/")).ShouldNotBeRouted();
        (await gateway.GetAsync("/outside/")).ShouldNotBeRouted();
    }

    [SkippableFact, Feature("OBS-13")]
    public async Task OwnLog_WithTheVariable_IsJson()
    {
        var line = await (await group.On(DataPlane.Embedded)).Process.WaitForLineAsync("Ready");

        System.Text.Json.JsonDocument.Parse(line).RootElement.ValueKind.ShouldBe(System.Text.Json.JsonValueKind.Object);
    }
}

/// <summary>Changes of files while it runs.</summary>
public class ChangeTests
{
    [SkippableFact, Feature("K8S-21", "RES-02")]
    public async Task Changes_InQuickSuccession_AreTakenTogetherAndEndpointsAreFollowed()
    {
        await using var upstreams = new Upstreams();
        string With(int mappings, string pod) => Common.Everywhere + $$"""

            apiVersion: v1
            kind: Service
            metadata: { name: pods, namespace: default }
            spec: { ports: [{ port: 80 }] }
            ---
            apiVersion: v1
            kind: Endpoints
            metadata: { name: pods, namespace: default }
            subsets: [{ addresses: [{ ip: 127.0.0.1 }], ports: [{ port: $({{pod}}.port) }] }]
            Mapping pods: { hostname: "*", prefix: /pods/, service: pods, resolver: endpoint }

            """ + string.Join("\n", Enumerable.Range(0, mappings).Select(i => $"Mapping m{i}: {{ hostname: \"*\", prefix: /m{i}/, service: $(a) }}"));
        await using var gateway = await FeatureGateway.StartAsync(DataPlane.Embedded, With(0, "pod-1"), upstreams);
        (await gateway.GetAsync("/pods/")).ShouldBeFrom("pod-1");

        int Configurations() => gateway.Process.Errors.Concat(gateway.Process.Output).Count(line => line.Contains("Configuration ", StringComparison.Ordinal));
        // What takes longer was not quick: at most 50 ms of changes become one configuration, so a busy machine gets another try.
        for (var tries = 0; ; tries++)
        {
            var before = Configurations();
            var begun = System.Diagnostics.Stopwatch.GetTimestamp();
            for (var i = 1; i <= 100; i++) gateway.Write(With(i, $"pod-{1 + (2 * (tries % 2))}"));
            var took = System.Diagnostics.Stopwatch.GetElapsedTime(begun);
            await Refusal.UntilAsync(async () =>
                (await gateway.GetAsync("/m99/")).Upstream == "a" && (await gateway.GetAsync("/pods/")).Upstream == $"pod-{1 + (2 * (tries % 2))}");
            if (took > TimeSpan.FromSeconds(1) && tries < 20) continue;
            (Configurations() - before).ShouldBeLessThan(50);
            break;
        }


        gateway.Write(With(100, "pod-2"));
        await Refusal.UntilAsync(async () => (await gateway.GetAsync("/pods/")).Upstream == "pod-2");
    }
}
