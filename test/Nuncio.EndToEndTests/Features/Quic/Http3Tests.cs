using Nuncio.DataPlane.Transport.Quic;

namespace Nuncio.EndToEndTests.Features.Quic;

/// <summary>HTTP/3 beside TLS on one port: served and announced by Envoy, and by the embedded proxy on machines that have QUIC.</summary>
[Collection(nameof(QuicGroup))]
public class Http3Tests(GatewayOf<QuicGroup> group)
{
    [SkippableTheory, DataPlanes, Feature("HL-05")]
    public async Task Http3_WhereThereIsQuic_IsAnnouncedAndAnsweredOnUdp(DataPlane plane)
    {
        if (plane == DataPlane.Embedded) QuicClient.Require();
        var gateway = await group.On(plane);

        var reply = await gateway.GetTlsAsync("/all/", "quic.example.com");

        reply.ShouldBeFrom("a");
        reply["alt-svc"]!.ShouldContain("h3=\":443\"");
        (await QuicProbe.VersionsAsync(gateway.Port())).ShouldContain(1u);
    }

    /// <summary>On every machine, so that it need not be skipped on either kind.</summary>
    [Fact, Feature("HL-05")]
    public async Task Http3_OfTheEmbeddedProxy_IsAnnouncedWhereThereIsQuicAndAFindingElsewhere()
    {
        var gateway = await group.On(DataPlane.Embedded);

        var reply = await gateway.GetTlsAsync("/all/", "quic.example.com");

        reply.ShouldBeFrom("a");
        var ready = await gateway.Process.WaitForLineAsync("Ready: serving on");
        var findings = gateway.Process.Errors.Where(line => line.Contains("Listener/default/quic", StringComparison.Ordinal));
        if (QuicSupport.IsAvailable)
        {
            reply["alt-svc"]!.ShouldContain("h3=\":443\"");
            ready.ShouldContain("/udp");
            findings.ShouldBeEmpty();
        }
        else
        {
            reply["alt-svc"].ShouldBeNull();
            ready.ShouldNotContain("/udp");
            findings.ShouldHaveSingleItem().ShouldContain("http3-unavailable");
            gateway.Process.AllText.ShouldNotContain("refused-by-data-plane");
        }
    }
}
