namespace Nuncio.EndToEndTests.Features.Mappings;

[Manifest(Common.Everywhere)]
[Manifest("""
    Module ambassador: { config: { regex_max_size: 20 } }
    Mapping large: { hostname: "*", prefix: "/(alpha|beta|gamma|delta|epsilon|zeta)/[a-z0-9]{1,20}", prefix_regex: true, service: $(a) }
    Mapping small: { hostname: "*", prefix: "/s[a-z]*", prefix_regex: true, service: $(a) }
    """)]
public class RegexSizeTests(GatewayOf<RegexSizeTests> group) : IClassFixture<GatewayOf<RegexSizeTests>>
{
    [SkippableTheory, DataPlanes, Feature("MAP-09")]
    public async Task Regex_AboveTheLimit_IsRefusedAlone(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("/small")).ShouldBeFrom("a");
        (await gateway.GetAsync("/alpha/x")).Upstream.ShouldBeNull();
        (await group.FindingsOnAsync("Mapping/large")).ShouldContain("invalid-regex");
        (await group.FindingsOnAsync("Mapping/small")).ShouldBeEmpty();
    }
}
