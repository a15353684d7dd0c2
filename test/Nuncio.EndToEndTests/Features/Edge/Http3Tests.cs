using Nuncio.DataPlane.Transport.Quic;

namespace Nuncio.EndToEndTests.Features.Edge;

/// <summary>HTTP/3 beside TLS on one port: served and announced by Envoy, and by the embedded proxy on machines that have QUIC.</summary>
[Manifest("""
    Listener tcp: { port: $(port), protocol: HTTPS, securityModel: XFP, hostBinding: { namespace: { from: ALL } } }
    Listener quic: { port: $(port), protocolStack: [TLS, HTTP, UDP], securityModel: XFP, hostBinding: { namespace: { from: ALL } } }
    Secret quic: $(pair:quic.example.com)
    Host quic: { hostname: quic.example.com, tlsSecret: { name: quic } }
    Mapping all: { hostname: "*", prefix: /all/, service: $(a) }
    """)]
public class Http3Tests(GatewayOf<Http3Tests> group) : IClassFixture<GatewayOf<Http3Tests>>
{
    [SkippableTheory, DataPlanes, Feature("HL-05")]
    public async Task Http3_WhereThereIsQuic_IsAnnouncedAndAnsweredOnUdp(DataPlane plane)
    {
        Skip.If(plane == DataPlane.Embedded && !QuicSupport.IsAvailable, "this machine has no libmsquic");
        var gateway = await group.On(plane);

        var reply = await gateway.GetTlsAsync("/all/", "quic.example.com");

        reply.ShouldBeFrom("a");
        reply["alt-svc"]!.ShouldContain("h3=\":443\"");
        (await QuicProbe.VersionsAsync(gateway.Port())).ShouldContain(1u);
    }

    [SkippableFact, Feature("HL-05")]
    public async Task Http3_WhereThereIsNoQuic_IsAFindingAndIsNotAnnounced()
    {
        Skip.If(QuicSupport.IsAvailable, "this machine has libmsquic");
        var gateway = await group.On(DataPlane.Embedded);

        var reply = await gateway.GetTlsAsync("/all/", "quic.example.com");

        reply.ShouldBeFrom("a");
        reply["alt-svc"].ShouldBeNull();
        (await gateway.Process.WaitForLineAsync("Ready: serving on")).ShouldNotContain("/udp");
        gateway.Process.Errors.Where(line => line.Contains("Listener/default/quic", StringComparison.Ordinal)).ShouldHaveSingleItem()
            .ShouldContain("http3-unavailable");
        gateway.Process.AllText.ShouldNotContain("refused-by-data-plane");
    }
}
