namespace Nuncio.EndToEndTests.Features.Mappings;

[Collection(nameof(PlainGroup))]
public class HostnameTests(GatewayOf<PlainGroup> group)
{
    [SkippableTheory, DataPlanes, Feature("MAP-10")]
    [Manifest("""
        Mapping named: { hostname: a.com, prefix: /hosts/, service: $(named) }
        Mapping suffix: { hostname: "*.b.com", prefix: /hosts/, service: $(suffix) }
        Mapping start: { hostname: "foo.*", prefix: /hosts/, service: $(start) }
        """)]
    public async Task Hostname_ExactOrGlob_AnswersOnlyMatchingHosts(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("/hosts/", "a.com")).ShouldBeFrom("named");
        (await gateway.GetAsync("/hosts/", "x.b.com")).ShouldBeFrom("suffix");
        (await gateway.GetAsync("/hosts/", "x.y.b.com")).ShouldBeFrom("suffix");
        (await gateway.GetAsync("/hosts/", "foo.example")).ShouldBeFrom("start");
        (await gateway.GetAsync("/hosts/", "b.com")).ShouldNotBeRouted();
        (await gateway.GetAsync("/hosts/", "c.com")).ShouldNotBeRouted();
    }

    [SkippableTheory, DataPlanes, Feature("MAP-11")]
    [Manifest("""
        Mapping old-exact: { host: old.com, prefix: /old/, service: $(exact) }
        Mapping old-regex: { host: "v[0-9]+[.]old[.]com", host_regex: true, prefix: /old/, service: $(regex) }
        Mapping old-glob: { host: "*.old.org", prefix: /old/, service: $(glob) }
        """)]
    public async Task Host_ExactOrRegex_RoutesAndAGlobIsReported(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("/old/", "old.com")).ShouldBeFrom("exact");
        (await gateway.GetAsync("/old/", "v12.old.com")).ShouldBeFrom("regex");
        (await gateway.GetAsync("/old/", "v.old.com")).ShouldNotBeRouted();
        (await gateway.GetAsync("/old/", "a.old.org")).ShouldNotBeRouted();
        (await group.FindingsAsync()).ShouldContain(finding => finding.Resource == "Mapping/old-glob" && finding.Level == "error");
    }

    [SkippableTheory, DataPlanes, Feature("MAP-12")]
    [Manifest("""
        Mapping both: { hostname: hostname.com, host: host.com, prefix: /both/, service: $(a) }
        """)]
    public async Task Hostname_BesideHost_Wins(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("/both/", "hostname.com")).ShouldBeFrom("a");
        (await gateway.GetAsync("/both/", "host.com")).ShouldNotBeRouted();
        (await group.FindingsOnAsync("Mapping/both")).ShouldNotBeEmpty();
    }

    [SkippableTheory, DataPlanes, Feature("MAP-16")]
    [Manifest("""
        Mapping authority: { headers: { ":authority": authority.com }, prefix: /authority/, service: $(a) }
        """)]
    public async Task AuthorityHeader_Exact_IsTheHost(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("/authority/", "authority.com")).ShouldBeFrom("a");
        (await gateway.GetAsync("/authority/", "other.com")).ShouldNotBeRouted();
    }

    [SkippableTheory, DataPlanes, Feature("MAP-22", "HL-16")]
    [Manifest("""
        Host selecting: { hostname: selecting.com, mappingSelector: { matchLabels: { team: blue, tier: web } }, requestPolicy: { insecure: { action: Route } } }
        Mapping default/labelled { team: blue, tier: web }: { prefix: /labelled/, service: $(a) }
        Mapping default/half { team: blue }: { prefix: /half/, service: $(a) }
        Mapping unlabelled: { prefix: /unlabelled/, service: $(a) }
        Mapping default/elsewhere { team: blue, tier: web }: { hostname: elsewhere.com, prefix: /elsewhere/, service: $(a) }
        Mapping default/here { team: blue, tier: web }: { hostname: selecting.com, prefix: /here/, service: $(a) }
        Mapping named-only: { hostname: selecting.com, prefix: /named-only/, service: $(a) }
        """)]
    public async Task Mapping_WithoutHostname_NeedsAHostThatSelectsIt(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("/labelled/", "selecting.com")).ShouldBeFrom("a");
        (await gateway.GetAsync("/here/", "selecting.com")).ShouldBeFrom("a");
        (await gateway.GetAsync("/half/", "selecting.com")).ShouldNotBeRouted();
        (await gateway.GetAsync("/named-only/", "selecting.com")).ShouldNotBeRouted();
        (await gateway.GetAsync("/unlabelled/", "selecting.com")).ShouldNotBeRouted();
        (await gateway.GetAsync("/elsewhere/", "selecting.com")).ShouldNotBeRouted();
        (await gateway.GetAsync("/labelled/", "example.com")).ShouldNotBeRouted();
        (await group.FindingsOnAsync("Mapping/unlabelled")).ShouldContain("mapping-without-host");
    }
}
