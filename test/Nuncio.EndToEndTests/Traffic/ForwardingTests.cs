using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Nuncio.Testing;
using Nuncio.Testing.Backends;

namespace Nuncio.EndToEndTests.Traffic;

public class ForwardingTests
{
    [Fact]
    public async Task Headers_OfARequestAndItsResponse_AreEnvoys()
    {
        await using var backend = WireBackend.Start(_ => Responses.Ok("body", "server: upstream\r\nx-remove-me: 1\r\nconnection: x-hop\r\nx-hop: 1\r\n"));
        await using var gateway = await RunningGateway.StartAsync(Manifests.Mapping(
            "a", "/a/", backend.Port, "add_request_headers: { x-added: { value: \"%PROTOCOL%\" } }", "remove_request_headers: [x-unwanted]",
            "add_response_headers: { x-answer: { value: \"42\", append: false } }", "remove_response_headers: [x-remove-me]"));

        var response = await gateway.SendAsync("GET", "/a/b", "example.com", "x-unwanted: 1\r\nConnection: x-mine\r\nx-mine: 1\r\n");

        response["server"].ShouldBe("envoy");
        response["x-answer"].ShouldBe("42");
        response["x-remove-me"].ShouldBeNull();
        response["x-envoy-upstream-service-time"].ShouldNotBeNull();
        var request = backend.Requests.ShouldHaveSingleItem();
        request.Target.ShouldBe("/b");
        request["host"].ShouldBe("example.com");
        request["x-added"].ShouldBe("HTTP/1.1");
        request["x-unwanted"].ShouldBeNull();
        request["x-forwarded-proto"].ShouldBe("http");
        // A client on loopback is named by an address of the machine, where it has one.
        IPAddress.TryParse(request["x-forwarded-for"], out _).ShouldBeTrue();
        request["x-envoy-original-path"].ShouldBe("/a/b");
        request["x-envoy-expected-rq-timeout-ms"].ShouldBe("3000");
        Guid.TryParse(request["x-request-id"], out _).ShouldBeTrue();
    }

    [Fact]
    public async Task Bodies_InChunksBothWays_ArriveWhole()
    {
        await using var backend = WireBackend.Start(request => Responses.Chunked([request.BodyText, "-", "end"]));
        await using var gateway = await RunningGateway.StartAsync(Manifests.Mapping("a", "/a/", backend.Port));
        await using var client = await WireClient.ConnectAsync(gateway.Port);
        var large = new string('x', 300_000);

        await client.Wire.WriteAsync(
            $"POST /a/ HTTP/1.1\r\nhost: example.com\r\ntransfer-encoding: chunked\r\n\r\n{large.Length:x}\r\n{large}\r\n3\r\nabc\r\n0\r\n\r\n");
        var response = await client.Wire.ReadResponseAsync("POST");

        response.BodyText.ShouldBe(large + "abc-end");
    }

    [Fact]
    public async Task Response_ThatStreams_IsPassedOnPieceByPiece()
    {
        var next = new SemaphoreSlim(0);
        await using var backend = WireBackend.Start(Conversations.Streaming(Pieces));
        await using var gateway = await RunningGateway.StartAsync(Manifests.Mapping("a", "/a/", backend.Port, "timeout_ms: 60000"));
        await using var client = await WireClient.ConnectAsync(gateway.Port);

        await client.Wire.WriteAsync("GET /a/ HTTP/1.1\r\nhost: example.com\r\n\r\n");
        (await client.Wire.ReadLineAsync())!.ShouldContain(" 200 ");
        await client.Wire.ReadHeadersAsync();
        for (var i = 0; i < 3; i++)
        {
            // The second piece is not even made before the first has arrived here.
            next.Release();
            (await client.Wire.ReadLineAsync()).ShouldBe("5");
            (await client.Wire.ReadLineAsync()).ShouldBe($"piec{i}");
        }

        async IAsyncEnumerable<string> Pieces([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
        {
            for (var i = 0; i < 3; i++)
            {
                await next.WaitAsync(cancellationToken);
                yield return $"piec{i}";
            }
        }
    }

    [Theory]
    [InlineData("silent", 504, "upstream request timeout")]
    [InlineData("closing", 503, "upstream connect error or disconnect/reset before headers")]
    [InlineData("refused", 503, "upstream connect error or disconnect/reset before headers")]
    [InlineData("garbage", 502, "upstream connect error or disconnect/reset before headers")]
    public async Task Upstream_ThatFails_GivesEnvoysAnswer(string how, int status, string body)
    {
        await using var silent = WireBackend.Start(Conversations.Silent);
        await using var closing = WireBackend.Start(Conversations.Closing);
        await using var garbage = WireBackend.Start(_ => Responses.Garbage);
        var port = how switch { "silent" => silent.Port, "closing" => closing.Port, "garbage" => garbage.Port, _ => FreePort.Next() };
        await using var gateway = await RunningGateway.StartAsync(Manifests.Mapping("a", "/a/", port, how == "silent" ? "timeout_ms: 300" : "timeout_ms: 60000"));

        var response = await gateway.SendAsync("GET", "/a/");

        response.Status.ShouldBe(status);
        response.BodyText.ShouldStartWith(body);
        response["server"].ShouldBe("envoy");
    }

    [Fact]
    public async Task Upstream_ThatLiesAboutItsLength_DoesNotReachTheNextRequest()
    {
        await using var backend = WireBackend.Start(request => request.Target == "/lie" ? Responses.Twice("first") : Responses.Ok("honest"));
        await using var gateway = await RunningGateway.StartAsync(Manifests.Mapping("a", "/a/", backend.Port));
        await using var client = await WireClient.ConnectAsync(gateway.Port);

        await client.SendAsync("GET", "/a/lie", "example.com");
        for (var i = 0; i < 5; i++) (await client.SendAsync("GET", "/a/honest", "example.com")).BodyText.ShouldBe("honest");
    }

    [Theory]
    [InlineData("GET /a/ HTTP/1.1\r\n\r\n")]
    [InlineData("GET /a/ HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("GET /a/ HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab")]
    [InlineData("GET /a/ HTTP/1.1\r\nhost: a\r\nx : 1\r\n\r\n")]
    [InlineData("GET /a/ HTTP/1.1\r\nhost: a\r\n folded: 1\r\n\r\n")]
    [InlineData("GET /a/ HTTP/3.7\r\nhost: a\r\n\r\n")]
    public async Task Request_ThatIsAmbiguous_IsNeverForwarded(string bytes)
    {
        await using var backend = WireBackend.StartEcho();
        await using var gateway = await RunningGateway.StartAsync(Manifests.Mapping("a", "/a/", backend.Port));
        await using var client = await WireClient.ConnectAsync(gateway.Port);

        await client.Wire.WriteAsync(bytes);
        var answer = await client.Wire.ReadLineAsync();

        // Closed without a word, or told off.
        (answer ?? "HTTP/1.1 4").ShouldStartWith("HTTP/1.1 4");
        backend.Accepted.ShouldBe(0);
    }

    [Fact]
    public async Task Http2_WithPriorKnowledge_SharesThePortWithHttp1()
    {
        await using var backend = WireBackend.StartEcho();
        await using var gateway = await RunningGateway.StartAsync(Manifests.Mapping("a", "/a/", backend.Port));
        using var client = new HttpClient();

        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://127.0.0.1:{gateway.Port}/a/b")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new StringContent("over http/2"),
        };
        using var response = await client.SendAsync(request);

        response.Version.ShouldBe(HttpVersion.Version20);
        (await response.Content.ReadAsStringAsync()).ShouldEndWith("over http/2");
        (await gateway.SendAsync("GET", "/a/")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task Tls_ByServerName_ShowsTheHostsCertificateAndChoosesHttp2()
    {
        using var one = TestCertificate.Create(["one.example.com"]);
        using var two = TestCertificate.Create(["two.example.com"]);
        await using var backend = WireBackend.StartEcho();
        await using var gateway = await RunningGateway.StartAsync(
            Manifests.Listener + one.ToSecretYaml("one") + "---\n" + two.ToSecretYaml("two") + "---\n"
            + Manifests.TlsHost("one", "one.example.com", "one") + Manifests.TlsHost("two", "two.example.com", "two")
            + Manifests.Mapping("a", "/a/", backend.Port),
            complete: true);

        foreach (var (name, certificate) in new[] { ("one.example.com", one), ("two.example.com", two) })
        {
            await using var client = await WireClient.ConnectTlsAsync(gateway.Port, name);
            ((SslStream)client.Stream).RemoteCertificate!.GetCertHashString().ShouldBe(certificate.Certificate.GetCertHashString());
            (await client.SendAsync("GET", "/a/", name)).Status.ShouldBe(200);
        }

        backend.Requests.First()["x-forwarded-proto"].ShouldBe("https");
        using var handler = new SocketsHttpHandler
        {
            SslOptions = { TargetHost = "one.example.com", RemoteCertificateValidationCallback = (_, _, _, _) => true },
            ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(IPAddress.Loopback, gateway.Port, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        using var http = new HttpClient(handler);
        using var request = new HttpRequestMessage(HttpMethod.Get, "https://one.example.com/a/") { Version = HttpVersion.Version20 };
        using var response = await http.SendAsync(request);
        response.Version.ShouldBe(HttpVersion.Version20);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Tls_TowardsTheUpstream_IsOriginated()
    {
        using var certificate = TestCertificate.Create(["upstream.example.com"]);
        await using var backend = WireBackend.StartEcho(certificate.Certificate);
        await using var gateway = await RunningGateway.StartAsync(Manifests.Mapping("a", "/a/", $"https://127.0.0.1:{backend.Port}"));

        (await gateway.SendAsync("GET", "/a/")).Status.ShouldBe(200);
    }
}
