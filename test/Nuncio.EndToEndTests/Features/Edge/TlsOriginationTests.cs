namespace Nuncio.EndToEndTests.Features.Edge;

[Collection(nameof(EdgeGroup))]
public class TlsOriginationTests(GatewayOf<EdgeGroup> group)
{
    [SkippableTheory, DataPlanes, Feature("TLS-11")]
    [Manifest("""
        Mapping originated: { hostname: routing.example.com, prefix: /originated/, service: "https://$(tls:a)" }
        Mapping in-the-clear: { hostname: routing.example.com, prefix: /in-the-clear/, service: "$(tls:a)" }
        """)]
    public async Task Https_InAService_IsSpokenToTheUpstream(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("/originated/", "routing.example.com")).ShouldBeFrom("tls:a");
        (await gateway.GetAsync("/in-the-clear/", "routing.example.com")).Upstream.ShouldBeNull();
    }

    [SkippableTheory, DataPlanes, Feature("TLS-12", "TLS-13")]
    [Manifest("""
        Secret gateway: $(pair:gateway.example.com@gateways)
        TLSContext upstream: { secret: gateway, sni: inner.example.com }
        Mapping mutual-upstream: { hostname: routing.example.com, prefix: /mutual-upstream/, tls: upstream, service: "https://$(mtls:a)" }
        Mapping no-certificate: { hostname: routing.example.com, prefix: /no-certificate/, service: "https://$(mtls:a)" }
        """)]
    public async Task TlsContext_OfAMapping_GivesClientCertificateAndServerName(DataPlane plane)
    {
        var gateway = await group.On(plane);

        var reply = await gateway.GetAsync("/mutual-upstream/", "routing.example.com");
        reply.ShouldBeFrom("mtls:a");
        reply.Seen("x-seen-client").ShouldBe("CN=gateway.example.com");
        reply.Seen("x-seen-server-name").ShouldBe("inner.example.com");
        (await gateway.GetAsync("/no-certificate/", "routing.example.com")).Upstream.ShouldBeNull();
    }

    [SkippableTheory, DataPlanes, Feature("TLS-12")]
    [Manifest("""
        Secret strangers-ca: $(ca:strangers)
        TLSContext trusting-others: { secret: gateway, ca_secret: strangers-ca }
        Mapping distrusted: { hostname: routing.example.com, prefix: /distrusted/, tls: trusting-others, service: "https://$(tls:a)" }
        """)]
    public async Task TlsContext_WithAnAuthority_DistrustsOtherUpstreams(DataPlane plane) =>
        (await (await group.On(plane)).GetAsync("/distrusted/", "routing.example.com")).ShouldBeAnswered(503);
}
