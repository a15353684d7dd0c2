namespace Nuncio.EndToEndTests.Features.NodePeers;

/// <summary>A gRPC client and server of another make on either side of the gateway; the conversations are in grpc-client.js.</summary>
[Manifest(Common.Everywhere)]
[Manifest("""
    Mapping talk: { hostname: "*", prefix: /test.Talk/, rewrite: "", grpc: true, timeout_ms: 25000, service: $(node:grpc-server) }
    Mapping hurried: { hostname: "*", prefix: /test.Hurried/, rewrite: /test.Talk/, grpc: true, timeout_ms: 300, service: $(node:grpc-server) }
    """)]
public class GrpcPeerTests(GatewayOf<GrpcPeerTests> group, NodeConversations conversations)
    : IClassFixture<GatewayOf<GrpcPeerTests>>, IClassFixture<NodeConversations>
{
    [SkippableTheory, DataPlanes, Feature("TRF-31")]
    public async Task UnaryCall_CarriesMessageAndMetadataBothWays(DataPlane plane)
    {
        (await OutcomeAsync(plane, "unary")).ShouldBe("""{"answer":"héllo","peer":"grpc-js","bytes":[0,255,10],"after":"said"}""");
        (await OutcomeAsync(plane, "empty")).ShouldBe("""{"answer":""}""");
    }

    [SkippableTheory, DataPlanes, Feature("TRF-31")]
    public async Task Stream_OfEitherSideOrBoth_ArrivesWhole(DataPlane plane)
    {
        (await OutcomeAsync(plane, "serverStream")).ShouldBe("""{"count":1000,"last":"number 1000","code":0}""");
        (await OutcomeAsync(plane, "clientStream")).ShouldBe("""{"answer":"1000 messages of 1000000"}""");
        (await OutcomeAsync(plane, "chat")).ShouldBe("""{"count":20,"last":"you said round 19","code":0}""");
    }

    [SkippableTheory, DataPlanes, Feature("TRF-31")]
    public async Task Failure_OfTheServer_ReachesTheClientWithMessageAndMetadata(DataPlane plane)
    {
        (await OutcomeAsync(plane, "failure")).ShouldBe("""{"code":9,"details":"nöt so: 100 %","reason":"too early"}""");
        (await OutcomeAsync(plane, "unknown")).ShouldBe("""{"code":12,"details":"The server does not implement the method /test.Talk/Nothing"}""");
        (await OutcomeAsync(plane, "brokenStream")).ShouldBe("""{"answers":["number 1"],"code":10,"details":"lost count"}""");
    }

    [SkippableTheory, DataPlanes, Feature("TRF-31")]
    public async Task Failure_OfTheGateway_IsAGrpcStatus(DataPlane plane)
    {
        (await OutcomeAsync(plane, "unrouted")).ShouldBe("""{"code":12,"details":""}""");
        (await OutcomeAsync(plane, "gatewayTimeout")).ShouldBe("""{"code":14,"details":"upstream request timeout","server":"cancelled"}""");
    }

    [SkippableTheory, DataPlanes, Feature("TRF-31")]
    public async Task Deadline_IsKnownToTheServer_AndEndsTheCallThere(DataPlane plane)
    {
        (await OutcomeAsync(plane, "secondsLeft")).ShouldBeOneOf(
            Enumerable.Range(1, 15).Select(seconds => $$$"""{"with":{"answer":"{{{seconds}}}"},"without":{"answer":"no deadline"}}""").ToArray());
        (await OutcomeAsync(plane, "deadline")).ShouldBe("""{"code":4,"server":"cancelled"}""");
    }

    [SkippableTheory, DataPlanes, Feature("TRF-31")]
    public async Task Cancellation_ByTheClient_ReachesTheServer(DataPlane plane)
    {
        (await OutcomeAsync(plane, "cancel")).ShouldBe("""{"code":1,"server":"cancelled"}""");
        (await OutcomeAsync(plane, "cancelStream")).ShouldBe("""{"answers":["first"],"code":1,"server":"cancelled"}""");
    }

    [SkippableTheory, DataPlanes, Feature("TRF-31")]
    public async Task Message_AboveALimitOfEitherPeer_IsResourceExhausted(DataPlane plane)
    {
        (await OutcomeAsync(plane, "big")).ShouldBe("""{"same":true}""");
        (await OutcomeAsync(plane, "limits")).ShouldBe("""{"answer":8,"request":8}""");
    }

    [SkippableTheory, DataPlanes, Feature("TRF-31")]
    public async Task Calls_SideBySideOnOneConnection_GetTheirOwnAnswers(DataPlane plane) =>
        (await OutcomeAsync(plane, "sideBySide")).ShouldBe("""{"own":200}""");

    private async Task<string> OutcomeAsync(DataPlane plane, string name)
    {
        NodePeer.Require();
        return await conversations.OutcomeAsync("grpc-client", await group.On(plane), name);
    }
}
