namespace Nuncio.EndToEndTests.Features.Edge;

[Collection(nameof(EdgeGroup))]
public class HostTests(GatewayOf<EdgeGroup> group)
{
    [SkippableTheory, DataPlanes, Feature("HL-09", "HL-10", "HL-11")]
    public async Task InsecureAction_OfAHost_RedirectsRoutesOrRejects(DataPlane plane)
    {
        var gateway = await group.On(plane);

        var redirected = await gateway.GetAsync("/all/x?q=1", "redirecting.example.com");
        redirected.ShouldBeAnswered(301);
        redirected["location"].ShouldBe("https://redirecting.example.com/all/x?q=1");
        (await gateway.GetAsync("/all/", "routing.example.com")).ShouldBeFrom("a");
        (await gateway.GetAsync("/all/", "rejecting.example.com")).ShouldBeAnswered(400);
        (await gateway.GetAsync("/all/", "secure.example.com")).ShouldBeAnswered(301);
        (await gateway.GetTlsAsync("/all/", "secure.example.com")).ShouldBeFrom("a");
    }

    [SkippableTheory, DataPlanes, Feature("HL-13", "K8S-25")]
    public async Task AcmeChallenge_IsRoutedInTheClear(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("/.well-known/acme-challenge/token", "redirecting.example.com")).ShouldSee("/.well-known/acme-challenge/token");
        (await gateway.GetAsync("/.well-known/acme-challenge/token", "secure.example.com")).ShouldBeFrom("acme");
        (await gateway.GetAsync("/.well-known/other", "redirecting.example.com")).Upstream.ShouldBeNull();
    }

    [SkippableTheory, DataPlanes, Feature("HL-18", "HL-19")]
    [Manifest("""
        Listener isolated: { port: $(port:isolated), protocol: HTTP, securityModel: XFP, hostBinding: { selector: { matchLabels: { on: isolated } } } }
        Host default/any {on: isolated}: { hostname: "*", mappingSelector: { matchLabels: { for: any } }, requestPolicy: { insecure: { action: Route } } }
        Host default/glob {on: isolated}: { hostname: "*.glob.com", mappingSelector: { matchLabels: { for: glob } }, requestPolicy: { insecure: { action: Route } } }
        Host default/exact {on: isolated}: { hostname: a.glob.com, mappingSelector: { matchLabels: { for: exact } }, requestPolicy: { insecure: { action: Route } } }
        Mapping default/any {for: any}: { prefix: /any/, service: $(any) }
        Mapping default/glob {for: glob}: { prefix: /glob/, service: $(glob) }
        Mapping default/exact {for: exact}: { prefix: /exact/, service: $(exact) }
        """)]
    public async Task VirtualHost_OnceChosen_IsTheOnlyOne(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await Ask("/any/", "else.com")).ShouldBeFrom("any");
        (await Ask("/glob/", "b.glob.com")).ShouldBeFrom("glob");
        (await Ask("/glob/", "b.c.glob.com")).ShouldBeFrom("glob");
        (await Ask("/exact/", "a.glob.com")).ShouldBeFrom("exact");
        (await Ask("/any/", "b.glob.com")).ShouldNotBeRouted();
        (await Ask("/any/", "a.glob.com")).ShouldNotBeRouted();
        (await Ask("/glob/", "a.glob.com")).ShouldNotBeRouted();
        (await Ask("/glob/", "glob.com")).ShouldNotBeRouted();
        (await Ask("/any/", "glob.com")).ShouldBeFrom("any");

        Task<Reply> Ask(string target, string host) => gateway.SendAsync("GET", target, host, port: "isolated");
    }

    [SkippableTheory, DataPlanes, Feature("HL-20")]
    [Manifest("""
        Listener ported: { port: $(port:ported), protocol: HTTP, securityModel: XFP, hostBinding: { selector: { matchLabels: { on: ported } } } }
        Host default/ported {on: ported}: { hostname: "ported.com:8500", requestPolicy: { insecure: { action: Route } } }
        Mapping ported: { hostname: "ported.com:8500", prefix: /ported/, service: $(a) }
        """)]
    public async Task Host_WithAPort_IsForThatPort(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.SendAsync("GET", "/ported/", "ported.com:8500", port: "ported")).ShouldBeFrom("a");
        (await gateway.SendAsync("GET", "/ported/", "ported.com", port: "ported")).ShouldNotBeRouted();
    }
}

/// <summary>Without any Host.</summary>
[Manifest(Common.Listener)]
[Manifest("""
    Secret fallback-self-signed-cert: $(pair:fallback.example.com)
    Mapping all: { hostname: "*", prefix: /all/, service: $(a) }
    """)]
public class DefaultHostTests(GatewayOf<DefaultHostTests> group) : IClassFixture<GatewayOf<DefaultHostTests>>
{
    [SkippableTheory, DataPlanes, Feature("HL-21")]
    public async Task Tls_WithoutAHost_UsesTheFallbackCertificate(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetTlsAsync("/all/", "any.example.com")).ShouldBeFrom("a");
        await using var client = await gateway.ConnectTlsAsync("any.example.com");
        client.Tls.RemoteCertificate!.GetCertHashString().ShouldBe(group.Upstreams.Certificates["fallback.example.com"].GetCertHashString());
        (await gateway.GetAsync("/all/", "any.example.com")).ShouldBeAnswered(301);
    }
}

/// <summary>Without a Host and without the fallback certificate, and with loose selectors.</summary>
[Variable("DISABLE_STRICT_LABEL_SELECTORS", "true")]
[Manifest(Common.Listener)]
public class LooseSelectorTests(GatewayOf<LooseSelectorTests> group) : IClassFixture<GatewayOf<LooseSelectorTests>>
{
    [SkippableTheory, DataPlanes, Feature("HL-17")]
    [Manifest("""
        Host loose: { hostname: loose.com, mappingSelector: { matchLabels: { team: blue, tier: web } }, requestPolicy: { insecure: { action: Route } } }
        Mapping default/half {team: blue}: { prefix: /half/, service: $(a) }
        Mapping default/wrong {team: red}: { prefix: /wrong/, service: $(a) }
        """)]
    public async Task Selector_WhenLoose_WantsOneLabel(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("/half/", "loose.com")).ShouldBeFrom("a");
        (await gateway.GetAsync("/wrong/", "loose.com")).ShouldNotBeRouted();
    }
}

/// <summary>The quickest start: a Mapping alone, beside a Listener.</summary>
[Manifest(Common.Listener)]
[Manifest("""
    Mapping all: { hostname: "*", prefix: /all/, service: $(a) }
    """)]
public class NoHostTests(GatewayOf<NoHostTests> group) : IClassFixture<GatewayOf<NoHostTests>>
{
    [SkippableTheory, DataPlanes, Feature("HL-21")]
    public async Task Requests_WithoutAHost_AreRoutedInTheClear(DataPlane plane) =>
        (await (await group.On(plane)).GetAsync("/all/", "any.example.com")).ShouldBeFrom("a");
}
