namespace Nuncio.EndToEndTests.Features.Mappings;

[Collection(nameof(PlainGroup))]
public class ConditionTests(GatewayOf<PlainGroup> group)
{
    [SkippableTheory, DataPlanes, Feature("MAP-13")]
    [Manifest("""
        Mapping posts: { hostname: "*", prefix: /method/, method: POST, service: $(posts) }
        Mapping gets: { hostname: "*", prefix: /method/, method: GET, service: $(gets) }
        Mapping some: { hostname: "*", prefix: /methods/, method: "PUT|PATCH", method_regex: true, service: $(some) }
        """)]
    public async Task Method_ExactOrRegex_ChoosesTheService(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.SendAsync("POST", "/method/")).ShouldBeFrom("posts");
        (await gateway.SendAsync("GET", "/method/")).ShouldBeFrom("gets");
        (await gateway.SendAsync("DELETE", "/method/")).ShouldNotBeRouted();
        (await gateway.SendAsync("PATCH", "/methods/")).ShouldBeFrom("some");
        (await gateway.SendAsync("GET", "/methods/")).ShouldNotBeRouted();
    }

    [SkippableTheory, DataPlanes, Feature("MAP-14")]
    [Manifest("""
        Mapping v2: { hostname: "*", prefix: /header/, headers: { X-V: "2" }, service: $(v2) }
        Mapping v1: { hostname: "*", prefix: /header/, service: $(v1) }
        """)]
    public async Task Headers_Exact_ChooseTheService(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("/header/", headers: "x-v: 2")).ShouldBeFrom("v2");
        (await gateway.GetAsync("/header/", headers: "X-V: 22")).ShouldBeFrom("v1");
        (await gateway.GetAsync("/header/")).ShouldBeFrom("v1");
    }

    [SkippableTheory, DataPlanes, Feature("MAP-15")]
    [Manifest("""
        Mapping mobile: { hostname: "*", prefix: /agent/, regex_headers: { user-agent: ".*(iPhone|Android).*" }, service: $(mobile) }
        Mapping desktop: { hostname: "*", prefix: /agent/, service: $(desktop) }
        """)]
    public async Task RegexHeaders_MatchTheWholeValue(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("/agent/", headers: "user-agent: Mozilla (iPhone; 17)")).ShouldBeFrom("mobile");
        (await gateway.GetAsync("/agent/", headers: "user-agent: curl")).ShouldBeFrom("desktop");
    }

    [SkippableTheory, DataPlanes, Feature("MAP-17")]
    [Manifest("""
        Mapping mode: { hostname: "*", prefix: /query/, query_parameters: { mode: a }, service: $(mode) }
        Mapping fallback: { hostname: "*", prefix: /query/, service: $(fallback) }
        """)]
    public async Task QueryParameters_Exact_ChooseTheService(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("/query/?x=1&mode=a")).ShouldBeFrom("mode");
        (await gateway.GetAsync("/query/?mode=b")).ShouldBeFrom("fallback");
        (await gateway.GetAsync("/query/")).ShouldBeFrom("fallback");
    }

    [SkippableTheory, DataPlanes, Feature("MAP-18")]
    [Manifest("""
        Mapping present: { hostname: "*", prefix: /presence/, regex_query_parameters: { debug: ".*" }, service: $(present) }
        Mapping digits: { hostname: "*", prefix: /digits/, regex_query_parameters: { id: "[0-9]+" }, service: $(digits) }
        """)]
    public async Task RegexQueryParameters_TestPresenceAndWholeValues(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("/presence/?debug")).ShouldBeFrom("present");
        (await gateway.GetAsync("/presence/?debug=yes")).ShouldBeFrom("present");
        (await gateway.GetAsync("/presence/?other=1")).ShouldNotBeRouted();
        (await gateway.GetAsync("/digits/?id=12")).ShouldBeFrom("digits");
        (await gateway.GetAsync("/digits/?id=12a")).ShouldNotBeRouted();
    }
}
