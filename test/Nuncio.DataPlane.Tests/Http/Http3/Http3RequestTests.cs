using System.Globalization;
using System.Text;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Http.Http3;
using Nuncio.DataPlane.Tests.Http.Http2;

namespace Nuncio.DataPlane.Tests.Http.Http3;

/// <summary>Frames and messages of a request stream: RFC 9114 sections 4 and 7.</summary>
public sealed class Http3RequestTests
{
    private static readonly byte[] Noise = Http3Bytes.Frame(Http3Bytes.Grease, new byte[100]);

    public static TheoryData<string, byte[], long> BrokenStreams => new()
    {
        { "DATA before HEADERS", [.. Http3Bytes.Data("a"), .. Http3Bytes.Get()], (long)Http3ErrorCode.FrameUnexpected },
        { "SETTINGS", [.. Http3Bytes.Settings(), .. Http3Bytes.Get()], (long)Http3ErrorCode.FrameUnexpected },
        { "GOAWAY", [.. Http3Bytes.Frame(7, 0), .. Http3Bytes.Get()], (long)Http3ErrorCode.FrameUnexpected },
        { "MAX_PUSH_ID", [.. Http3Bytes.Frame(13, 0), .. Http3Bytes.Get()], (long)Http3ErrorCode.FrameUnexpected },
        { "CANCEL_PUSH", [.. Http3Bytes.Frame(3, 0), .. Http3Bytes.Get()], (long)Http3ErrorCode.FrameUnexpected },
        { "PUSH_PROMISE", [.. Http3Bytes.Frame(5, 0), .. Http3Bytes.Get()], (long)Http3ErrorCode.FrameUnexpected },
        { "a frame of HTTP/2", [.. Http3Bytes.Frame(2), .. Http3Bytes.Get()], (long)Http3ErrorCode.FrameUnexpected },
        { "SETTINGS in the body", [.. Http3Bytes.Post(), .. Http3Bytes.Settings()], (long)Http3ErrorCode.FrameUnexpected },
        { "GOAWAY in the body", [.. Http3Bytes.Post(), .. Http3Bytes.Frame(7, 0)], (long)Http3ErrorCode.FrameUnexpected },
        { "PUSH_PROMISE in the body", [.. Http3Bytes.Post(), .. Http3Bytes.Frame(5, 0)], (long)Http3ErrorCode.FrameUnexpected },
        { "a frame of HTTP/2 in the body", [.. Http3Bytes.Post(), .. Http3Bytes.Data("a"), .. Http3Bytes.Frame(9)], (long)Http3ErrorCode.FrameUnexpected },
        { "DATA after trailers", [.. Http3Bytes.Post(), .. Http3Bytes.Headers(("x-t", "1")), .. Http3Bytes.Data("a")], (long)Http3ErrorCode.FrameUnexpected },
        {
            "HEADERS after trailers", [.. Http3Bytes.Post(), .. Http3Bytes.Headers(("x-t", "1")), .. Http3Bytes.Headers(("x-t", "2"))],
            (long)Http3ErrorCode.FrameUnexpected
        },
        { "a section that cannot be decoded", Http3Bytes.Frame(1, 0, 0, 0x80), (long)Http3ErrorCode.QpackDecompressionFailed },
        { "an empty section", Http3Bytes.Frame(1), (long)Http3ErrorCode.QpackDecompressionFailed },
        { "trailers that cannot be decoded", [.. Http3Bytes.Post(), .. Http3Bytes.Frame(1, 0, 0, 0x80)], (long)Http3ErrorCode.QpackDecompressionFailed },
        { "the end in a frame's type", [0x40], (long)Http3ErrorCode.FrameError },
        { "the end in a frame's length", [1, 0x40], (long)Http3ErrorCode.FrameError },
        { "the end in HEADERS", Http3Bytes.Get()[..^1], (long)Http3ErrorCode.FrameError },
        { "the end in an unknown frame", Noise[..^1], (long)Http3ErrorCode.FrameError },
        { "the end in DATA", [.. Http3Bytes.Post(), .. Http3Bytes.Data("abc")[..^1]], (long)Http3ErrorCode.FrameError },
        { "the end at the beginning of DATA", [.. Http3Bytes.Post(), 0, 3], (long)Http3ErrorCode.FrameError },
        { "the end in the length of DATA", [.. Http3Bytes.Post(), 0, 0x80], (long)Http3ErrorCode.FrameError },
        { "the end in an unknown frame of the body", [.. Http3Bytes.Post(), .. Noise[..^1]], (long)Http3ErrorCode.FrameError },
        { "the end in trailers", [.. Http3Bytes.Post(), .. Http3Bytes.Headers(("x-t", "1"))[..^1]], (long)Http3ErrorCode.FrameError },
        {
            "the end in an unknown frame after trailers", [.. Http3Bytes.Post(), .. Http3Bytes.Headers(("x-t", "1")), .. Noise[..^1]],
            (long)Http3ErrorCode.FrameError
        },
    };

    public static TheoryData<string, (string, string)[]> MalformedHeads => new()
    {
        { "no method", [(":scheme", "https"), (":authority", "a"), (":path", "/")] },
        { "no scheme", [(":method", "GET"), (":authority", "a"), (":path", "/")] },
        { "no path", [(":method", "GET"), (":scheme", "https"), (":authority", "a")] },
        { "no authority", [(":method", "GET"), (":scheme", "https"), (":path", "/")] },
        { "an empty authority", [(":method", "GET"), (":scheme", "https"), (":authority", ""), (":path", "/")] },
        { "an empty path", [(":method", "GET"), (":scheme", "https"), (":authority", "a"), (":path", "")] },
        { "a path without a slash", [(":method", "GET"), (":scheme", "https"), (":authority", "a"), (":path", "a")] },
        { "a method twice", [(":method", "GET"), (":method", "GET"), (":scheme", "https"), (":authority", "a"), (":path", "/")] },
        { "a status", [(":method", "GET"), (":scheme", "https"), (":authority", "a"), (":path", "/"), (":status", "200")] },
        { "an unknown pseudo-header", [(":method", "GET"), (":scheme", "https"), (":authority", "a"), (":path", "/"), (":other", "1")] },
        { "a pseudo-header after a header", [(":method", "GET"), (":scheme", "https"), (":authority", "a"), ("x-a", "1"), (":path", "/")] },
        { "upper case", [(":method", "GET"), (":scheme", "https"), (":authority", "a"), (":path", "/"), ("X-Own", "1")] },
        { "no name", [(":method", "GET"), (":scheme", "https"), (":authority", "a"), (":path", "/"), ("", "1")] },
        { "connection", [(":method", "GET"), (":scheme", "https"), (":authority", "a"), (":path", "/"), ("connection", "close")] },
        { "keep-alive", [(":method", "GET"), (":scheme", "https"), (":authority", "a"), (":path", "/"), ("keep-alive", "1")] },
        { "proxy-connection", [(":method", "GET"), (":scheme", "https"), (":authority", "a"), (":path", "/"), ("proxy-connection", "1")] },
        { "transfer-encoding", [(":method", "POST"), (":scheme", "https"), (":authority", "a"), (":path", "/"), ("transfer-encoding", "chunked")] },
        { "upgrade", [(":method", "GET"), (":scheme", "https"), (":authority", "a"), (":path", "/"), ("upgrade", "websocket")] },
        { "te", [(":method", "GET"), (":scheme", "https"), (":authority", "a"), (":path", "/"), ("te", "gzip")] },
        { "a line break", [(":method", "GET"), (":scheme", "https"), (":authority", "a"), (":path", "/"), ("x-a", "1\r\nx-b: 2")] },
        { "a zero", [(":method", "GET"), (":scheme", "https"), (":authority", "a"), (":path", "/"), ("x-a", "\0")] },
        { "two hosts", [(":method", "GET"), (":scheme", "https"), (":path", "/"), ("host", "a"), ("host", "b")] },
        { "two lengths", [(":method", "POST"), (":scheme", "https"), (":authority", "a"), (":path", "/"), ("content-length", "1"), ("content-length", "1")] },
        { "a length that is none", [(":method", "POST"), (":scheme", "https"), (":authority", "a"), (":path", "/"), ("content-length", "+1")] },
        { "a host beside another authority", [(":method", "GET"), (":scheme", "https"), (":authority", "a"), (":path", "/"), ("host", "b")] },
        { "extended CONNECT that was not offered", [(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https"), (":authority", "a"), (":path", "/")] },
        { "CONNECT with a path", [(":method", "CONNECT"), (":scheme", "https"), (":authority", "a"), (":path", "/")] },
    };

    [Theory]
    [MemberData(nameof(BrokenStreams))]
    public async Task RequestStream_ThatBreaksARule_EndsTheConnection(string what, byte[] bytes, long error)
    {
        var handler = new RecordingAbortHandler();
        foreach (var isCut in new[] { false, true })
        {
            var server = new Http3ServerFixture(new RecordingProcessor(async stream =>
            {
                stream.OnAborted(handler);
                BodyRead read;
                do
                {
                    read = await stream.ReadBodyAsync();
                }
                while (!read.EndStream);

                read.Error.ShouldBe(StreamResetReason.ProtocolError);
            }));
            var stream = server.Transport.Open();
            if (isCut)
            {
                foreach (var b in bytes) await stream.SendAsync(new[] { b });
                await stream.SendAsync(default, end: true);
            }
            else
            {
                await stream.SendAsync(bytes, end: true);
            }

            (await server.ClosedAsync()).ShouldBe((Http3ErrorCode)error, what);
            server.Connection.IsFailed.ShouldBeTrue();
            server.Processor.Requests.Count.ShouldBeLessThanOrEqualTo(1);
            await Until.TrueAsync(() => stream.IsClosed);
            server.Processor.Completed.ShouldBe(server.Processor.Requests.Count);
        }
    }

    [Theory]
    [MemberData(nameof(MalformedHeads))]
    public async Task Head_ThatBreaksARule_CostsTheConnectionOrTheStreamAlone(string what, (string, string)[] headers)
    {
        var strict = new Http3ServerFixture();
        await strict.Peer.RequestAsync(Http3Bytes.Headers(headers));
        (await strict.ClosedAsync()).ShouldBe(Http3ErrorCode.MessageError, what);
        strict.Processor.Unreadable.Count.ShouldBe(1);
        strict.Connection.IsFailed.ShouldBeTrue();

        var lenient = new Http3ServerFixture(options: new Http3Options { StreamErrorOnInvalidHttpMessage = true });
        var stream = await lenient.Peer.RequestAsync(Http3Bytes.Headers(headers));
        await Until.TrueAsync(() => stream.IsClosed);
        stream.Outbound.ResetCode.ShouldBe((long)Http3ErrorCode.MessageError, what);
        lenient.Processor.Unreadable.Count.ShouldBe(1);
        lenient.Processor.Requests.ShouldBeEmpty();
        await lenient.ShouldServeAsync();
        lenient.Connection.IsFailed.ShouldBeFalse();
    }

    [Fact]
    public async Task Head_WithALengthAndNoBody_CostsItsStreamAlone()
    {
        var server = new Http3ServerFixture();

        var stream = await server.Peer.RequestAsync(
            Http3Bytes.Headers((":method", "POST"), (":scheme", "https"), (":authority", "a"), (":path", "/"), ("content-length", "1")));

        await Until.TrueAsync(() => stream.IsClosed);
        stream.Outbound.ResetCode.ShouldBe((long)Http3ErrorCode.MessageError);
        server.Processor.Unreadable.Count.ShouldBe(1);
        await server.ShouldServeAsync();
    }

    [Fact]
    public async Task Request_WithUnknownFramesEverywhere_IsTaken()
    {
        var server = new Http3ServerFixture();

        var reply = await server.ExchangeAsync((byte[])
        [
            .. Noise, .. Http3Bytes.Frame(Http3Bytes.Grease), .. Http3Bytes.Post("/a"), .. Noise, .. Http3Bytes.Data("one"), .. Noise, .. Http3Bytes.Data(""),
            .. Http3Bytes.Data("two"), .. Noise, .. Http3Bytes.Headers(("x-checksum", "7")), .. Noise, .. Noise,
        ]);

        reply.Headers.Status.ShouldBe(200);
        reply.Text.ShouldBe("onetwo");
        reply.Trailers!.GetText("x-checksum").ShouldBe("7");
        reply.IsComplete.ShouldBeTrue();
        server.Processor.Requests.ShouldBe(["POST /a"]);
    }

    [Fact]
    public async Task Request_ByteByByte_IsTaken()
    {
        var server = new Http3ServerFixture();
        byte[] bytes = [.. Noise, .. Http3Bytes.Post("/a", ("content-length", "5")), .. Http3Bytes.Data("hel"), .. Http3Bytes.Data("lo"), .. Http3Bytes.Headers(("x-t", "1"))];
        var stream = server.Transport.Open();
        foreach (var b in bytes) await stream.SendAsync(new[] { b });
        await stream.SendAsync(default, end: true);

        var reply = await new Http3FrameReader(stream).ReadReplyAsync();

        reply.Text.ShouldBe("hello");
        reply.Trailers!.GetText("x-t").ShouldBe("1");
        reply.IsComplete.ShouldBeTrue();
        stream.Outbound.ResetCode.ShouldBeNull();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task End_WithAndAfterTheLastFrame_IsTheEnd(bool isWithIt)
    {
        bool? getEnded = null;
        bool? postEnded = null;
        var server = new Http3ServerFixture(new RecordingProcessor(async stream =>
        {
            if (stream.RequestHeaders.GetText(":path") == "/get") getEnded = stream.RequestEndedWithHeaders;
            else postEnded = stream.RequestEndedWithHeaders;
            await ScriptedProcessor.EchoAsync(stream);
        }));
        var get = await server.Peer.RequestAsync(Http3Bytes.Get("/get"), isWithIt);
        var post = await server.Peer.RequestAsync((byte[])[.. Http3Bytes.Post(), .. Http3Bytes.Data("abc")], isWithIt);
        await Until.TrueAsync(() => server.Processor.Requests.Count == 2);
        if (!isWithIt)
        {
            await get.SendAsync(default, end: true);
            await post.SendAsync(default, end: true);
        }

        var first = await new Http3FrameReader(get).ReadReplyAsync();
        var second = await new Http3FrameReader(post).ReadReplyAsync();

        first.IsComplete.ShouldBeTrue();
        second.IsComplete.ShouldBeTrue();
        second.Text.ShouldBe("abc");
        getEnded.ShouldBe(isWithIt);
        postEnded.ShouldBe(false);
        await Until.TrueAsync(() => get.IsClosed && post.IsClosed);
        get.Inbound.StopCode.ShouldBeNull();
        post.Inbound.StopCode.ShouldBeNull();
    }

    [Theory]
    [InlineData("4", "12345")]
    [InlineData("4", "123")]
    [InlineData("4", "")]
    [InlineData("0", "1")]
    public async Task Body_OfAnotherLengthThanWasSaid_CostsTheStream(string length, string body)
    {
        foreach (var isCut in new[] { false, true })
        {
            var handler = new RecordingAbortHandler();
            var server = new Http3ServerFixture(new RecordingProcessor(async stream =>
            {
                stream.OnAborted(handler);
                BodyRead read;
                do
                {
                    read = await stream.ReadBodyAsync();
                }
                while (!read.EndStream);

                read.Error.ShouldBe(StreamResetReason.ProtocolError);
            }));
            var stream = await server.Peer.RequestAsync(Http3Bytes.Post("/", ("content-length", length)), end: false);
            if (isCut) await Until.TrueAsync(() => server.Processor.Requests.Count == 1);
            await stream.SendAsync(Http3Bytes.Data(body), end: true);

            (await handler.Aborted).ShouldBe(StreamResetReason.ProtocolError);
            await Until.TrueAsync(() => stream.IsClosed);
            stream.Outbound.ResetCode.ShouldBe((long)Http3ErrorCode.MessageError);
            handler.Calls.ShouldBe(1);
            server.Metrics.SentReset.Value.ShouldBe(1);
            await server.Peer.RequestAsync(Http3Bytes.Get());
            await Until.TrueAsync(() => server.Processor.Requests.Count == 2);
            server.Transport.Closed.IsCompleted.ShouldBeFalse();
        }
    }

    [Fact]
    public async Task Body_OfTheLengthThatWasSaid_IsTakenInPieces()
    {
        var server = new Http3ServerFixture();

        var reply = await server.ExchangeAsync((byte[])
        [
            .. Http3Bytes.Post("/", ("content-length", "6")), .. Http3Bytes.Data("abc"), .. Http3Bytes.Data(""), .. Http3Bytes.Data("def"), .. Http3Bytes.Data(""),
        ]);

        reply.Text.ShouldBe("abcdef");
        reply.IsComplete.ShouldBeTrue();
    }

    [Theory]
    [InlineData(":path", "/")]
    [InlineData("content-length", "1")]
    [InlineData("host", "a")]
    [InlineData("X-Own", "1")]
    [InlineData("transfer-encoding", "chunked")]
    [InlineData("x-a", "1\n2")]
    public async Task Trailers_ThatMayNotBe_CostTheStream(string name, string value)
    {
        var server = new Http3ServerFixture();

        var reply = await server.ExchangeAsync((byte[])[.. Http3Bytes.Post(), .. Http3Bytes.Data("a"), .. Http3Bytes.Headers((name, value))]);

        reply.Reset.ShouldBe(Http3ErrorCode.MessageError);
        server.Metrics.SentReset.Value.ShouldBe(1);
        await server.ShouldServeAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Headers_OverALimit_CostTheStream(bool areTrailers)
    {
        var options = new Http3Options { MaxHeaderBytes = 1000, MaxHeaderCount = 10 };
        byte[][] sections =
        [
            Http3Bytes.Headers([.. Head(), ("x-a", new string('a', 1000))]),
            Http3Bytes.Headers([.. Head(), .. Enumerable.Range(0, 11).Select(i => ($"x-{i.ToString(CultureInfo.InvariantCulture)}", "1"))]),

            // Longer than any section of the limits, which need not be read.
            Http3Bytes.Frame(Http3FrameType.Headers, new byte[2000]),
            [1, .. Http3Bytes.Integer(1L << 60), 0, 0],
        ];
        foreach (var section in sections)
        {
            var server = new Http3ServerFixture(options: options);
            var stream = await server.Peer.RequestAsync((byte[])[.. areTrailers ? Http3Bytes.Post() : [], .. section], end: false);

            var reply = await new Http3FrameReader(stream).ReadReplyAsync();

            reply.Reset.ShouldBe(Http3ErrorCode.ExcessiveLoad);
            server.Processor.Requests.Count.ShouldBe(areTrailers ? 1 : 0);
            server.Metrics.SentReset.Value.ShouldBe(1);
            await Until.TrueAsync(() => stream.IsClosed);
            await server.ShouldServeAsync();
        }

        (string, string)[] Head() => areTrailers ? [] : [(":method", "GET"), (":scheme", "https"), (":authority", "a"), (":path", "/")];
    }

    [Fact]
    public async Task Headers_AtTheLimits_AreTaken()
    {
        var server = new Http3ServerFixture(options: new Http3Options { MaxHeaderBytes = 1000, MaxHeaderCount = 5 });
        (string Name, string Value)[] head = [(":method", "GET"), (":scheme", "https"), (":authority", "a"), (":path", "/")];
        var rest = 1000 - head.Sum(header => header.Name.Length + header.Value.Length) - 3;

        // Characters whose Huffman codes are longer than they are, so that the section is as long as one can be.
        (await server.ExchangeAsync(Http3Bytes.Headers([.. head, ("x-a", new string('~', rest))]))).Headers.Status.ShouldBe(200);
        (await server.ExchangeAsync(Http3Bytes.Headers([.. head, ("x-a", new string('~', rest + 1))]))).Reset.ShouldBe(Http3ErrorCode.ExcessiveLoad);
    }

    [Fact]
    public async Task Underscores_AreTakenRefusedOrDropped()
    {
        var seen = "";
        foreach (var action in Enum.GetValues<HeaderUnderscoreAction>())
        {
            var server = new Http3ServerFixture(
                new RecordingProcessor(async stream =>
                {
                    seen = stream.RequestHeaders.GetText("x_own") ?? "none";
                    await ScriptedProcessor.EchoAsync(stream);
                }),
                new Http3Options { UnderscoreAction = action });

            var reply = await server.ExchangeAsync(Http3Bytes.Get("/", ("x_own", "1"), ("x-other", "2")));

            switch (action)
            {
                case HeaderUnderscoreAction.Allow:
                    seen.ShouldBe("1");
                    break;
                case HeaderUnderscoreAction.DropHeader:
                    seen.ShouldBe("none");
                    break;
                default:
                    reply.Reset.ShouldBe(Http3ErrorCode.RequestRejected);
                    server.Processor.Requests.ShouldBeEmpty();
                    server.Metrics.RejectedWithUnderscores.Value.ShouldBe(1);
                    break;
            }

            await server.ShouldServeAsync();
        }
    }

    [Fact]
    public async Task Connect_IsATunnelOfData()
    {
        var server = new Http3ServerFixture();
        var stream = await server.Peer.RequestAsync(Http3Bytes.Headers((":method", "CONNECT"), (":authority", "a:1")), end: false);
        var reader = new Http3FrameReader(stream);
        Http3FrameReader.Decode((await FlushedHeadAsync()).Payload, false).Status.ShouldBe(200);
        await stream.SendAsync(Http3Bytes.Data("there and back"), end: true);

        var back = "";
        while (await reader.ReadAsync() is { } frame) back += Encoding.ASCII.GetString(frame.Payload);

        back.ShouldBe("there and back");

        async Task<Http3Frame> FlushedHeadAsync()
        {
            // The echo flushes with the first byte.
            await stream.SendAsync(Http3Bytes.Data(""));
            await stream.SendAsync(Http3Bytes.Data(" "));
            var head = (await reader.ReadAsync())!;
            (await reader.ReadAsync())!.Payload.ShouldBe(" "u8.ToArray());
            return head;
        }
    }

    [Fact]
    public async Task ExtendedConnect_IsShownAsAnUpgradeAndAnsweredWithoutOne()
    {
        var server = new Http3ServerFixture(
            new RecordingProcessor(async stream =>
            {
                stream.RequestHeaders.GetText("upgrade").ShouldBe("websocket");
                stream.RequestHeaders.GetText("connection").ShouldBe("upgrade");
                stream.RequestHeaders.Contains(KnownHeader.Protocol).ShouldBeFalse();
                var head = ScriptedProcessor.Head(101);
                head.Add("upgrade"u8, "websocket"u8);
                head.Add("connection"u8, "upgrade"u8);
                head.Add("sec-websocket-protocol"u8, "chat"u8);
                await stream.WriteHeadersAsync(head, false);
                await stream.FlushAsync();
                stream.ResponseStarted.ShouldBeTrue();
                BodyRead read;
                do
                {
                    read = await stream.ReadBodyAsync();
                    await stream.WriteBodyAsync(read.Data, read.EndStream);
                    if (!read.EndStream) await stream.FlushAsync();
                }
                while (!read.EndStream);
            }),
            new Http3Options { AllowExtendedConnect = true });
        var stream = await server.Peer.RequestAsync(
            Http3Bytes.Headers((":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https"), (":authority", "a"), (":path", "/chat")), end: false);
        var reader = new Http3FrameReader(stream);

        var head = Http3FrameReader.Decode((await reader.ReadAsync())!.Payload, false);
        await stream.SendAsync(Http3Bytes.Data("hello"));
        (await reader.ReadAsync())!.Payload.ShouldBe("hello"u8.ToArray());
        await stream.SendAsync(default, end: true);

        (await reader.ReadAsync()).ShouldBeNull();
        stream.Outbound.ResetCode.ShouldBeNull();
        head.Status.ShouldBe(200);
        head.GetText("sec-websocket-protocol").ShouldBe("chat");
        head.Count.ShouldBe(2);
        server.Processor.Requests.ShouldBe(["GET /chat"]);
        await Until.TrueAsync(() => server.Processor.Completed == 1);
    }

    [Fact]
    public async Task ExtendedConnect_WithoutAProtocolOrWithAnotherMethod_IsMalformed()
    {
        foreach (var (method, protocol) in new[] { ("GET", "websocket"), ("CONNECT", "") })
        {
            var server = new Http3ServerFixture(options: new Http3Options { AllowExtendedConnect = true });
            await server.Peer.RequestAsync(
                Http3Bytes.Headers((":method", method), (":protocol", protocol), (":scheme", "https"), (":authority", "a"), (":path", "/")), end: false);

            (await server.ClosedAsync()).ShouldBe(Http3ErrorCode.MessageError);
        }
    }

    [Fact]
    public async Task Response_WithInterimOnesAndTrailers_ComesAsItWasWritten()
    {
        var server = new Http3ServerFixture(new RecordingProcessor(async stream =>
        {
            await stream.WriteHeadersAsync(ScriptedProcessor.Head(100), false);
            await stream.FlushAsync();
            await stream.WriteHeadersAsync(ScriptedProcessor.Head(103), false);
            stream.ResponseStarted.ShouldBeFalse();
            var head = ScriptedProcessor.Head(200);
            head.Add("content-length"u8, "4"u8);
            head.Add("connection"u8, "close"u8);
            head.Add("transfer-encoding"u8, "chunked"u8);
            head.Add("te"u8, "gzip"u8);
            head.Add("x-own"u8, "1"u8);
            await stream.WriteHeadersAsync(head, false);
            stream.ResponseStarted.ShouldBeTrue();
            await stream.WriteBodyAsync("bo"u8.ToArray(), false);
            await stream.WriteBodyAsync("dy"u8.ToArray(), false);
            var trailers = new HeaderMap();
            trailers.Add("grpc-status"u8, "0"u8);
            trailers.Add("content-length"u8, "4"u8);
            await stream.WriteTrailersAsync(trailers);
            stream.ResponseEnded.ShouldBeTrue();
        }));

        var reply = await server.ExchangeAsync(Http3Bytes.Get());

        reply.Interim.ShouldBe([100, 103]);
        reply.Headers.GetText("content-length").ShouldBe("4");
        reply.Headers.GetText("x-own").ShouldBe("1");
        reply.Headers.Count.ShouldBe(3);
        reply.Text.ShouldBe("body");
        reply.Trailers!.Count.ShouldBe(1);
        reply.Trailers.GetText("grpc-status").ShouldBe("0");
        reply.IsComplete.ShouldBeTrue();
    }
}
