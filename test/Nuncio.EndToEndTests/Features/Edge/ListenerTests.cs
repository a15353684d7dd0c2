using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Nuncio.Testing;

namespace Nuncio.EndToEndTests.Features.Edge;

[Collection(nameof(EdgeGroup))]
public class ListenerTests(GatewayOf<EdgeGroup> group)
{
    [SkippableTheory, DataPlanes, Feature("HL-02")]
    [Manifest("""
        Listener http: { port: $(port:http), protocol: HTTP, securityModel: XFP, hostBinding: { selector: { matchLabels: { on: main } } } }
        Listener tcp: { port: $(port:tcp), protocol: TCP, securityModel: XFP, hostBinding: { namespace: { from: SELF } } }
        TCPMapping tcp: { port: $(port:tcp), service: $(tcp:protocol) }
        Listener tls: { port: $(port:tls), protocol: TLS, securityModel: XFP, hostBinding: { namespace: { from: SELF } } }
        TCPMapping tls: { port: $(port:tls), host: secure.example.com, service: $(tcp:protocol-tls) }
        """)]
    public async Task Protocol_OfAListener_IsWhatItTalks(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.SendAsync("GET", "/all/", "routing.example.com", port: "http")).ShouldBeFrom("a");
        (await gateway.GetTlsAsync("/all/", "secure.example.com")).ShouldBeFrom("a");
        (await gateway.GetAsync("/all/", "routing.example.com")).ShouldBeFrom("a");
        await using var tcp = await gateway.ConnectAsync("tcp");
        (await tcp.Wire.ReadLineAsync()).ShouldBe("tcp:protocol");
        await using var tls = await gateway.ConnectTlsAsync("secure.example.com", port: "tls");
        (await tls.Wire.ReadLineAsync()).ShouldBe("tcp:protocol-tls");
    }

    [SkippableTheory, Feature("HL-03", "HL-04")]
    [Manifest("""
        Listener proxied: { port: $(port:proxied), protocol: HTTPPROXY, securityModel: XFP, hostBinding: { selector: { matchLabels: { on: main } } } }
        Listener stacked: { port: $(port:stacked), protocolStack: [PROXY, HTTP, TCP], securityModel: XFP, hostBinding: { selector: { matchLabels: { on: main } } } }
        """)]
    [InlineDataForPlanes("proxied", 1)]
    [InlineDataForPlanes("proxied", 2)]
    [InlineDataForPlanes("stacked", 1)]
    public async Task ProxyProtocol_NamesTheClientAndIsRequired(DataPlane plane, string port, int version)
    {
        var gateway = await group.On(plane);
        byte[] header = version == 1
            ? "PROXY TCP4 192.0.2.7 192.0.2.1 1000 80\r\n"u8.ToArray()
            : [.. "\r\n\r\n\0\r\nQUIT\n"u8, 0x21, 0x11, 0, 12, 192, 0, 2, 7, 192, 0, 2, 1, 3, 232, 0, 80];

        await using var told = await gateway.ConnectAsync(port);
        await told.Wire.WriteAsync(header);
        var reply = await told.GetAsync("/all/", "routing.example.com");
        reply.Seen("x-forwarded-for").ShouldBe("192.0.2.7");

        await using var silent = await gateway.ConnectAsync(port);
        await Refusal.ShouldBeRefusedAsync(() => silent.GetAsync("/all/", "routing.example.com"));
    }

    [SkippableTheory, DataPlanes, Feature("HL-03")]
    [Manifest("""
        Listener proxied-tls: { port: $(port:proxied-tls), protocol: HTTPSPROXY, securityModel: XFP, hostBinding: { selector: { matchLabels: { on: main } } } }
        """)]
    public async Task ProxyProtocol_BeforeTls_NamesTheClient(DataPlane plane)
    {
        var gateway = await group.On(plane);
        using var tcp = new TcpClient();
        await tcp.ConnectAsync("127.0.0.1", gateway.Port("proxied-tls"));
        await tcp.GetStream().WriteAsync("PROXY TCP4 192.0.2.7 192.0.2.1 1000 443\r\n"u8.ToArray());
        await using var tls = new System.Net.Security.SslStream(tcp.GetStream(), leaveInnerStreamOpen: false, (_, _, _, _) => true);
        await tls.AuthenticateAsClientAsync("secure.example.com");
        var wire = new Testing.Backends.HttpWire(tls);

        await wire.WriteAsync("GET /all/ HTTP/1.1\r\nhost: secure.example.com\r\n\r\n");

        new Reply(await wire.ReadResponseAsync()).Seen("x-forwarded-for").ShouldBe("192.0.2.7");
    }

    [Fact, Feature("HL-04", "HL-25")]
    [Manifest("""
        Listener both: { port: $(port:both), protocol: HTTP, protocolStack: [HTTP, TCP], securityModel: XFP, hostBinding: { namespace: { from: SELF } } }
        Listener twice: { port: $(port:http), protocol: HTTP, securityModel: SECURE, hostBinding: { namespace: { from: SELF } } }
        """)]
    public async Task Listener_WithTwoProtocolsOrTakenPort_IsReported()
    {
        (await group.FindingsOnAsync("Listener/both")).ShouldContain("listener-protocol-conflict");
        (await group.FindingsOnAsync("Listener/twice")).ShouldContain("listener-binding-conflict");
    }

    [SkippableTheory, DataPlanes, Feature("HL-06")]
    [Manifest("""
        Listener always: { port: $(port:always), protocol: HTTP, securityModel: SECURE, hostBinding: { selector: { matchLabels: { on: main } } } }
        """)]
    public async Task SecurityModel_Secure_RoutesEveryRequest(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.SendAsync("GET", "/all/", "redirecting.example.com", port: "always")).ShouldBeFrom("a");
        (await gateway.SendAsync("GET", "/all/", "rejecting.example.com", port: "always")).ShouldBeFrom("a");
    }

    [SkippableTheory, DataPlanes, Feature("HL-07")]
    [Manifest("""
        Listener never: { port: $(port:never), protocol: HTTPS, securityModel: INSECURE, hostBinding: { selector: { matchLabels: { on: main } } } }
        """)]
    public async Task SecurityModel_Insecure_TakesTheInsecureActionForEveryRequest(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.SendAsync("GET", "/all/", "redirecting.example.com", ["x-forwarded-proto: https"], port: "never")).ShouldBeAnswered(301);
        (await gateway.SendAsync("GET", "/all/", "routing.example.com", port: "never")).ShouldBeFrom("a");
        await using var tls = await gateway.ConnectTlsAsync("secure.example.com", port: "never");
        (await tls.GetAsync("/all/", "secure.example.com")).ShouldBeAnswered(301);
    }

    [SkippableTheory, DataPlanes, Feature("HL-08", "HL-22")]
    [Manifest("""
        Listener behind: { port: $(port:behind), protocol: HTTP, securityModel: XFP, l7Depth: 1, hostBinding: { selector: { matchLabels: { on: main } } } }
        """)]
    public async Task SecurityModel_Xfp_BelievesTheProxyInFront(DataPlane plane)
    {
        var gateway = await group.On(plane);

        var https = await gateway.SendAsync(
            "GET", "/all/", "redirecting.example.com", ["x-forwarded-proto: https", "x-forwarded-for: 198.51.100.9, 192.0.2.7"], port: "behind");
        var http = await gateway.SendAsync("GET", "/all/", "redirecting.example.com", ["x-forwarded-proto: http"], port: "behind");
        var notBelieved = await gateway.SendAsync("GET", "/all/", "redirecting.example.com", ["x-forwarded-proto: https"]);

        https.ShouldBeFrom("a");
        https.Seen("x-forwarded-for").ShouldStartWith("198.51.100.9, 192.0.2.7,");
        https.Seen("x-envoy-external-address").ShouldBe("192.0.2.7");
        http.ShouldBeAnswered(301);
        notBelieved.ShouldBeAnswered(301);
    }

    [SkippableTheory, DataPlanes, Feature("HL-14")]
    [Manifest("""
        Listener other/own-only: { port: $(port:own-only), protocol: HTTP, securityModel: XFP, hostBinding: { namespace: { from: SELF } } }
        Host other/own: { hostname: own.example.com, requestPolicy: { insecure: { action: Route } } }
        Listener third/everyone: { port: $(port:everyone), protocol: HTTP, securityModel: XFP, hostBinding: { namespace: { from: ALL } } }
        """)]
    public async Task HostBinding_OfANamespace_TakesItsHostsOrAll(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.SendAsync("GET", "/all/", "own.example.com", port: "own-only")).ShouldBeFrom("a");
        (await gateway.SendAsync("GET", "/all/", "routing.example.com", port: "own-only")).ShouldNotBeRouted();
        (await gateway.SendAsync("GET", "/all/", "own.example.com", port: "everyone")).ShouldBeFrom("a");
        (await gateway.SendAsync("GET", "/all/", "routing.example.com", port: "everyone")).ShouldBeFrom("a");
    }

    [SkippableTheory, DataPlanes, Feature("HL-15")]
    [Manifest("""
        Listener picky: { port: $(port:picky), protocol: HTTP, securityModel: XFP, hostBinding: { selector: { matchLabels: { on: picky, tier: web } } } }
        Host default/picked {on: picky, tier: web}: { hostname: picked.example.com, requestPolicy: { insecure: { action: Route } } }
        Host default/half-picked {on: picky}: { hostname: half-picked.example.com, requestPolicy: { insecure: { action: Route } } }
        """)]
    public async Task HostBinding_WithASelector_WantsAllLabels(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.SendAsync("GET", "/all/", "picked.example.com", port: "picky")).ShouldBeFrom("a");
        (await gateway.SendAsync("GET", "/all/", "half-picked.example.com", port: "picky")).ShouldNotBeRouted();
        (await gateway.GetAsync("/all/", "picked.example.com")).ShouldNotBeRouted();
    }

    [SkippableTheory, DataPlanes, Feature("HL-24")]
    [Manifest("""
        Listener counted: { port: $(port:counted), protocol: HTTP, statsPrefix: counted, securityModel: XFP, hostBinding: { selector: { matchLabels: { on: main } } } }
        """)]
    public async Task StatsPrefix_IsInTheMetrics(DataPlane plane)
    {
        var gateway = await group.On(plane);
        await gateway.SendAsync("GET", "/all/", "routing.example.com", port: "counted");
        await gateway.GetAsync("/all/", "routing.example.com");

        (await gateway.WaitForMetricAsync(
            line => line.StartsWith("envoy_http_downstream_rq_total{envoy_http_conn_manager_prefix=\"counted\"}", StringComparison.Ordinal)))
            .ShouldEndWith(" 1");
        await gateway.WaitForMetricAsync(
            line => line.StartsWith("envoy_http_downstream_rq_total{envoy_http_conn_manager_prefix=\"ingress_https\"}", StringComparison.Ordinal));
    }

    [SkippableTheory, DataPlanes, Feature("HL-23")]
    [Manifest("""
        Listener few: { port: $(port:few), protocol: HTTP, http2MaxConcurrentStreams: 7, securityModel: XFP, hostBinding: { selector: { matchLabels: { on: main } } } }
        """)]
    public async Task Http2MaxConcurrentStreams_IsInTheSettings(DataPlane plane)
    {
        await using var client = await (await group.On(plane)).ConnectAsync("few");
        await client.Wire.WriteAsync(Encoding.Latin1.GetString([.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, 0, 0, 0, 4, 0, 0, 0, 0, 0]));

        var head = await client.Wire.ReadExactlyAsync(9);
        var settings = await client.Wire.ReadExactlyAsync(head[2] + (head[1] << 8));

        head[3].ShouldBe((byte)4);
        var values = settings.Chunk(6).ToDictionary(
            entry => BinaryPrimitives.ReadUInt16BigEndian(entry), entry => BinaryPrimitives.ReadUInt32BigEndian(entry.AsSpan(2)));
        values[3].ShouldBe(7u);
    }

    [SkippableFact, Feature("HL-01")]
    public async Task Listener_ThatIsAddedAndRemoved_OpensAndClosesItsPort()
    {
        await using var upstreams = new Upstreams();
        const string rest = """
            Host everywhere: { hostname: "*", requestPolicy: { insecure: { action: Route } } }
            Mapping all: { hostname: "*", prefix: /, service: $(a) }
            Listener first: { port: $(port:first), protocol: HTTP, securityModel: XFP, hostBinding: { namespace: { from: ALL } } }

            """;
        await using var gateway = await FeatureGateway.StartAsync(DataPlane.Embedded, rest, upstreams);
        await Refusal.ShouldBeRefusedAsync(() => gateway.GetAsync("/"));

        gateway.Write(rest + Common.Listener);
        await Refusal.UntilAsync(async () => (await gateway.GetAsync("/")).Upstream == "a");
        gateway.Write(rest);
        await Refusal.UntilAsync(async () =>
        {
            try
            {
                await gateway.GetAsync("/");
                return false;
            }
            catch (SocketException)
            {
                return true;
            }
        });
        (await gateway.SendAsync("GET", "/", port: "first")).ShouldBeFrom("a");
    }
}
