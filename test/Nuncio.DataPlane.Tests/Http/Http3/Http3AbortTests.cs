using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Http.Http3;
using Nuncio.DataPlane.Tests.Http.Http2;

namespace Nuncio.DataPlane.Tests.Http.Http3;

/// <summary>Requests that end before their time, by the client, the processor or the connection; and bodies that one side does not take.</summary>
public sealed class Http3AbortTests
{
    [Theory]
    [InlineData(true, true)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(false, false)]
    public async Task ClientThatGivesUp_IsToldOfOnce(bool isReset, bool isAnswered)
    {
        var handler = new RecordingAbortHandler();
        var server = new Http3ServerFixture(new RecordingProcessor(async stream =>
        {
            if (isAnswered)
            {
                await stream.WriteHeadersAsync(ScriptedProcessor.Head(200), false);
                await stream.FlushAsync();
            }

            stream.OnAborted(handler);
            (await handler.Aborted).ShouldBe(StreamResetReason.RemoteReset);

            // Nobody gets it, and nobody is hindered by that.
            await stream.WriteBodyAsync(new byte[100_000], false);
            await stream.WriteBodyAsync(new byte[10], true);
        }));
        var request = await server.Peer.RequestAsync(Http3Bytes.Post(), end: false);
        await Until.TrueAsync(() => server.Processor.Requests.Count == 1 && (!isAnswered || request.Outbound.Written > 0));
        if (isReset) request.ResetByPeer();
        else request.StopByPeer();
        request.ResetByPeer();
        request.StopByPeer();

        await Until.TrueAsync(() => request.IsClosed);

        handler.Calls.ShouldBe(1);
        server.Processor.Completed.ShouldBe(1);
        server.Metrics.ReceivedReset.Value.ShouldBe(1);
        server.Transport.Closed.IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task ClientThatHasGivenUp_IsToldOfToAHandlerThatComesLater()
    {
        var handler = new RecordingAbortHandler();
        var hasGivenUp = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var server = new Http3ServerFixture(new RecordingProcessor(async stream =>
        {
            await hasGivenUp.Task;
            stream.OnAborted(null);
            stream.OnAborted(handler);
            stream.OnAborted(handler);
        }));
        var request = await server.Peer.RequestAsync(Http3Bytes.Post(), end: false);
        await Until.TrueAsync(() => server.Processor.Requests.Count == 1);
        request.ResetByPeer();
        hasGivenUp.SetResult();

        (await handler.Aborted).ShouldBe(StreamResetReason.RemoteReset);
        await Until.TrueAsync(() => request.IsClosed);
    }

    [Fact]
    public async Task ClientThatResetsItsBody_FailsTheRead()
    {
        var server = new Http3ServerFixture(new RecordingProcessor(async stream =>
        {
            (await stream.ReadBodyAsync()).Data.Length.ShouldBe(3);
            var read = await stream.ReadBodyAsync();
            read.Error.ShouldBe(StreamResetReason.RemoteReset);
            read.EndStream.ShouldBeTrue();
        }));
        var request = await server.Peer.RequestAsync((byte[])[.. Http3Bytes.Post(), .. Http3Bytes.Frame(0, new byte[6])[..^3]], end: false);
        await Until.TrueAsync(() => request.Inbound.Read == request.Inbound.Written);
        request.ResetByPeer();

        await Until.TrueAsync(() => request.IsClosed);
        server.Processor.Completed.ShouldBe(1);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(0, false)]
    [InlineData(5, true)]
    [InlineData(5, false)]
    public async Task Head_ThatIsResetOrEnds_IsForgotten(int length, bool isReset)
    {
        var server = new Http3ServerFixture();
        var request = await server.Peer.RequestAsync(Http3Bytes.Frame(Http3Bytes.Grease, new byte[length]), end: !isReset);
        if (isReset) request.ResetByPeer();

        await Until.TrueAsync(() => request.IsClosed);

        request.Outbound.ResetCode.ShouldBe((long)Http3ErrorCode.RequestIncomplete);
        server.Processor.Requests.ShouldBeEmpty();
        await server.ShouldServeAsync();
    }

    [Fact]
    public async Task ClientThatResetsWhatItHasJustAsked_LosesItsConnection()
    {
        var server = new Http3ServerFixture(new RecordingProcessor(async stream =>
        {
            var handler = new RecordingAbortHandler();
            stream.OnAborted(handler);
            await handler.Aborted;
        }));
        for (var i = 0; i < 600 && !server.Transport.Closed.IsCompleted; i++)
        {
            var request = server.Transport.Open();
            await request.SendAsync(Http3Bytes.Get(), end: false);
            await Until.TrueAsync(() => server.Processor.Requests.Count > i);
            request.ResetByPeer();
        }

        (await server.ClosedAsync()).ShouldBe(Http3ErrorCode.ExcessiveLoad);
        server.Metrics.ReceivedReset.Value.ShouldBe(250);
        server.Connection.IsFailed.ShouldBeTrue();
    }

    [Theory]
    [InlineData(StreamResetReason.LocalReset, 0x102)]
    [InlineData(StreamResetReason.ProtocolError, 0x10E)]
    [InlineData(StreamResetReason.RemoteRefusedStream, 0x10B)]
    [InlineData(StreamResetReason.ConnectionFailure, 0x10F)]
    [InlineData(StreamResetReason.ConnectionTimeout, 0x10F)]
    [InlineData(StreamResetReason.Overflow, 0x107)]
    [InlineData(StreamResetReason.Timeout, 0x102)]
    public async Task ProcessorThatResets_EndsBothSides(StreamResetReason reason, long code)
    {
        var handler = new RecordingAbortHandler();
        var server = new Http3ServerFixture(new RecordingProcessor(async stream =>
        {
            stream.OnAborted(handler);
            await stream.WriteHeadersAsync(ScriptedProcessor.Head(200), false);
            stream.Reset(reason);
            stream.Reset(reason);
            (await stream.ReadBodyAsync()).Error.ShouldBe(StreamResetReason.LocalReset);
            await stream.WriteBodyAsync(new byte[10], true);
        }));
        var request = await server.Peer.RequestAsync(Http3Bytes.Post(), end: false);
        await Until.TrueAsync(() => request.IsClosed);

        request.Outbound.ResetCode.ShouldBe(code);
        request.Inbound.StopCode.ShouldBe(code);
        server.Processor.Completed.ShouldBe(1);
        server.Metrics.SentReset.Value.ShouldBe(1);
        handler.Calls.ShouldBe(0);
        server.Transport.Closed.IsCompleted.ShouldBeFalse();
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task ProcessorThatThrowsOrDoesNotFinish_CostsItsStream(bool throws, bool isStarted)
    {
        var server = new Http3ServerFixture(new RecordingProcessor(async stream =>
        {
            if (stream.RequestHeaders.GetText(":path") == "/")
            {
                await ScriptedProcessor.EchoAsync(stream);
                return;
            }

            if (isStarted) await stream.WriteHeadersAsync(ScriptedProcessor.Head(200), false);
            if (throws) throw new InvalidOperationException("A defect, for the test");
        }));

        var reply = await server.ExchangeAsync(Http3Bytes.Get("/defect"));

        reply.IsComplete.ShouldBeFalse();
        reply.Reset.ShouldBe(Http3ErrorCode.InternalError);
        await server.ShouldServeAsync();
    }

    [Fact]
    public async Task ReadingStoppedEarly_AnswersAndTellsTheClientToSendNoMore()
    {
        var server = new Http3ServerFixture(new RecordingProcessor(async stream =>
        {
            (await stream.ReadBodyAsync()).Data.Length.ShouldBe(3);
            var read = stream.ReadBodyAsync().AsTask();
            read.IsCompleted.ShouldBeFalse();
            stream.StopReading();
            stream.StopReading();
            (await read.WaitAsync(Until.Limit)).Error.ShouldBe(StreamResetReason.LocalReset);
            (await stream.ReadBodyAsync()).Error.ShouldBe(StreamResetReason.LocalReset);
            await stream.WriteHeadersAsync(ScriptedProcessor.Head(413), false);
            await stream.WriteBodyAsync("no more"u8.ToArray(), true);
        }));
        var request = await server.Peer.RequestAsync((byte[])[.. Http3Bytes.Post(), .. Http3Bytes.Data("abc")], end: false);

        var reply = await new Http3FrameReader(request).ReadReplyAsync();

        reply.Headers.Status.ShouldBe(413);
        reply.Text.ShouldBe("no more");
        reply.IsComplete.ShouldBeTrue();
        request.Inbound.StopCode.ShouldBe((long)Http3ErrorCode.NoError);
        server.Metrics.SentReset.Value.ShouldBe(0);
    }

    [Fact]
    public async Task ResponseBeforeTheRequestIsRead_IsWholeAndStopsIt()
    {
        var server = new Http3ServerFixture(new RecordingProcessor(stream => stream.WriteHeadersAsync(ScriptedProcessor.Head(403), true).AsTask()));
        var request = await server.Peer.RequestAsync((byte[])[.. Http3Bytes.Post(), .. Http3Bytes.Data("abc")], end: false);

        var reply = await new Http3FrameReader(request).ReadReplyAsync();
        await Until.TrueAsync(() => request.IsClosed);

        reply.Headers.Status.ShouldBe(403);
        reply.IsComplete.ShouldBeTrue();
        request.Inbound.StopCode.ShouldBe((long)Http3ErrorCode.NoError);
    }

    [Fact]
    public async Task Upload_ThatNobodyReads_StaysWithTheTransport()
    {
        const int Length = 3_000_000;
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var received = 0L;
        var server = new Http3ServerFixture(new RecordingProcessor(async stream =>
        {
            await gate.Task;
            BodyRead read;
            do
            {
                read = await stream.ReadBodyAsync();
                read.Error.ShouldBe(StreamResetReason.None);
                received += read.Data.Length;
            }
            while (!read.EndStream);

            await stream.WriteHeadersAsync(ScriptedProcessor.Head(200), true);
        }));
        var request = server.Transport.Open();
        request.Inbound.Window = 200_000;
        var sending = request.SendAsync((byte[])[.. Http3Bytes.Post(), .. Http3Bytes.Data(new byte[Length / 2]), .. Http3Bytes.Data(new byte[Length / 2])], end: true);
        await Until.TrueAsync(() => server.Processor.Requests.Count == 1);
        request.Inbound.Read.ShouldBeLessThanOrEqualTo(16 * 1024);
        sending.IsCompleted.ShouldBeFalse();
        gate.SetResult();

        (await new Http3FrameReader(request).ReadReplyAsync()).Headers.Status.ShouldBe(200);
        (await sending).ShouldBeTrue();
        received.ShouldBe(Length);
    }

    [Fact]
    public async Task Download_ThatTheClientDoesNotTake_HoldsTheProcessor()
    {
        const int Pieces = 50;
        var written = 0;
        var server = new Http3ServerFixture(new RecordingProcessor(async stream =>
        {
            await stream.WriteHeadersAsync(ScriptedProcessor.Head(200), false);
            for (var i = 0; i < Pieces; i++)
            {
                await stream.WriteBodyAsync(new byte[40_000], i == Pieces - 1);
                Interlocked.Increment(ref written);
            }
        }));
        var request = server.Transport.Open();
        request.Outbound.Window = 100_000;
        await request.SendAsync(Http3Bytes.Get(), end: true);
        await Until.TrueAsync(() => request.Outbound.Written == 100_000);
        written.ShouldBe(2);

        var reply = await new Http3FrameReader(request).ReadReplyAsync();

        reply.Body.Count.ShouldBe(Pieces * 40_000);
        reply.IsComplete.ShouldBeTrue();
    }

    [Fact]
    public async Task ManyRequestsAtOnce_EachGetTheirOwnBytes()
    {
        var server = new Http3ServerFixture();
        var exchanges = Enumerable.Range(0, 60).Select(async number =>
        {
            var random = new Random(number);
            var body = new byte[random.Next(1, 120_000)];
            random.NextBytes(body);
            var request = server.Transport.Open();
            request.Outbound.Window = 20_000;
            var reading = new Http3FrameReader(request).ReadReplyAsync();
            byte[] bytes = [.. Http3Bytes.Post($"/{number}"), .. Http3Bytes.Data(body), .. Http3Bytes.Headers(("x-number", $"{number}"))];
            for (var at = 0; at < bytes.Length;)
            {
                var length = Math.Min(bytes.Length - at, random.Next(1, 30_000));
                at += length;
                await request.SendAsync(bytes.AsMemory(at - length, length), at == bytes.Length);
                await Task.Yield();
            }

            var reply = await reading;
            reply.Body.ToArray().AsSpan().SequenceEqual(body).ShouldBeTrue();
            reply.Trailers!.GetText("x-number").ShouldBe($"{number}");
        });

        await Task.WhenAll(exchanges).WaitAsync(Until.Limit);

        server.Processor.Requests.Count.ShouldBe(60);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ConnectionThatIsLost_EndsRequestsInEveryPhase(bool byPeer)
    {
        var handlers = new List<RecordingAbortHandler>();
        var reached = 0;
        var server = new Http3ServerFixture(new RecordingProcessor(async stream =>
        {
            var handler = new RecordingAbortHandler();
            lock (handlers) handlers.Add(handler);
            stream.OnAborted(handler);
            switch (stream.RequestHeaders.GetText(":path"))
            {
                case "/reads":
                    Interlocked.Increment(ref reached);
                    (await stream.ReadBodyAsync()).Error.ShouldBeOneOf(StreamResetReason.ConnectionTermination, StreamResetReason.RemoteReset);
                    break;
                case "/writes":
                    await stream.WriteHeadersAsync(ScriptedProcessor.Head(200), false);
                    Interlocked.Increment(ref reached);
                    await stream.WriteBodyAsync(new byte[100_000], true);
                    break;
                default:
                    Interlocked.Increment(ref reached);
                    await handler.Aborted;
                    break;
            }
        }));
        var unknown = await server.Peer.UnidirectionalAsync(default);
        var control = await server.Peer.StartAsync();
        var head = await server.Peer.RequestAsync(Http3Bytes.Get().AsMemory(0, 3), end: false);
        var reads = await server.Peer.RequestAsync(Http3Bytes.Post("/reads"), end: false);
        var waits = await server.Peer.RequestAsync(Http3Bytes.Get("/waits"));
        var writes = server.Transport.Open();
        writes.Outbound.Window = 1000;
        await writes.SendAsync(Http3Bytes.Get("/writes"), end: true);
        await Until.TrueAsync(() => Volatile.Read(ref reached) == 3 && writes.Outbound.Written == 1000 && head.Inbound.Read == 3);
        if (byPeer) server.Transport.EndByPeer();
        else server.Connection.Abort();

        (await server.ClosedAsync()).ShouldBe(byPeer ? null : Http3ErrorCode.InternalError);

        await Until.TrueAsync(() => new[] { unknown, control, head, reads, waits, writes }.All(stream => stream.IsClosed));
        server.Processor.Completed.ShouldBe(3);
        server.Connection.EndedInRequest.ShouldBeTrue();
        server.Connection.IsFailed.ShouldBeFalse();
        foreach (var handler in handlers)
        {
            (await handler.Aborted).ShouldBe(StreamResetReason.ConnectionTermination);
            handler.Calls.ShouldBe(1);
        }

        server.Metrics.ReceivedReset.Value.ShouldBe(0);
        (await server.Transport.Open().SendAsync(Http3Bytes.Get())).ShouldBeFalse();
    }

    [Fact]
    public async Task ConnectionThatEndsBetweenRequests_EndedInNone()
    {
        var server = new Http3ServerFixture();
        var request = await server.Peer.RequestAsync(Http3Bytes.Get());
        (await new Http3FrameReader(request).ReadReplyAsync()).IsComplete.ShouldBeTrue();
        await Until.TrueAsync(() => request.IsClosed && server.Processor.Completed == 1);
        server.Connection.Drain();
        await Until.TrueAsync(() =>
        {
            server.Time.Advance(TimeSpan.FromSeconds(1));
            return server.Transport.Closed.IsCompleted;
        });

        await server.ClosedAsync();

        server.Connection.EndedInRequest.ShouldBeFalse();
    }
}
