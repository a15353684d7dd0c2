using System.Net;
using System.Net.Quic;
using System.Net.Security;
using Nuncio.Testing;

namespace Nuncio.EndToEndTests.Features.Quic;

/// <summary>What changes while connections of HTTP/3 are open, and how they end.</summary>
public class Http3ChangeTests
{
    private const string Tcp = """
        Listener tcp: { port: $(port), protocol: HTTPS, securityModel: XFP, hostBinding: { namespace: { from: ALL } } }

        """;

    private const string Quic = """
        Listener quic: { port: $(port), protocolStack: [TLS, HTTP, UDP], securityModel: XFP, hostBinding: { namespace: { from: ALL } } }

        """;

    private const string Rest = """
        Secret quic: $(pair:quic.example.com)
        Host quic: { hostname: quic.example.com, tlsSecret: { name: quic } }
        Mapping all: { hostname: "*", prefix: /all/, service: $(a), timeout_ms: 0 }

        """;

    [SkippableFact, Feature("HL-05")]
    public async Task RoutesAndCertificates_ThatChange_CostNoRequest()
    {
        QuicClient.Require();
        await using var upstreams = new Upstreams();
        static string With(string service, string certificate) => Tcp + Quic + $$"""
            Secret quic: $(pair:{{certificate}})
            Host quic: { hostname: quic.example.com, tlsSecret: { name: quic } }
            Mapping all: { hostname: "*", prefix: /all/, service: $({{service}}) }

            """;
        await using var gateway = await FeatureGateway.StartAsync(DataPlane.Embedded, With("a", "first"), upstreams);
        using var client = new QuicClient(gateway);
        (await client.GetAsync("/all/")).ShouldBeFrom("a");

        // The connection stays, and so does its certificate.
        gateway.Write(With("b", "first"));
        await Until.TrueAsync(async () => await StatusIs200Async(client) == "b");
        gateway.Write(With("b", "second"));
        await Until.TrueAsync(async () =>
        {
            using var other = new QuicClient(gateway);
            (await StatusIs200Async(other)).ShouldBe("b");
            (await StatusIs200Async(client)).ShouldBe("b");
            return other.Shown == upstreams.Certificates["second"].GetCertHashString();
        });
        client.Shown.ShouldBe(upstreams.Certificates["first"].GetCertHashString());

        static async Task<string?> StatusIs200Async(QuicClient client)
        {
            var reply = await client.GetAsync("/all/");
            reply.Status.ShouldBe(200);
            return reply["x-upstream"];
        }
    }

    [SkippableFact, Feature("HL-05")]
    public async Task Listener_ThatIsRemoved_AnswersWhatIsOpenAndTakesNoMore()
    {
        QuicClient.Require();
        await using var upstreams = new Upstreams();
        await using var gateway = await FeatureGateway.StartAsync(DataPlane.Embedded, Tcp + Quic + Rest, upstreams);
        using var client = new QuicClient(gateway);
        var open = client.GetAsync("/all/open", ("x-answer-gate", "removed"));
        await upstreams.WaitForRequestAsync("a", request => request.Target == "/open");

        gateway.Write(Tcp + Rest);
        await Until.TrueAsync(async () => (await gateway.GetTlsAsync("/all/", "quic.example.com"))["alt-svc"] is null);
        using var late = new QuicClient(gateway);
        var answer = late.GetAsync("/all/");
        await Task.WhenAny(answer, Task.Delay(TimeSpan.FromSeconds(1)));
        answer.IsCompletedSuccessfully.ShouldBeFalse();
        open.IsCompleted.ShouldBeFalse();
        upstreams.OpenGate("removed");

        (await open.WaitAsync(Until.Limit)).Status.ShouldBe(200);
        (await gateway.GetTlsAsync("/all/", "quic.example.com")).ShouldBeFrom("a");
    }

#pragma warning disable CA1416 // Skipped where the platform has no QUIC.
    [SkippableTheory, Feature("HL-05")]
    [InlineData("the client breaks a rule", "DC")]
    [InlineData("the client closes", "DC")]
    [InlineData("the client resets the request", "DR")]
    public async Task RequestOfAConnectionThatEnds_IsGivenUpAtOnce(string why, string flags)
    {
        QuicClient.Require();
        await using var upstreams = new Upstreams();
        await using var gateway = await FeatureGateway.StartAsync(DataPlane.Embedded, Tcp + Quic + Rest, upstreams);
        await using var connection = await QuicConnection.ConnectAsync(new QuicClientConnectionOptions
        {
            RemoteEndPoint = new IPEndPoint(IPAddress.Loopback, gateway.Port()),
            DefaultCloseErrorCode = 0x100,
            DefaultStreamErrorCode = 0x10C,
            MaxInboundUnidirectionalStreams = 3,
            ClientAuthenticationOptions = new SslClientAuthenticationOptions
            {
                TargetHost = "quic.example.com",
                ApplicationProtocols = [SslApplicationProtocol.Http3],
                RemoteCertificateValidationCallback = (_, _, _, _) => true,
            },
        }).AsTask().WaitAsync(Until.Limit);
        var request = await connection.OpenOutboundStreamAsync(QuicStreamType.Bidirectional).AsTask().WaitAsync(Until.Limit);

        // RFC 9204: GET, https, :authority, :path and x-answer-gate.
        byte[] section =
        [
            0, 0, 0xD1, 0xD7, 0x50, 16, .. "quic.example.com"u8, 0x51, 10, .. "/all/ended"u8, 0x27, 6, .. "x-answer-gate"u8, 5, .. "never"u8,
        ];
        await request.WriteAsync((byte[])[1, 0x40, (byte)section.Length, .. section], completeWrites: true).AsTask().WaitAsync(Until.Limit);
        await upstreams.WaitForRequestAsync("a", seen => seen.Target == "/ended");
        switch (why)
        {
            case "the client breaks a rule":
                // Clients do not push.
                var push = await connection.OpenOutboundStreamAsync(QuicStreamType.Unidirectional).AsTask().WaitAsync(Until.Limit);
                await push.WriteAsync(new byte[] { 1 }).AsTask().WaitAsync(Until.Limit);
                var failure = await Should.ThrowAsync<QuicException>(() => request.ReadAsync(new byte[1]).AsTask().WaitAsync(Until.Limit));
                failure.ApplicationErrorCode.ShouldBe(0x103);
                break;
            case "the client closes":
                await connection.CloseAsync(0x100).AsTask().WaitAsync(Until.Limit);
                break;
            default:
                request.Abort(QuicAbortDirection.Both, 0x10C);
                break;
        }

        // Downstream is gone, and the upstream is not waited for.
        (await gateway.WaitForLogAsync("/all/ended")).ShouldContain($"\"GET /all/ended HTTP/3\" 0 {flags} ");
    }
#pragma warning restore CA1416
}
