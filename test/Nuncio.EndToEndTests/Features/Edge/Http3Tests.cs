using System.Net;
using System.Net.Quic;
using System.Net.Sockets;

namespace Nuncio.EndToEndTests.Features.Edge;

/// <summary>HTTP/3 beside TLS on one port.</summary>
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
    public async Task Http3_IsServedOrRefusedAloneAndAnnounced(DataPlane plane)
    {
        var gateway = await group.On(plane);

        var reply = await gateway.GetTlsAsync("/all/", "quic.example.com");
        reply.ShouldBeFrom("a");
        reply["alt-svc"]!.ShouldContain("h3=\":443\"");

#pragma warning disable CA1416 // The tests run where QUIC may be.
        if (plane == DataPlane.Embedded && !QuicListener.IsSupported)
#pragma warning restore CA1416
        {
            await gateway.Process.WaitForLineAsync("Listener/default/quic");
            return;
        }

        using var udp = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        Should.Throw<SocketException>(() => udp.Bind(new IPEndPoint(IPAddress.Loopback, gateway.Port()))).SocketErrorCode.ShouldBe(
            SocketError.AddressAlreadyInUse);
    }
}
