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

    [SkippableTheory, DataPlanes, Feature("TLS-17")]
    [Manifest("""
        Secret legacy: $(pair:legacy.example.com)
        Module tls: { config: { server: { secret: legacy, alpn_protocols: "h2,http/1.1" }, legacy-upstream: { secret: gateway } } }
        Host default/legacy {on: main}: { hostname: legacy.example.com, tlsSecret: { name: legacy }, tlsContext: { name: server } }
        Mapping legacy-upstream: { hostname: routing.example.com, prefix: /legacy-upstream/, tls: legacy-upstream, service: "https://$(mtls:a)" }
        """)]
    public async Task TlsModule_GivesContextsToTerminateAndToOriginate(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("/legacy-upstream/", "routing.example.com")).Seen("x-seen-client").ShouldBe("CN=gateway.example.com");
        await using var client = await gateway.ConnectTlsAsync(
            "legacy.example.com", tls => tls.ApplicationProtocols = [System.Net.Security.SslApplicationProtocol.Http2]);
        client.Tls.RemoteCertificate!.Subject.ShouldBe("CN=legacy.example.com");
        client.Tls.NegotiatedApplicationProtocol.ShouldBe(System.Net.Security.SslApplicationProtocol.Http2);
    }
}
