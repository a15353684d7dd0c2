using System.Net.Sockets;

namespace Nuncio.EndToEndTests.Features.Edge;

[Collection(nameof(EdgeGroup))]
public class TcpTests(GatewayOf<EdgeGroup> group)
{
    [SkippableTheory, DataPlanes, Feature("TCP-01", "TCP-05")]
    [Manifest("""
        TCPMapping alone: { port: $(port:alone), service: $(tcp:alone) }
        """)]
    public async Task TcpMapping_WithoutAListener_OpensItsPortAndCarriesBytes(DataPlane plane)
    {
        await using var client = await (await group.On(plane)).ConnectAsync("alone");

        (await client.Wire.ReadLineAsync()).ShouldBe("tcp:alone");
        await client.Wire.WriteAsync("ping\r\n");
        (await client.Wire.ReadLineAsync()).ShouldBe("ping");
    }

    [SkippableTheory, DataPlanes, Feature("TCP-02")]
    [Manifest("""
        TCPMapping sni-1: { port: $(port:sni), host: secure.example.com, service: $(tcp:one) }
        TCPMapping sni-2: { port: $(port:sni), host: second.example.com, service: $(tcp:two) }
        """)]
    public async Task TcpMappings_OfTwoServerNames_ReachTwoServices(DataPlane plane)
    {
        var gateway = await group.On(plane);

        await using var one = await gateway.ConnectTlsAsync("secure.example.com", port: "sni");
        (await one.Wire.ReadLineAsync()).ShouldBe("tcp:one");
        await using var two = await gateway.ConnectTlsAsync("second.example.com", port: "sni");
        (await two.Wire.ReadLineAsync()).ShouldBe("tcp:two");
    }

    [SkippableTheory, DataPlanes, Feature("TCP-03")]
    [Manifest("""
        TLSContext tcp-upstream: { secret: gateway, sni: tcp.example.com }
        TCPMapping originated: { port: $(port:originated), tls: tcp-upstream, service: $(tlstcp:a) }
        """)]
    public async Task Tls_OfATcpMapping_IsSpokenToTheUpstream(DataPlane plane)
    {
        await using var client = await (await group.On(plane)).ConnectAsync("originated");

        (await client.Wire.ReadLineAsync()).ShouldBe("tlstcp:a tcp.example.com");
    }

    [SkippableTheory, DataPlanes, Feature("TCP-04")]
    [Manifest("""
        TCPMapping weighted-20: { port: $(port:weighted), weight: 20, service: $(tcp:twenty) }
        TCPMapping weighted-80: { port: $(port:weighted), weight: 80, service: $(tcp:eighty) }
        """)]
    public async Task Weights_OfTcpMappings_AreAsWritten(DataPlane plane)
    {
        var gateway = await group.On(plane);
        var twenty = 0;
        for (var i = 0; i < 300; i++)
        {
            await using var client = await gateway.ConnectAsync("weighted");
            if (await client.Wire.ReadLineAsync() == "tcp:twenty") twenty++;
        }

        // 60 of 300, within more than five standard deviations of 7 on either side.
        twenty.ShouldBeInRange(23, 101);
    }

    [SkippableTheory, DataPlanes, Feature("TCP-06")]
    [Manifest("""
        Listener shared: { port: $(port:shared), protocol: HTTPS, securityModel: XFP, hostBinding: { selector: { matchLabels: { on: main } } } }
        TCPMapping shared: { port: $(port:shared), host: second.example.com, service: $(tcp:shared) }
        """)]
    public async Task TcpMapping_WithTheServerNameOfAHost_Wins(DataPlane plane)
    {
        var gateway = await group.On(plane);

        await using var tcp = await gateway.ConnectTlsAsync("second.example.com", port: "shared");
        (await tcp.Wire.ReadLineAsync()).ShouldBe("tcp:shared");
        await using var http = await gateway.ConnectTlsAsync("secure.example.com", port: "shared");
        (await http.GetAsync("/all/", "secure.example.com")).ShouldBeFrom("a");
        (await group.FindingsAsync()).ShouldContain(finding => finding.Code == "listener-chain-conflict");
    }

    [SkippableTheory, DataPlanes, Feature("TCP-07")]
    [Manifest("""
        TCPMapping addressed: { port: $(port:addressed), address: 127.0.0.2, service: $(tcp:addressed) }
        """)]
    public async Task TcpMapping_WithAnAddress_ListensThereOnly(DataPlane plane)
    {
        var gateway = await group.On(plane);
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.2", gateway.Port("addressed"));

        (await new Testing.Backends.HttpWire(client.GetStream()).ReadLineAsync()).ShouldBe("tcp:addressed");
        await Should.ThrowAsync<SocketException>(() => gateway.ConnectAsync("addressed"));
    }
}

/// <summary>Where no Host has the name.</summary>
[Collection(nameof(PlainGroup))]
public class TcpContextTests(GatewayOf<PlainGroup> group)
{
    [SkippableTheory, DataPlanes, Feature("TCP-02")]
    [Manifest("""
        Secret tcp-context: $(pair:tcp-context.example.com)
        TLSContext tcp-context: { hosts: [tcp-context.example.com], secret: tcp-context }
        TCPMapping tcp-context: { port: $(port:tcp-context), host: tcp-context.example.com, service: $(tcp:context) }
        """)]
    public async Task TcpMapping_WithTheNameOfATlsContext_TerminatesWithIt(DataPlane plane)
    {
        await using var client = await (await group.On(plane)).ConnectTlsAsync("tcp-context.example.com", port: "tcp-context");

        (await client.Wire.ReadLineAsync()).ShouldBe("tcp:context");
        client.Tls.RemoteCertificate!.GetCertHashString().ShouldBe(group.Upstreams.Certificates["tcp-context.example.com"].GetCertHashString());
    }
}
