namespace Nuncio.EndToEndTests.Features.Mappings;

[Collection(nameof(PlainGroup))]
public class PathTests(GatewayOf<PlainGroup> group)
{
    [SkippableTheory, DataPlanes, Feature("MAP-01", "MAP-02")]
    [Manifest("""
        Mapping plain: { hostname: "*", prefix: /plain/, service: $(a) }
        """)]
    public async Task Prefix_OfAPath_IsRoutedAndStripped(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("/plain/x?q=1")).ShouldSee("/x?q=1");
        (await gateway.GetAsync("/plain/")).ShouldSee("/");
        (await gateway.GetAsync("/plain")).ShouldNotBeRouted();
        (await gateway.GetAsync("/other")).ShouldNotBeRouted();
    }

    [SkippableTheory, DataPlanes, Feature("MAP-03")]
    [Manifest("""
        Mapping kept: { hostname: "*", prefix: /kept/, rewrite: "", service: $(a) }
        """)]
    public async Task Rewrite_Empty_LeavesThePathAlone(DataPlane plane) => (await (await group.On(plane)).GetAsync("/kept/x?q=1")).ShouldSee("/kept/x?q=1");

    [SkippableTheory, DataPlanes, Feature("MAP-04")]
    [Manifest("""
        Mapping rewritten: { hostname: "*", prefix: /rewritten/, rewrite: /v1/, service: $(a) }
        """)]
    public async Task Rewrite_Given_ReplacesThePrefix(DataPlane plane)
    {
        var reply = await (await group.On(plane)).GetAsync("/rewritten/x?q=1");

        reply.ShouldSee("/v1/x?q=1");
        reply.Seen("x-envoy-original-path").ShouldBe("/rewritten/x?q=1");
    }

    [SkippableTheory, DataPlanes, Feature("MAP-05")]
    [Manifest("""
        Mapping pattern: { hostname: "*", prefix: /pattern/, service: $(a), regex_rewrite: { pattern: "/pattern/([a-z]+)/(.*)", substitution: "/\\2/of/\\1" } }
        """)]
    public async Task RegexRewrite_WithGroups_RearrangesThePath(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("/pattern/users/7?q=1")).ShouldSee("/7/of/users?q=1");
        (await gateway.GetAsync("/pattern/7")).ShouldSee("/pattern/7");
    }

    [SkippableTheory, DataPlanes, Feature("MAP-06")]
    [Manifest("""
        Mapping exact: { hostname: "*", prefix: /exact, prefix_exact: true, service: $(a) }
        """)]
    public async Task PrefixExact_WithMoreBehind_IsNotRouted(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("/exact?q=1")).ShouldSee("/?q=1");
        (await gateway.GetAsync("/exact/x")).ShouldNotBeRouted();
        (await gateway.GetAsync("/exactly")).ShouldNotBeRouted();
    }

    [SkippableTheory, DataPlanes, Feature("MAP-07")]
    [Manifest("""
        Mapping regex: { hostname: "*", prefix: "/regex/[a-z]+/x", prefix_regex: true, rewrite: "", service: $(a) }
        """)]
    public async Task PrefixRegex_MatchesTheWholePath(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("/regex/abc/x?q=1")).ShouldSee("/regex/abc/x?q=1");
        (await gateway.GetAsync("/regex/abc/xy")).ShouldNotBeRouted();
        (await gateway.GetAsync("/before/regex/abc/x")).ShouldNotBeRouted();
        (await gateway.GetAsync("/regex/12/x")).ShouldNotBeRouted();
    }

    [SkippableTheory, DataPlanes, Feature("MAP-08")]
    [Manifest("""
        Mapping anycase: { hostname: "*", prefix: /anycase/, case_sensitive: false, service: $(a) }
        Mapping mycase: { hostname: "*", prefix: /mycase/, service: $(a) }
        """)]
    public async Task CaseSensitive_False_IgnoresCaseOfThePath(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("/AnyCase/X")).ShouldSee("/X");
        (await gateway.GetAsync("/MyCase/X")).ShouldNotBeRouted();
    }
}
