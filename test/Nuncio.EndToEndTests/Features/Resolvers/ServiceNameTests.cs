namespace Nuncio.EndToEndTests.Features.Resolvers;

[Collection(nameof(PlainGroup))]
public class ServiceNameTests(GatewayOf<PlainGroup> group)
{
    [SkippableTheory, DataPlanes, Feature("TRF-36", "RES-01")]
    [Manifest("""
        Mapping own: { hostname: "*", prefix: /own/, service: quote }
        Mapping elsewhere/theirs: { hostname: "*", prefix: /theirs/, service: quote }
        Mapping elsewhere/qualified: { hostname: "*", prefix: /qualified/, service: quote.third }
        """)]
    public async Task Service_WithoutANamespace_IsThatOfTheMapping(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("/own/")).ShouldBeFrom("quote-default");
        (await gateway.GetAsync("/theirs/")).ShouldBeFrom("quote-elsewhere");
        (await gateway.GetAsync("/qualified/")).ShouldBeFrom("quote-third");
    }

    [SkippableTheory, DataPlanes, Feature("RES-01")]
    [Manifest("""
        Mapping by-name: { hostname: "*", prefix: /by-name/, service: "localhost:$(a.port)" }
        Mapping no-name: { hostname: "*", prefix: /no-name/, service: nothing.invalid }
        """)]
    public async Task Service_ByItsName_IsResolvedByDns(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("/by-name/")).ShouldBeFrom("a");
        (await gateway.GetAsync("/no-name/")).ShouldBeAnswered(503);
    }
}
