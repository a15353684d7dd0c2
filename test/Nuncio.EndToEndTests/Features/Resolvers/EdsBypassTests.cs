namespace Nuncio.EndToEndTests.Features.Resolvers;

/// <summary>Endpoints as part of the configuration, without a service that tells of them.</summary>
[Variable("AMBASSADOR_EDS_BYPASS", "true")]
[Manifest(Common.Everywhere)]
[Manifest("""
    apiVersion: v1
    kind: Service
    metadata: { name: pods, namespace: default }
    spec: { ports: [{ port: 80, targetPort: web }] }
    ---
    apiVersion: v1
    kind: Endpoints
    metadata: { name: pods, namespace: default }
    subsets:
    - { addresses: [{ ip: 127.0.0.1 }], ports: [{ name: web, port: $(pod.port) }] }
    Mapping pods: { hostname: "*", prefix: /pods/, service: pods, resolver: endpoint }
    """)]
public class EdsBypassTests(GatewayOf<EdsBypassTests> group) : IClassFixture<GatewayOf<EdsBypassTests>>
{
    [SkippableTheory, DataPlanes, Feature("RES-11")]
    public async Task Endpoints_AreReachedWhereverTheyAreWritten(DataPlane plane) =>
        (await (await group.On(plane)).GetAsync("/pods/")).ShouldBeFrom("pod");
}
