using System.Text;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Http.Http2;

namespace Nuncio.DataPlane.Tests.Http.Http2;

public sealed class Http2ServerConnectionTests
{
    [Fact]
    public async Task Request_WithBodyAndTrailers_IsEchoedWithThem()
    {
        var server = new Http2ServerFixture();
        await server.Peer.StartClientAsync();
        await server.Peer.RequestAsync(1, false);
        await server.Peer.SendAsync(Http2FrameType.Data, 0, 1, "hello"u8.ToArray());
        await server.Peer.SendAsync(Http2FrameType.Headers, 5, 1, server.Peer.Block(("x-checksum", "1")));
        (await server.Peer.ReadAsync(Http2FrameType.Headers)).Headers!.Status.ShouldBe(200);
        var body = "";
        PeerFrame frame;
        while ((frame = (await server.Peer.ReadAsync())!).Type == Http2FrameType.Data) body += Encoding.ASCII.GetString(frame.Payload);
        body.ShouldBe("hello");
        frame.Type.ShouldBe(Http2FrameType.Headers);
        frame.EndStream.ShouldBeTrue();
    }

    [Fact]
    public async Task Response_ToAClientWithTinyWindows_ComesAsTheyOpen()
    {
        var server = new Http2ServerFixture(new ScriptedProcessor(async stream =>
        {
            await stream.WriteHeadersAsync(ScriptedProcessor.Head(200), false);
            await stream.WriteBodyAsync(new byte[1000], true);
        }));
        await server.Peer.StartClientAsync([0, 4, .. Http2Peer.Number(100)]);
        await server.Peer.RequestAsync(1, true);
        var received = 0;
        while (received < 1000)
        {
            var data = await server.Peer.ReadAsync(Http2FrameType.Data);
            data.Payload.Length.ShouldBeLessThanOrEqualTo(100);
            received += data.Payload.Length;
            data.EndStream.ShouldBe(received == 1000);
            if (received < 1000) await server.Peer.SendAsync(Http2FrameType.WindowUpdate, 0, 1, Http2Peer.Number(100));
        }
    }

    [Fact]
    public async Task Response_BeyondTheConnectionWindow_IsSharedFairly()
    {
        var server = new Http2ServerFixture(new ScriptedProcessor(async stream =>
        {
            await stream.WriteHeadersAsync(ScriptedProcessor.Head(200), false);
            await stream.WriteBodyAsync(new byte[200_000], true);
        }));
        await server.Peer.StartClientAsync([0, 4, .. Http2Peer.Number(1 << 20)]);
        for (var i = 0; i < 4; i++) await server.Peer.RequestAsync(1 + (2 * i), true);
        var received = new int[8];
        var total = 0;
        while (total < 65535)
        {
            var data = await server.Peer.ReadAsync(Http2FrameType.Data);
            received[data.StreamId] += data.Payload.Length;
            total += data.Payload.Length;
        }

        await server.Peer.SendAsync(Http2FrameType.WindowUpdate, 0, 0, Http2Peer.Number(160_000));
        while (total < 65535 + 160_000)
        {
            var data = await server.Peer.ReadAsync(Http2FrameType.Data);
            received[data.StreamId] += data.Payload.Length;
            total += data.Payload.Length;
        }

        for (var i = 3; i < 8; i += 2) received[i].ShouldBeGreaterThanOrEqualTo(32_000);
    }

    [Fact]
    public async Task Upload_ThatNobodyReads_StopsAtTheWindow()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var options = new Http2Options { InitialStreamWindowSize = 65535, InitialConnectionWindowSize = 65535 };
        var server = new Http2ServerFixture(new ScriptedProcessor(async stream =>
        {
            await gate.Task;
            await ScriptedProcessor.EchoAsync(stream);
        }), options);
        await server.Peer.StartClientAsync([0, 4, .. Http2Peer.Number(1 << 20)]);
        await server.Peer.SendAsync(Http2FrameType.WindowUpdate, 0, 0, Http2Peer.Number(1 << 20));
        await server.Peer.RequestAsync(1, false);
        for (var i = 0; i < 3; i++) await server.Peer.SendAsync(Http2FrameType.Data, 0, 1, new byte[16384]);
        await server.Peer.SendAsync(Http2FrameType.Data, 0, 1, new byte[16383]);
        await server.Peer.SendAsync(Http2FrameType.Ping, 0, 0, new byte[8]);
        PeerFrame? frame;
        do
        {
            frame = await server.Peer.ReadAsync();
            frame!.Type.ShouldNotBe(Http2FrameType.WindowUpdate);
        }
        while (frame.Type != Http2FrameType.Ping);
        gate.SetResult();
        (await server.Peer.ReadAsync(Http2FrameType.WindowUpdate)).Payload.Length.ShouldBe(4);
    }

    [Fact]
    public async Task Upload_OverTheStreamWindow_IsAFlowControlError()
    {
        var never = new TaskCompletionSource();
        var server = new Http2ServerFixture(
            new ScriptedProcessor(_ => never.Task), new Http2Options { InitialStreamWindowSize = 65535, InitialConnectionWindowSize = 1 << 20 });
        await server.Peer.StartClientAsync();
        await server.Peer.RequestAsync(1, false);
        for (var i = 0; i < 5; i++) await server.Peer.SendAsync(Http2FrameType.Data, 0, 1, new byte[16384]);
        (await server.Peer.ReadAsync(Http2FrameType.RstStream)).ErrorCode.ShouldBe(Http2ErrorCode.FlowControlError);
        never.SetResult();
    }

    [Fact]
    public async Task Upload_ThatIsLongerOrShorterThanItsLength_IsRefused()
    {
        foreach (var body in new[] { "123", "12345" })
        {
            var server = new Http2ServerFixture(options: new Http2Options { StreamErrorOnInvalidHttpMessage = true });
            await server.Peer.StartClientAsync();
            await server.Peer.RequestAsync(1, false, ("content-length", "4"));
            await server.Peer.SendAsync(Http2FrameType.Data, 1, 1, Encoding.ASCII.GetBytes(body));
            (await server.Peer.ReadAsync(Http2FrameType.RstStream)).ErrorCode.ShouldBe(Http2ErrorCode.ProtocolError);
        }
    }

    [Fact]
    public async Task MalformedRequest_CostsItsStreamOrTheConnectionAsConfigured()
    {
        foreach (var streamOnly in new[] { true, false })
        {
            var server = new Http2ServerFixture(options: new Http2Options { StreamErrorOnInvalidHttpMessage = streamOnly });
            await server.Peer.StartClientAsync();
            await server.Peer.RequestAsync(1, true, ("connection", "close"));
            if (streamOnly)
            {
                (await server.Peer.ReadAsync(Http2FrameType.RstStream)).ErrorCode.ShouldBe(Http2ErrorCode.ProtocolError);
                await server.Peer.RequestAsync(3, true);
                (await server.Peer.ReadAsync(Http2FrameType.Headers)).StreamId.ShouldBe(3);
            }
            else
            {
                (await server.Peer.ReadEndAsync()).ShouldBe(Http2ErrorCode.ProtocolError);
            }
        }
    }

    [Fact]
    public async Task ExtendedConnect_LooksLikeAnUpgradeToThePipeline()
    {
        var seen = "";
        var server = new Http2ServerFixture(
            new ScriptedProcessor(async stream =>
            {
                seen = $"{stream.RequestHeaders.GetText(":method")} {stream.RequestHeaders.GetText("upgrade")} {stream.RequestHeaders.GetText("connection")}";
                await stream.WriteHeadersAsync(ScriptedProcessor.Head(101), false);
                await stream.FlushAsync();
                var read = await stream.ReadBodyAsync();
                await stream.WriteBodyAsync(read.Data, true);
            }),
            new Http2Options { AllowConnect = true });
        await server.Peer.StartClientAsync();
        await server.Peer.SendAsync(Http2FrameType.Headers, 4, 1, server.Peer.Block(
            (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":path", "/chat"), (":authority", "a")));
        (await server.Peer.ReadAsync(Http2FrameType.Headers)).Headers!.Status.ShouldBe(200);
        await server.Peer.SendAsync(Http2FrameType.Data, 0, 1, "ping"u8.ToArray());
        (await server.Peer.ReadAsync(Http2FrameType.Data)).Payload.ShouldBe("ping"u8.ToArray());
        seen.ShouldBe("GET websocket upgrade");
    }

    [Fact]
    public async Task MoreStreamsThanAllowed_AreRefused()
    {
        var never = new TaskCompletionSource();
        var server = new Http2ServerFixture(new ScriptedProcessor(_ => never.Task), new Http2Options { MaxConcurrentStreams = 2 });
        await server.Peer.StartClientAsync();
        for (var i = 0; i < 3; i++) await server.Peer.RequestAsync(1 + (2 * i), true);
        var reset = await server.Peer.ReadAsync(Http2FrameType.RstStream);
        (reset.StreamId, reset.ErrorCode).ShouldBe((5, Http2ErrorCode.RefusedStream));
        never.SetResult();
    }

    [Fact]
    public async Task ClientReset_TellsTheAbortHandlerAndEndsReads()
    {
        var aborted = new AbortProbe();
        var read = new TaskCompletionSource<BodyRead>(TaskCreationOptions.RunContinuationsAsynchronously);
        var server = new Http2ServerFixture(new ScriptedProcessor(async stream =>
        {
            stream.OnAborted(aborted);
            read.SetResult(await stream.ReadBodyAsync());
        }));
        await server.Peer.StartClientAsync();
        await server.Peer.RequestAsync(1, false);
        await server.Peer.SendAsync(Http2FrameType.RstStream, 0, 1, Http2Peer.Number(8));
        (await read.Task.WaitAsync(Until.Limit)).Error.ShouldBe(StreamResetReason.RemoteReset);
        (await aborted.Reason.WaitAsync(Until.Limit)).ShouldBe(StreamResetReason.RemoteReset);
    }

    [Fact]
    public async Task LostConnection_AbortsItsStreams()
    {
        var aborted = new AbortProbe();
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var server = new Http2ServerFixture(new ScriptedProcessor(async stream =>
        {
            stream.OnAborted(aborted);
            ready.SetResult();
            await aborted.Reason;
        }));
        await server.Peer.StartClientAsync();
        await server.Peer.RequestAsync(1, true);
        await ready.Task.WaitAsync(Until.Limit);
        server.Peer.Transport.Abort();
        (await aborted.Reason.WaitAsync(Until.Limit)).ShouldBe(StreamResetReason.ConnectionTermination);
        await server.Run.WaitAsync(Until.Limit);
    }

    [Fact]
    public async Task ResponseBeforeTheRequestEnds_StopsTheRequestWithoutAnError()
    {
        var server = new Http2ServerFixture(new ScriptedProcessor(async stream => await stream.WriteHeadersAsync(ScriptedProcessor.Head(403), true)));
        await server.Peer.StartClientAsync();
        await server.Peer.RequestAsync(1, false);
        (await server.Peer.ReadAsync(Http2FrameType.Headers)).Headers!.Status.ShouldBe(403);
        (await server.Peer.ReadAsync(Http2FrameType.RstStream)).ErrorCode.ShouldBe(Http2ErrorCode.NoError);
        await server.Peer.SendAsync(Http2FrameType.Data, 1, 1, new byte[10]); // was under way
        await server.Peer.RequestAsync(3, false);
        (await server.Peer.ReadAsync(Http2FrameType.Headers)).StreamId.ShouldBe(3);
    }

    [Fact]
    public async Task FailingProcessor_ResetsItsStreamOnly()
    {
        var server = new Http2ServerFixture(new ScriptedProcessor(stream =>
            stream.RequestHeaders.GetText(":path") == "/1" ? throw new InvalidOperationException("expected") : ScriptedProcessor.EchoAsync(stream)));
        await server.Peer.StartClientAsync();
        await server.Peer.RequestAsync(1, true);
        (await server.Peer.ReadAsync(Http2FrameType.RstStream)).ErrorCode.ShouldBe(Http2ErrorCode.InternalError);
        await server.Peer.RequestAsync(3, true);
        (await server.Peer.ReadAsync(Http2FrameType.Headers)).StreamId.ShouldBe(3);
    }

    [Fact]
    public async Task Drain_WithOpenStreams_AnswersThemAndThenCloses()
    {
        var answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var server = new Http2ServerFixture(new ScriptedProcessor(async stream =>
        {
            await answer.Task;
            await ScriptedProcessor.EchoAsync(stream);
        }));
        await server.Peer.StartClientAsync();
        await server.Peer.RequestAsync(1, true);
        await server.Peer.SendAsync(Http2FrameType.Ping, 0, 0, new byte[8]);
        await server.Peer.ReadAsync(Http2FrameType.Ping);
        server.Connection.Drain();
        var first = await server.Peer.ReadAsync(Http2FrameType.GoAway);
        first.Payload[..4].ShouldBe([0x7f, 0xff, 0xff, 0xff]);
        var ping = await server.Peer.ReadAsync(Http2FrameType.Ping);
        await server.Peer.RequestAsync(3, true); // was under way
        await server.Peer.SendAsync(Http2FrameType.Ping, 1, 0, ping.Payload);
        var last = await server.Peer.ReadAsync(Http2FrameType.GoAway);
        last.Payload[..4].ShouldBe([0, 0, 0, 3]);
        answer.SetResult();
        (await server.Peer.ReadAsync(Http2FrameType.Headers)).Headers!.Status.ShouldBe(200);
        (await server.Peer.ReadAsync(Http2FrameType.Headers)).Headers!.Status.ShouldBe(200);
        await server.Peer.ReadEndAsync();
        await server.Run.WaitAsync(Until.Limit);
    }

    [Fact]
    public async Task AnnouncedEnd_WhileIdle_TakesWhatIsUnderWayAndThenCloses()
    {
        var server = new Http2ServerFixture(new ScriptedProcessor(ScriptedProcessor.EchoAsync));
        await server.Peer.StartClientAsync();
        await server.Peer.ReadAsync(Http2FrameType.Settings);
        await server.Peer.RequestAsync(1, true);
        (await server.Peer.ReadAsync(Http2FrameType.Headers)).Headers!.Status.ShouldBe(200);
        server.Connection.AnnounceEnd();
        (await server.Peer.ReadAsync(Http2FrameType.GoAway)).Payload[..4].ShouldBe([0x7f, 0xff, 0xff, 0xff]);
        var ping = await server.Peer.ReadAsync(Http2FrameType.Ping);
        await server.Peer.RequestAsync(3, true); // was under way
        (await server.Peer.ReadAsync(Http2FrameType.Headers)).Headers!.Status.ShouldBe(200);
        await server.Peer.SendAsync(Http2FrameType.Ping, 1, 0, ping.Payload);
        (await server.Peer.ReadAsync(Http2FrameType.GoAway)).Payload[..4].ShouldBe([0, 0, 0, 3]);
        await server.Peer.ReadEndAsync();
        await server.Run.WaitAsync(Until.Limit);
    }

    [Fact]
    public async Task AnnouncedEnd_BeforeTheConnectionHasBegun_IsToldWithTheFirstRequest()
    {
        var (near, far) = MemoryTransport.CreatePair();
        await using var transport = near;
        var connection = new Http2ServerConnection(near, Http2ServerFixture.Info(), new ScriptedProcessor(), Http2Options.Default, TimeProvider.System);
        connection.AnnounceEnd();
        var run = connection.RunAsync(default);
        var peer = new Http2Peer(far);
        await peer.StartClientAsync();

        await peer.ReadAsync(Http2FrameType.Settings);
        await peer.SendAsync(Http2FrameType.Ping, 0, 0, new byte[8]);
        (await peer.ReadAsync(Http2FrameType.Ping)).Payload.ShouldBe(new byte[8]);
        await peer.RequestAsync(1, true);
        await peer.ReadAsync(Http2FrameType.GoAway);

        peer.Transport.Abort();
        await run.WaitAsync(Until.Limit);
    }

    [Fact]
    public async Task Drain_WithoutStreams_ClosesAtOnce()
    {
        var server = new Http2ServerFixture();
        await server.Peer.StartClientAsync();
        await server.Peer.ReadAsync(Http2FrameType.Settings);
        server.Connection.Drain();
        (await server.Peer.ReadEndAsync()).ShouldBe(Http2ErrorCode.NoError);
        await server.Run.WaitAsync(Until.Limit);
    }

    [Fact]
    public async Task IdleConnection_IsClosedAfterItsTimeout()
    {
        var time = new Nuncio.Testing.ManualTimeProvider();
        var server = new Http2ServerFixture(options: new Http2Options { IdleTimeout = TimeSpan.FromMinutes(5) }, time: time);
        await server.Peer.StartClientAsync();
        await server.Peer.RequestAsync(1, true);
        await server.Peer.ReadAsync(Http2FrameType.Headers);
        var end = server.Peer.ReadEndAsync();
        // The client may have the answer before the connection knows that it is idle.
        await Until.TrueAsync(() =>
        {
            time.Advance(TimeSpan.FromMinutes(6));
            return end.IsCompleted;
        });
        (await end).ShouldBe(Http2ErrorCode.NoError);
    }

    [Fact]
    public async Task Responses_WrittenWhileOneReadIsHandled_LeaveInOneWrite()
    {
        var server = new Http2ServerFixture();
        var input = Http2Frames.Preface.ToArray().Concat(Http2Peer.Frame(Http2FrameType.Settings, 0, 0));
        for (var i = 0; i < 50; i++)
        {
            input = input.Concat(Http2Peer.Frame(Http2FrameType.Headers, 5, 1 + (2 * i), server.Peer.Block(
                (":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/"))));
        }

        await server.Peer.SendAsync([.. input]);
        for (var i = 0; i < 50; i++) (await server.Peer.ReadAsync(Http2FrameType.Headers)).EndStream.ShouldBeTrue();
        server.Near.Writes.ShouldBeLessThanOrEqualTo(3);
    }

    private sealed class AbortProbe : IStreamAbortHandler
    {
        private readonly TaskCompletionSource<StreamResetReason> _reason = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<StreamResetReason> Reason => _reason.Task;

        public void OnStreamAborted(StreamResetReason reason) => _reason.SetResult(reason);
    }
}
