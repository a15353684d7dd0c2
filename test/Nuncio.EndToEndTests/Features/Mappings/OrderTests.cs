namespace Nuncio.EndToEndTests.Features.Mappings;

[Collection(nameof(PlainGroup))]
public class OrderTests(GatewayOf<PlainGroup> group)
{
    [SkippableTheory, DataPlanes, Feature("MAP-19")]
    [Manifest("""
        Mapping short: { hostname: "*", prefix: /first/, precedence: 10, service: $(short) }
        Mapping long: { hostname: "*", prefix: /first/longer/, service: $(long) }
        """)]
    public async Task Precedence_OfAShorterPrefix_BeatsLength(DataPlane plane) =>
        (await (await group.On(plane)).GetAsync("/first/longer/")).ShouldBeFrom("short");

    [SkippableTheory, DataPlanes, Feature("MAP-20")]
    [Manifest("""
        Mapping o1: { hostname: "*", prefix: /order/, service: $(prefix) }
        Mapping o2: { hostname: "*", prefix: /order/deep/, service: $(longer) }
        Mapping o3: { hostname: "*", prefix: /order/, headers: { x-a: "1" }, service: $(header) }
        Mapping o4: { hostname: "*", prefix: /order/, headers: { x-a: "1", x-b: "1" }, service: $(headers) }
        Mapping o5: { hostname: "*", prefix: /order/, query_parameters: { q: "1" }, service: $(query) }
        """)]
    public async Task Mappings_ThatOverlap_AreTriedByPrefixThenHeadersThenQuery(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("/order/deep/?q=1", headers: ["x-a: 1", "x-b: 1"])).ShouldBeFrom("longer");
        (await gateway.GetAsync("/order/?q=1", headers: ["x-a: 1", "x-b: 1"])).ShouldBeFrom("headers");
        (await gateway.GetAsync("/order/?q=1", headers: "x-a: 1")).ShouldBeFrom("header");
        (await gateway.GetAsync("/order/?q=1")).ShouldBeFrom("query");
        (await gateway.GetAsync("/order/")).ShouldBeFrom("prefix");
    }

    [SkippableTheory, DataPlanes, Feature("MAP-21")]
    [Manifest("""
        Mapping group-a: { hostname: "*", prefix: /group/, circuit_breakers: [{ max_requests: 10 }], service: $(a) }
        Mapping group-b: { hostname: "*", prefix: /group/, circuit_breakers: [{ max_requests: 20 }], service: $(b) }
        """)]
    public async Task Group_WhoseMembersDisagree_KeepsTheFirst(DataPlane plane)
    {
        var gateway = await group.On(plane);

        for (var i = 0; i < 10; i++) (await gateway.GetAsync("/group/")).ShouldBeFrom("a");
        (await group.FindingsAsync()).ShouldContain(finding =>
            finding.Code == "group-mismatch" && finding.Resource == "Mapping/group-b" && finding.Field.Contains("circuit_breakers", StringComparison.Ordinal));
    }

    [SkippableTheory, DataPlanes, Feature("MAP-24")]
    [Manifest("""
        Mapping invalid: { hostname: "*", prefix: /invalid/, timeout_ms: soon, service: $(a) }
        Mapping valid: { hostname: "*", prefix: /valid/, service: $(a) }
        """)]
    public async Task Mapping_ThatIsInvalid_LeavesTheOthersAlone(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("/valid/")).ShouldBeFrom("a");
        (await gateway.GetAsync("/invalid/")).ShouldNotBeRouted();
        (await group.FindingsOnAsync("Mapping/invalid")).ShouldBe(["wrong-type"]);
    }
}
