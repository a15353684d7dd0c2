namespace Nuncio.EndToEndTests.Features.NodePeers;

/// <summary>A WebSocket client and server of another make on either side of the gateway; the conversations are in ws-client.js.</summary>
[Manifest(Common.Everywhere)]
[Manifest("""
    Mapping socket: { hostname: "*", prefix: /socket/, allow_upgrade: [websocket], timeout_ms: 25000, service: $(node:ws-server) }
    Mapping no-socket: { hostname: "*", prefix: /no-socket/, service: $(node:ws-server) }
    """)]
public class WebSocketPeerTests(GatewayOf<WebSocketPeerTests> group, NodeConversations conversations)
    : IClassFixture<GatewayOf<WebSocketPeerTests>>, IClassFixture<NodeConversations>
{
    [SkippableTheory]
    [InlineDataForPlanes("plain", "", "")]
    [InlineDataForPlanes("compressed", "permessage-deflate", "")]
    [InlineDataForPlanes("protocol", "", "talk.v2")]
    [Feature("TRF-30")]
    public async Task Messages_OfTextAndBytes_ComeBackAsTheyWere(DataPlane plane, string conversation, string extensions, string protocol) =>
        (await OutcomeAsync(plane, conversation)).ShouldBe(
            $$"""{"text":"héllo ☃","isText":true,"bytes":[0,1,254,255],"isBinary":true,"extensions":"{{extensions}}","protocol":"{{protocol}}"}""");

    [SkippableTheory, DataPlanes, Feature("TRF-30")]
    public async Task Message_OfAMebibyteOrInFragments_ArrivesWhole(DataPlane plane)
    {
        (await OutcomeAsync(plane, "big")).ShouldBe("""{"same":true}""");
        (await OutcomeAsync(plane, "fragments")).ShouldBe("\"one two three\"");
    }

    [SkippableTheory, DataPlanes, Feature("TRF-30")]
    public async Task Ping_OfEitherPeer_IsAnsweredByTheOther(DataPlane plane)
    {
        (await OutcomeAsync(plane, "clientPing")).ShouldBe("\"1 2 3\"");
        (await OutcomeAsync(plane, "serverPing")).ShouldBe("""{"ping":"are you there","answer":"pong: are you there"}""");
    }

    [SkippableTheory, DataPlanes, Feature("TRF-30")]
    public async Task Close_OfEitherPeer_ReachesTheOtherWithItsCode(DataPlane plane)
    {
        (await OutcomeAsync(plane, "clientCloses")).ShouldBe("""{"client":"4001 done here","server":"4001 done here"}""");
        (await OutcomeAsync(plane, "serverCloses")).ShouldBe("""{"client":"4002 as you wish","server":"4002 as you wish"}""");
        (await OutcomeAsync(plane, "serverDrops")).ShouldBe("\"1006 \"");
        (await OutcomeAsync(plane, "clientDrops")).ShouldBe("\"1006 \"");
    }

    [SkippableTheory, DataPlanes, Feature("TRF-30")]
    public async Task Upgrade_WhereNotAllowed_IsRefused(DataPlane plane) => (await OutcomeAsync(plane, "refused")).ShouldBe("403");

    [SkippableTheory, DataPlanes, Feature("TRF-30")]
    public async Task Sockets_SideBySide_GetTheirOwnMessages(DataPlane plane) => (await OutcomeAsync(plane, "sideBySide")).ShouldBe("50");

    private async Task<string> OutcomeAsync(DataPlane plane, string name)
    {
        NodePeer.Require();
        return await conversations.OutcomeAsync("ws-client", await group.On(plane), name);
    }
}
