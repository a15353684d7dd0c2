using System.Text;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Http.Http2;

namespace Nuncio.DataPlane.Tests.Http.Http2;

public sealed class Http2ClientConnectionTests
{
    [Fact]
    public async Task Exchange_WithOurServer_CarriesBodiesAndTrailersBothWays()
    {
        var (client, _) = Connect();
        var stream = client.OpenStream().ShouldNotBeNull();
        (await stream.WriteHeadersAsync(Request("POST", "/echo"), false)).ShouldBe(StreamResetReason.None);
        var sent = new byte[500_000];
        Random.Shared.NextBytes(sent);
        var writing = Task.Run(async () =>
        {
            for (var at = 0; at < sent.Length; at += 50_000) await stream.WriteBodyAsync(sent.AsMemory(at, 50_000), false);
            var trailers = new HeaderMap();
            trailers.Add("x-end"u8, "yes"u8);
            await stream.WriteTrailersAsync(trailers);
        });
        (await stream.ReadHeadersAsync()).ShouldBe(new ClientHeadersRead(false));
        stream.ResponseHeaders.Status.ShouldBe(200);
        var received = new List<byte>();
        BodyRead read;
        do
        {
            read = await stream.ReadBodyAsync();
            read.Error.ShouldBe(StreamResetReason.None);
            received.AddRange(read.Data.Span);
        }
        while (!read.EndStream);
        await writing;
        received.ToArray().ShouldBe(sent);
        stream.ResponseTrailers.GetText("x-end").ShouldBe("yes");
        stream.Release();
        client.ActiveStreams.ShouldBe(0);
    }

    [Fact]
    public async Task ManyExchangesAtOnce_AllComeBackAndLeaveNothingOpen()
    {
        var (client, _) = Connect();
        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < 200; i++)
            {
                var stream = client.OpenStream().ShouldNotBeNull();
                var body = i % 3 == 0;
                await stream.WriteHeadersAsync(Request(body ? "POST" : "GET", "/"), !body);
                if (body) await stream.WriteBodyAsync(new byte[i * 100], true);
                (await stream.ReadHeadersAsync()).Error.ShouldBe(StreamResetReason.None);
                long length = 0;
                BodyRead read;
                do
                {
                    read = await stream.ReadBodyAsync();
                    read.Error.ShouldBe(StreamResetReason.None);
                    length += read.Data.Length;
                }
                while (!read.EndStream);
                length.ShouldBe(body ? i * 100 : 0);
                stream.Release();
            }
        })));
        client.ActiveStreams.ShouldBe(0);
    }

    [Fact]
    public async Task InformationalHeads_ComeEachByItself()
    {
        var (client, peer) = ConnectRaw();
        var stream = client.OpenStream()!;
        await stream.WriteHeadersAsync(Request("GET", "/"), true);
        await peer.ReadAsync(Http2FrameType.Headers);
        await peer.SendAsync(Http2FrameType.Settings, 0, 0);
        await peer.SendAsync(Http2FrameType.Headers, 4, 1, peer.Block((":status", "103"), ("link", "a")));
        await peer.SendAsync(Http2FrameType.Headers, 4, 1, peer.Block((":status", "200")));
        await peer.SendAsync(Http2FrameType.Data, 1, 1, "x"u8.ToArray());
        await stream.ReadHeadersAsync();
        stream.ResponseHeaders.Status.ShouldBe(103);
        (await stream.ReadHeadersAsync()).EndStream.ShouldBeFalse();
        stream.ResponseHeaders.Status.ShouldBe(200);
        stream.ResponseHeaders.GetText("link").ShouldBeNull();
        Encoding.ASCII.GetString((await stream.ReadBodyAsync()).Data.Span).ShouldBe("x");
        stream.Release();
    }

    [Fact]
    public async Task TrailersOnlyResponse_EndsWithItsHead()
    {
        var (client, peer) = ConnectRaw();
        var stream = client.OpenStream()!;
        await stream.WriteHeadersAsync(Request("POST", "/"), true);
        await peer.SendAsync(Http2FrameType.Settings, 0, 0);
        await peer.ReadAsync(Http2FrameType.Headers);
        await peer.SendAsync(Http2FrameType.Headers, 5, 1, peer.Block((":status", "200"), ("grpc-status", "12")));
        (await stream.ReadHeadersAsync()).ShouldBe(new ClientHeadersRead(true));
        stream.ResponseHeaders.GetText("grpc-status").ShouldBe("12");
        stream.Release();
    }

    [Theory]
    [InlineData(7u, StreamResetReason.RemoteRefusedStream)]
    [InlineData(8u, StreamResetReason.RemoteReset)]
    public async Task PeerReset_IsReportedByItsKind(uint code, StreamResetReason reason)
    {
        var (client, peer) = ConnectRaw();
        var stream = client.OpenStream()!;
        await stream.WriteHeadersAsync(Request("GET", "/"), true);
        await peer.SendAsync(Http2FrameType.Settings, 0, 0);
        await peer.ReadAsync(Http2FrameType.Headers);
        await peer.SendAsync(Http2FrameType.RstStream, 0, 1, Http2Peer.Number(code));
        (await stream.ReadHeadersAsync()).Error.ShouldBe(reason);
        stream.Release();
        client.ActiveStreams.ShouldBe(0);
    }

    [Fact]
    public async Task GoAway_RefusesTheStreamsAboveIt_AndLetsTheOthersEnd()
    {
        var owner = new OwnerProbe();
        var (client, peer) = ConnectRaw(owner);
        var first = client.OpenStream()!;
        var second = client.OpenStream()!;
        await first.WriteHeadersAsync(Request("GET", "/"), true);
        await second.WriteHeadersAsync(Request("GET", "/"), true);
        await peer.SendAsync(Http2FrameType.Settings, 0, 0);
        await peer.ReadAsync(Http2FrameType.Headers);
        await peer.SendAsync(Http2FrameType.GoAway, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0);
        (await second.ReadHeadersAsync()).Error.ShouldBe(StreamResetReason.RemoteRefusedStream);
        second.Release();
        client.IsClosing.ShouldBeTrue();
        client.OpenStream().ShouldBeNull();
        await owner.Closed.Task.WaitAsync(Until.Limit);
        await peer.SendAsync(Http2FrameType.Headers, 5, 1, peer.Block((":status", "204")));
        (await first.ReadHeadersAsync()).Error.ShouldBe(StreamResetReason.None);
        first.Release();
        (await peer.ReadEndAsync()).ShouldBe(Http2ErrorCode.NoError);
        await client.Completion.WaitAsync(Until.Limit);
    }

    [Fact]
    public async Task PeerSettings_LimitTheStreams()
    {
        var owner = new OwnerProbe();
        var (client, peer) = ConnectRaw(owner);
        client.AvailableStreams.ShouldBe(100);
        await peer.SendAsync(Http2FrameType.Settings, 0, 0, [0, 3, .. Http2Peer.Number(1)]);
        await owner.Available.Task.WaitAsync(Until.Limit);
        client.AvailableStreams.ShouldBe(1);
        var stream = client.OpenStream()!;
        client.AvailableStreams.ShouldBe(0);
        client.OpenStream().ShouldBeNull();
        stream.Release();
        client.AvailableStreams.ShouldBe(1);
    }

    [Theory]
    [InlineData("data before headers")]
    [InlineData("push")]
    [InlineData("odd new stream")]
    [InlineData("bad settings")]
    [InlineData("length")]
    public async Task MisbehavingUpstream_LosesItsConnection(string how)
    {
        var (client, peer) = ConnectRaw();
        var stream = client.OpenStream()!;
        await stream.WriteHeadersAsync(Request("GET", "/"), true);
        await peer.SendAsync(Http2FrameType.Settings, 0, 0);
        await peer.ReadAsync(Http2FrameType.Headers);
        await (how switch
        {
            "data before headers" => peer.SendAsync(Http2FrameType.Data, 0, 1, 1, 2),
            "push" => peer.SendAsync(Http2FrameType.PushPromise, 4, 1, 0, 0, 0, 2, 0x88),
            "odd new stream" => peer.SendAsync(Http2FrameType.Headers, 5, 3, peer.Block((":status", "200"))),
            "length" => peer.SendAsync(Http2FrameType.Headers, 5, 1, peer.Block((":status", "200"), ("content-length", "5"))),
            _ => peer.SendAsync(Http2FrameType.Settings, 0, 0, 0, 4, 0xff, 0xff, 0xff, 0xff),
        });
        (await stream.ReadHeadersAsync()).Error.ShouldBe(StreamResetReason.ProtocolError);
        stream.Release();
        client.IsClosing.ShouldBeTrue();
        (await peer.ReadEndAsync()).ShouldNotBeNull();
        peer.Transport.Abort();
        await client.Completion.WaitAsync(Until.Limit);
    }

    [Fact]
    public async Task Upgrade_GoesAsExtendedConnectAndComesBackAsSwitchingProtocols()
    {
        var owner = new OwnerProbe();
        var (client, peer) = ConnectRaw(owner);
        await peer.SendAsync(Http2FrameType.Settings, 0, 0, [0, 8, .. Http2Peer.Number(1)]);
        await owner.Available.Task.WaitAsync(Until.Limit);
        var stream = client.OpenStream()!;
        var request = Request("GET", "/chat");
        request.Add(KnownHeader.Upgrade, "websocket"u8);
        request.Add(KnownHeader.Connection, "upgrade"u8);
        (await stream.WriteHeadersAsync(request, false)).ShouldBe(StreamResetReason.None);
        await stream.FlushAsync();
        var head = (await peer.ReadAsync(Http2FrameType.Headers)).Headers!;
        head.GetText(":method").ShouldBe("CONNECT");
        head.GetText(":protocol").ShouldBe("websocket");
        request.GetText(":method").ShouldBe("GET"); // as another try may need it
        await peer.SendAsync(Http2FrameType.Headers, 4, 1, peer.Block((":status", "200")));
        await stream.ReadHeadersAsync();
        stream.ResponseHeaders.Status.ShouldBe(101);
        stream.ResponseHeaders.GetText("upgrade").ShouldBe("websocket");
        await stream.WriteBodyAsync("ping"u8.ToArray(), false);
        await stream.FlushAsync();
        (await peer.ReadAsync(Http2FrameType.Data)).EndStream.ShouldBeFalse();
        stream.Release();
    }

    [Fact]
    public async Task Release_OfAnUnfinishedExchange_CancelsIt()
    {
        var (client, peer) = ConnectRaw();
        var stream = client.OpenStream()!;
        await stream.WriteHeadersAsync(Request("POST", "/"), false);
        await stream.FlushAsync();
        await peer.ReadAsync(Http2FrameType.Headers);
        stream.Release();
        (await peer.ReadAsync(Http2FrameType.RstStream)).ErrorCode.ShouldBe(Http2ErrorCode.Cancel);
        client.ActiveStreams.ShouldBe(0);
    }

    [Fact]
    public async Task Reset_FromAnotherThread_EndsWaits()
    {
        var (client, peer) = ConnectRaw();
        var stream = client.OpenStream()!;
        await stream.WriteHeadersAsync(Request("POST", "/"), false);
        var head = stream.ReadHeadersAsync().AsTask();
        var write = stream.WriteBodyAsync(new byte[100_000], true).AsTask();
        write.IsCompleted.ShouldBeFalse();
        stream.Reset(StreamResetReason.Timeout);
        (await head).Error.ShouldBe(StreamResetReason.Timeout);
        (await write).ShouldBe(StreamResetReason.Timeout);
        stream.Release();
        await peer.ReadAsync(Http2FrameType.RstStream);
    }

    [Fact]
    public async Task Keepalive_WithoutAnAnswer_ClosesTheConnection()
    {
        var time = new Nuncio.Testing.ManualTimeProvider();
        var (near, far) = MemoryTransport.CreatePair();
        var client = new Http2ClientConnection(
            near, new Http2Options { KeepaliveInterval = TimeSpan.FromSeconds(30), KeepaliveTimeout = TimeSpan.FromSeconds(5) }, time);
        client.Start();
        var peer = await AcceptAsync(far);
        await peer.SendAsync(Http2FrameType.Settings, 0, 0);
        time.Advance(TimeSpan.FromSeconds(31));
        var ping = await peer.ReadAsync(Http2FrameType.Ping);
        await peer.SendAsync(Http2FrameType.Ping, 1, 0, ping.Payload);
        await peer.SendAsync(Http2FrameType.Ping, 0, 0, new byte[8]);
        await peer.ReadAsync(Http2FrameType.Ping);
        client.IsClosing.ShouldBeFalse();
        time.Advance(TimeSpan.FromSeconds(31));
        await peer.ReadAsync(Http2FrameType.Ping);
        await Until.TrueAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(6));
            return client.Completion.IsCompleted;
        });
        await client.Completion.WaitAsync(Until.Limit);
        client.IsClosing.ShouldBeTrue();
    }

    private static HeaderMap Request(string method, string path)
    {
        var headers = new HeaderMap();
        headers.Add(KnownHeader.Method, Encoding.ASCII.GetBytes(method));
        headers.Add(KnownHeader.Scheme, "http"u8);
        headers.Add(KnownHeader.Authority, "test"u8);
        headers.Add(KnownHeader.Path, Encoding.ASCII.GetBytes(path));
        return headers;
    }

    private static (Http2ClientConnection Client, Http2ServerConnection Server) Connect()
    {
        var (near, far) = MemoryTransport.CreatePair();
        var server = new Http2ServerConnection(far, Http2ServerFixture.Info(), new ScriptedProcessor(), Http2Options.Default, TimeProvider.System);
        _ = server.RunAsync(default);
        var client = new Http2ClientConnection(near, Http2Options.Default, TimeProvider.System);
        client.Start();
        return (client, server);
    }

    private static (Http2ClientConnection Client, Http2Peer Peer) ConnectRaw(IHttpClientConnectionOwner? owner = null)
    {
        var (near, far) = MemoryTransport.CreatePair();
        var client = new Http2ClientConnection(near, Http2Options.Default, TimeProvider.System) { Owner = owner };
        client.Start();
        return (client, AcceptAsync(far).GetAwaiter().GetResult());
    }

    private static async Task<Http2Peer> AcceptAsync(MemoryTransport transport)
    {
        var preface = new byte[Http2Frames.Preface.Length];
        (await transport.ReadAsync(preface).AsTask().WaitAsync(Until.Limit)).ShouldBe(preface.Length);
        preface.AsSpan().SequenceEqual(Http2Frames.Preface).ShouldBeTrue();
        return new Http2Peer(transport);
    }

    private sealed class OwnerProbe : IHttpClientConnectionOwner
    {
        public TaskCompletionSource Available { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Closed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void OnStreamsAvailable(HttpClientConnection connection) => Available.TrySetResult();

        public void OnClosed(HttpClientConnection connection) => Closed.SetResult();
    }
}
