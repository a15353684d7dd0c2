namespace Nuncio.EndToEndTests.Features.NodePeers;

/// <summary>The gateway as a gRPC client: of services on a server of another make (external-services.js).</summary>
[Manifest(Common.Everywhere)]
[Manifest("""
    AuthService auth: { auth_service: $(node:external-services), proto: grpc, protocol_version: v3, timeout_ms: 30000 }
    RateLimitService limits: { service: $(node:external-services), protocol_version: v3, timeout_ms: 30000 }
    Mapping guarded: { hostname: "*", prefix: /guarded/, service: $(a) }
    Mapping limited: { hostname: "*", prefix: /limited/, service: $(a), labels: { ambassador: [
      { first: [{ request_headers: { key: user, header_name: x-user-id } }] }] } }
    """)]
public class ServicePeerTests(GatewayOf<ServicePeerTests> group) : IClassFixture<GatewayOf<ServicePeerTests>>
{
    [SkippableTheory, DataPlanes, Feature("EXT-02")]
    public async Task AuthService_DecidesOverEveryRequest(DataPlane plane)
    {
        var gateway = await OnAsync(plane);

        var allowed = await gateway.GetAsync("/guarded/here");
        allowed.Seen("x-user").ShouldBe("GET /guarded/here");
        allowed.Seen("x-deadline").ShouldBe("some");
        var denied = await gateway.GetAsync("/guarded/", headers: "x-auth: deny");
        denied.ShouldBeAnswered(401);
        denied.Body.ShouldBe("not you");
        denied["x-denied-by"].ShouldBe("grpc-js");
    }

    [SkippableTheory, DataPlanes, Feature("EXT-02", "EXT-06")]
    public async Task AuthService_ThatFailsWithTrailersOnly_Denies(DataPlane plane)
    {
        var gateway = await OnAsync(plane);

        (await gateway.GetAsync("/guarded/", headers: "x-auth: error")).ShouldBeAnswered(403);
        (await gateway.GetAsync("/guarded/")).ShouldBeFrom("a");
    }

    [SkippableFact]
    public async Task AuthService_ThatAnswersMoreThanAnyoneNeeds_Denies()
    {
        // Over the 4 MiB of a gRPC message; Envoy reads on without a limit.
        var gateway = await OnAsync(DataPlane.Embedded);

        (await gateway.GetAsync("/guarded/", headers: "x-auth: huge")).ShouldBeAnswered(403);
        (await gateway.GetAsync("/guarded/")).ShouldBeFrom("a");
    }

    [SkippableTheory, DataPlanes, Feature("EXT-02")]
    public async Task AuthService_ThatSendsItsClientsAway_IsConnectedToAgain(DataPlane plane)
    {
        var gateway = await OnAsync(plane);

        for (var times = 0; times < 3; times++)
        {
            (await gateway.GetAsync("/guarded/", headers: "x-auth: drain")).Seen("x-user").ShouldBe("last");
            // A request that crosses the GOAWAY may be denied; those after it are not.
            await Refusal.UntilAsync(async () => (await gateway.GetAsync("/guarded/")).Status == 200);
        }
    }

    [SkippableTheory, DataPlanes, Feature("EXT-11")]
    public async Task RateLimitService_OverItsLimit_Refuses(DataPlane plane)
    {
        var gateway = await OnAsync(plane);

        (await gateway.GetAsync("/limited/", headers: "x-user-id: ann")).ShouldBeFrom("a");
        var over = await gateway.GetAsync("/limited/", headers: "x-user-id: over");
        over.ShouldBeAnswered(429);
        over["x-limited-by"].ShouldBe("grpc-js");
    }

    private Task<FeatureGateway> OnAsync(DataPlane plane)
    {
        NodePeer.Require();
        return group.On(plane);
    }
}
