namespace Nuncio.EndToEndTests.Features.Traffic;

[Collection(nameof(PlainGroup))]
public class RedirectTests(GatewayOf<PlainGroup> group)
{
    [SkippableTheory, DataPlanes, Feature("TRF-07")]
    [Manifest("""
        Mapping moved: { hostname: "*", prefix: /moved/, host_redirect: true, service: new.example.com }
        """)]
    public async Task HostRedirect_NamesTheServiceAndKeepsThePath(DataPlane plane)
    {
        var reply = await (await group.On(plane)).GetAsync("/moved/x?q=1");

        reply.ShouldBeAnswered(301);
        reply["location"].ShouldBe("http://new.example.com/moved/x?q=1");
    }

    [SkippableTheory, Feature("TRF-08")]
    [Manifest("""
        Mapping by-path: { hostname: "*", prefix: /by-path/, host_redirect: true, path_redirect: /there, service: new.example.com }
        Mapping by-prefix: { hostname: "*", prefix: /by-prefix/, host_redirect: true, prefix_redirect: /new/, service: new.example.com }
        Mapping by-regex: { hostname: "*", prefix: /by-regex/, host_redirect: true, service: new.example.com,
          regex_redirect: { pattern: "/by-regex/([a-z]+)/.*", substitution: "/only/\\1" } }
        Mapping by-two: { hostname: "*", prefix: /by-two/, host_redirect: true, path_redirect: /path, prefix_redirect: /prefix/, service: new.example.com }
        """)]
    [InlineDataForPlanes("/by-path/x?q=1", "/there?q=1")]
    [InlineDataForPlanes("/by-prefix/x?q=1", "/new/x?q=1")]
    [InlineDataForPlanes("/by-regex/abc/x?q=1", "/only/abc?q=1")]
    [InlineDataForPlanes("/by-two/x", "/path")]
    public async Task Redirect_OfPathPrefixOrRegex_IsInTheLocation(DataPlane plane, string target, string location)
    {
        var reply = await (await group.On(plane)).GetAsync(target);

        reply.ShouldBeAnswered(301);
        reply["location"].ShouldBe("http://new.example.com" + location);
        (await group.FindingsOnAsync("Mapping/by-two")).ShouldContain("mutually-exclusive");
    }

    [SkippableTheory, DataPlanes, Feature("TRF-09")]
    [Manifest("""
        Mapping code-308: { hostname: "*", prefix: /code-308/, host_redirect: true, redirect_response_code: 308, service: new.example.com }
        Mapping code-300: { hostname: "*", prefix: /code-300/, host_redirect: true, redirect_response_code: 300, service: new.example.com }
        """)]
    public async Task RedirectResponseCode_IsOneOfFive(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("/code-308/")).ShouldBeAnswered(308);
        (await gateway.GetAsync("/code-300/")).ShouldNotBeRouted();
        (await group.FindingsOnAsync("Mapping/code-300")).ShouldBe(["value-not-allowed"]);
    }
}
