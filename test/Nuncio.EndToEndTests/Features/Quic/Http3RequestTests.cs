using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Nuncio.Testing;

namespace Nuncio.EndToEndTests.Features.Quic;

/// <summary>Requests of a client of another make over HTTP/3.</summary>
[Collection(nameof(QuicGroup))]
public class Http3RequestTests(GatewayOf<QuicGroup> group)
{
    [SkippableTheory, DataPlanes, Feature("HL-05")]
    public async Task Get_ReachesTheUpstreamWithWhatItShouldSee(DataPlane plane)
    {
        QuicClient.Require();
        var gateway = await group.On(plane);
        using var client = new QuicClient(gateway);

        var reply = await client.GetAsync("/all/things?a=b", ("x-own", "1"), ("x-answer-header", "x-back: 2"));

        reply.Status.ShouldBe(200);
        reply.ShouldBeFrom("a");
        reply.Seen("x-own").ShouldBe("1");
        reply.Seen("host").ShouldBe("quic.example.com");
        reply.Seen("x-forwarded-proto").ShouldBe("https");
        reply["x-back"].ShouldBe("2");

        // Who is here need not be told.
        reply["alt-svc"].ShouldBeNull();
        client.Shown.ShouldBe(group.Upstreams.Certificates["quic.example.com"].GetCertHashString());
    }

    [SkippableTheory, DataPlanes, Feature("HL-05")]
    public async Task Bodies_ArriveWholeBothWays(DataPlane plane)
    {
        QuicClient.Require();
        var gateway = await group.On(plane);
        using var client = new QuicClient(gateway);
        foreach (var length in new[] { 1, 500 })
        {
            var body = Encoding.ASCII.GetBytes(new string('x', length));
            using var content = new ByteArrayContent(body);
            var reply = await client.SendAsync("POST", "/all/up", content);
            reply.Status.ShouldBe(200);
            reply.Text.Split("\n\n", 2)[1].Trim().Length.ShouldBe(length);
        }
    }

    // This client and Envoy stop in the middle of large bodies, and of more requests at once than there may be streams.
    [SkippableFact, Feature("HL-05")]
    public async Task LargeBodies_ArriveWholeBothWays()
    {
        QuicClient.Require();
        var gateway = await group.On(DataPlane.Embedded);
        using var client = new QuicClient(gateway);
        using var content = new ByteArrayContent(Encoding.ASCII.GetBytes(new string('x', 3_000_000)));
        var reply = await client.SendAsync("POST", "/all/up", content);
        reply.Status.ShouldBe(200);
        reply.Text.Split("\n\n", 2)[1].Trim().Length.ShouldBe(3_000_000);

        using var unknownLength = new PushContent(async stream =>
        {
            for (var i = 0; i < 20; i++)
            {
                await stream.WriteAsync(new byte[50_000]);
                await stream.FlushAsync();
            }
        });
        (await client.SendAsync("POST", "/all/chunks", unknownLength)).Status.ShouldBe(200);
        (await group.Upstreams.WaitForRequestAsync("a", request => request.Target == "/chunks")).Body.Length.ShouldBe(1_000_000);

        var download = await client.GetAsync("/all/down", ("x-answer-body", "0123456789"), ("x-answer-repeat", "400000"));
        download.Bytes.Length.ShouldBe(4_000_000);
        download.Text.ShouldEndWith("0123456789");
    }

    [SkippableFact, Feature("HL-05")]
    public async Task ManyRequestsAtOnce_AreEachAnswered()
    {
        QuicClient.Require();
        var gateway = await group.On(DataPlane.Embedded);
        using var client = new QuicClient(gateway);

        var replies = await Task.WhenAll(Enumerable.Range(0, 150).Select(i => client.GetAsync($"/all/{i}", ("x-answer-body", $"this is {i}"))));

        for (var i = 0; i < replies.Length; i++) replies[i].Text.ShouldBe($"this is {i}");
    }

    [SkippableTheory, DataPlanes, Feature("HL-05")]
    public async Task Head_HasNoBodyAndUnknownPathsNoRoute(DataPlane plane)
    {
        QuicClient.Require();
        var gateway = await group.On(plane);
        using var client = new QuicClient(gateway);

        var head = await client.SendAsync("HEAD", "/all/");
        head.Status.ShouldBe(200);
        head.ShouldBeFrom("a");
        head.Bytes.ShouldBeEmpty();
        var missing = await client.GetAsync("/nothing/here");
        missing.Status.ShouldBe(404);
        missing["x-upstream"].ShouldBeNull();
        (await client.GetAsync("/all/", ("x-answer-status", "503"))).Status.ShouldBe(503);
    }

    [SkippableTheory, DataPlanes, Feature("HL-05")]
    [Manifest("""
        Mapping quic-moved: { hostname: "*", prefix: /moved/, host_redirect: true, service: elsewhere.example.com }
        """)]
    public async Task Redirect_IsAnswered(DataPlane plane)
    {
        QuicClient.Require();
        var gateway = await group.On(plane);
        using var client = new QuicClient(gateway);

        var reply = await client.GetAsync("/moved/a");

        reply.Status.ShouldBe(301);
        reply["location"].ShouldBe("https://elsewhere.example.com/moved/a");
    }

    [SkippableTheory, DataPlanes, Feature("HL-05")]
    [Manifest("""
        Mapping quic-grpc: { hostname: "*", prefix: /quic.Service/, rewrite: /quic.Service/, grpc: true, service: $(h2:quic) }
        """)]
    public async Task GrpcCall_GetsItsMessageAndItsTrailers(DataPlane plane)
    {
        QuicClient.Require();
        var gateway = await group.On(plane);
        using var client = new QuicClient(gateway);
        var message = new byte[5 + 3];
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(1), 3);
        "abc"u8.CopyTo(message.AsSpan(5));
        using var content = new ByteArrayContent(message);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");

        var reply = await client.SendAsync("POST", "/quic.Service/Method", content, ("te", "trailers"));

        reply.Status.ShouldBe(200);
        reply["content-type"].ShouldBe("application/grpc");
        reply.Bytes.ShouldBe(message);
        reply.Trailers["grpc-status"].ShouldBe("0");
    }

    [SkippableTheory, DataPlanes, Feature("HL-05")]
    [Manifest("""
        Mapping quic-waiting: { hostname: "*", prefix: /waiting/, service: $(a), timeout_ms: 0 }
        """)]
    public async Task RequestThatWaits_DoesNotHoldUpOthersOfItsConnection(DataPlane plane)
    {
        QuicClient.Require();
        var gateway = await group.On(plane);
        using var client = new QuicClient(gateway);
        var waiting = client.GetAsync("/waiting/", ("x-answer-gate", $"quic {plane}"));

        (await client.GetAsync("/all/")).Status.ShouldBe(200);
        waiting.IsCompleted.ShouldBeFalse();
        group.Upstreams.OpenGate($"quic {plane}");

        (await waiting.WaitAsync(Until.Limit)).Status.ShouldBe(200);
    }

    [SkippableTheory, DataPlanes, Feature("HL-05")]
    public async Task Request_IsLoggedAndCountedAsHttp3(DataPlane plane)
    {
        QuicClient.Require();
        var gateway = await group.On(plane);
        using var client = new QuicClient(gateway);
        (await client.GetAsync($"/all/logged-{plane}")).Status.ShouldBe(200);

        // Envoy writes its log every ten seconds.
        if (plane == DataPlane.Embedded) (await gateway.WaitForLogAsync($"/all/logged-{plane}")).ShouldContain($"\"GET /all/logged-{plane} HTTP/3\" 200");
        await gateway.WaitForMetricAsync(line => line.StartsWith("envoy_http_downstream_rq_http3_total", StringComparison.Ordinal) && !line.EndsWith(" 0", StringComparison.Ordinal));
    }

    [SkippableTheory, DataPlanes, Feature("HL-05", "TLS-01")]
    [Manifest("""
        Secret quic-second: $(pair:quic-second.example.com)
        Host quic-second: { hostname: quic-second.example.com, tlsSecret: { name: quic-second } }
        """)]
    public async Task Certificate_OfAServerName_IsThatOfItsHost(DataPlane plane)
    {
        QuicClient.Require();
        var gateway = await group.On(plane);
        foreach (var host in new[] { "quic.example.com", "quic-second.example.com" })
        {
            using var client = new QuicClient(gateway, host);
            (await client.GetAsync("/all/")).ShouldBeFrom("a");
            client.Shown.ShouldBe(group.Upstreams.Certificates[host].GetCertHashString());
        }

        using var stranger = new QuicClient(gateway, "unknown.example.org");
        (await Should.ThrowAsync<Exception>(() => stranger.GetAsync("/all/"))).ShouldSatisfyAllConditions(e => QuicClient.IsRefusal(e).ShouldBeTrue(e.ToString()));
    }

    [SkippableTheory, DataPlanes, Feature("HL-05", "TLS-08", "TLS-10")]
    [Manifest("""
        Secret quic-mutual: $(pair:quic-mutual.example.com)
        Secret quic-clients-ca: $(ca:quic-clients)
        Host quic-mutual: { hostname: quic-mutual.example.com, tlsSecret: { name: quic-mutual }, tls: { ca_secret: quic-clients-ca, cert_required: true } }
        """)]
    public async Task ClientCertificate_WhereRequired_IsCheckedAndForwarded(DataPlane plane)
    {
        QuicClient.Require();
        var gateway = await group.On(plane);
        using var known = new QuicClient(gateway, "quic-mutual.example.com", group.Upstreams.Certificates["client.example.com@quic-clients"]);
        var reply = await known.GetAsync("/all/");
        reply.ShouldBeFrom("a");
        reply.Seen("x-forwarded-client-cert").ShouldNotBeNull(reply.Text).ShouldContain("Subject=\"CN=client.example.com\"");

        using var without = new QuicClient(gateway, "quic-mutual.example.com");
        using var stranger = new QuicClient(gateway, "quic-mutual.example.com", group.Upstreams.Certificates["stranger.example.com@quic-strangers"]);
        foreach (var client in new[] { without, stranger })
        {
            var refusal = await Should.ThrowAsync<Exception>(() => client.GetAsync("/all/"));
            QuicClient.IsRefusal(refusal).ShouldBeTrue(refusal.ToString());
        }

        using var spoofing = new QuicClient(gateway);
        (await spoofing.GetAsync("/all/", ("x-forwarded-client-cert", "Subject=\"CN=client.example.com\""))).Seen("x-forwarded-client-cert").ShouldBeNull();
    }

    /// <summary>A body that is written as it is made, without a length.</summary>
    private sealed class PushContent(Func<Stream, Task> write) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => write(stream);

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
