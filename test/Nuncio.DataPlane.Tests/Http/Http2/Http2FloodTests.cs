using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Http.Http2;

namespace Nuncio.DataPlane.Tests.Http.Http2;

public sealed class Http2FloodTests
{
    [Fact]
    public async Task RapidReset_ClosesTheConnection()
    {
        var never = new TaskCompletionSource();
        var server = new Http2ServerFixture(new ScriptedProcessor(_ => never.Task));
        await server.Peer.StartClientAsync();
        for (var i = 0; i < 600; i++)
        {
            await server.Peer.RequestAsync(1 + (2 * i), true);
            await server.Peer.SendAsync(Http2FrameType.RstStream, 0, 1 + (2 * i), Http2Peer.Number(8));
        }

        (await server.Peer.ReadEndAsync()).ShouldBe(Http2ErrorCode.EnhanceYourCalm);
        server.Connection.ActiveStreams.ShouldBeLessThanOrEqualTo(500);
        never.SetResult();
    }

    [Fact]
    public async Task ResetRequestsThatAreStillDealtWith_CountAgainstTheStreamLimit()
    {
        var never = new TaskCompletionSource();
        var server = new Http2ServerFixture(new ScriptedProcessor(_ => never.Task), new Http2Options { MaxConcurrentStreams = 10 });
        await server.Peer.StartClientAsync();
        for (var i = 0; i < 40; i++)
        {
            await server.Peer.RequestAsync(1 + (2 * i), true);
            await server.Peer.SendAsync(Http2FrameType.RstStream, 0, 1 + (2 * i), Http2Peer.Number(8));
        }

        (await server.Peer.ReadAsync(Http2FrameType.RstStream)).ErrorCode.ShouldBe(Http2ErrorCode.RefusedStream);
        server.Connection.ActiveStreams.ShouldBe(10);
        never.SetResult();
    }

    [Theory]
    [InlineData("ping")]
    [InlineData("settings")]
    public async Task FramesThatNeedAnswers_FromAPeerThatReadsNone_CloseTheConnection(string kind)
    {
        var server = new Http2ServerFixture();
        await server.Peer.StartClientAsync();
        await server.Peer.ReadAsync(Http2FrameType.Settings);
        server.Near.Block();
        var frame = kind == "ping" ? Http2Peer.Frame(Http2FrameType.Ping, 0, 0, new byte[8]) : Http2Peer.Frame(Http2FrameType.Settings, 0, 0);
        for (var i = 0; i < 3000; i++) await server.Peer.SendAsync(frame);
        await server.Run.WaitAsync(Until.Limit);
        server.Near.IsAborted.ShouldBeTrue();
    }

    [Fact]
    public async Task Pings_FromAPeerThatReadsTheAnswers_AreAllAnswered()
    {
        var server = new Http2ServerFixture();
        await server.Peer.StartClientAsync();
        var pings = new List<byte>();
        for (var i = 0; i < 5000; i++) pings.AddRange(Http2Peer.Frame(Http2FrameType.Ping, 0, 0, new byte[8]));
        await server.Peer.SendAsync([.. pings]);
        for (var i = 0; i < 5000; i++) (await server.Peer.ReadAsync(Http2FrameType.Ping)).Flags.ShouldBe((byte)1);
    }

    [Fact]
    public async Task EmptyDataFrames_CloseTheConnection()
    {
        var server = new Http2ServerFixture();
        await server.Peer.StartClientAsync();
        await server.Peer.RequestAsync(1, false);
        for (var i = 0; i < 3; i++) await server.Peer.SendAsync(Http2FrameType.Data, 0, 1);
        (await server.Peer.ReadEndAsync()).ShouldBe(Http2ErrorCode.EnhanceYourCalm);
    }

    [Fact]
    public async Task ContinuationsWithoutEnd_CloseTheConnection()
    {
        var server = new Http2ServerFixture();
        await server.Peer.StartClientAsync();
        await server.Peer.SendAsync(Http2FrameType.Headers, 0, 1, 0x82);
        for (var i = 0; i < 100; i++) await server.Peer.SendAsync(Http2FrameType.Continuation, 0, 1, 0x84);
        (await server.Peer.ReadEndAsync()).ShouldBe(Http2ErrorCode.EnhanceYourCalm);
    }

    [Fact]
    public async Task HeaderBlockOverTheLimit_IsNotGathered()
    {
        var server = new Http2ServerFixture(options: new Http2Options { MaxHeaderBytes = 8192 });
        await server.Peer.StartClientAsync();
        await server.Peer.SendAsync(Http2FrameType.Headers, 0, 1, new byte[16384]);
        await server.Peer.SendAsync(Http2FrameType.Continuation, 0, 1, new byte[16384]);
        (await server.Peer.ReadEndAsync()).ShouldBe(Http2ErrorCode.EnhanceYourCalm);
    }

    [Fact]
    public async Task HeaderBomb_OfReferencesToOneEntry_IsRefusedCheaply()
    {
        var server = new Http2ServerFixture();
        await server.Peer.StartClientAsync();
        var block = new List<byte>(server.Peer.Block((":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/"), ("x", new string('v', 900))));
        for (var i = 0; i < 10_000; i++) block.Add(0x80 | 62);
        await server.Peer.SendAsync(Http2FrameType.Headers, 5, 1, [.. block]);
        (await server.Peer.ReadAsync(Http2FrameType.RstStream)).StreamId.ShouldBe(1);
        await server.Peer.RequestAsync(3, true);
        (await server.Peer.ReadAsync(Http2FrameType.Headers)).StreamId.ShouldBe(3);
    }

    [Fact]
    public async Task PriorityFrames_BeyondReason_CloseTheConnection()
    {
        var server = new Http2ServerFixture();
        await server.Peer.StartClientAsync();
        for (var i = 0; i < 200; i++) await server.Peer.SendAsync(Http2FrameType.Priority, 0, 1, 0, 0, 0, 0, 1);
        (await server.Peer.ReadEndAsync()).ShouldBe(Http2ErrorCode.EnhanceYourCalm);
    }

    [Fact]
    public async Task WindowUpdates_WithoutData_CloseTheConnection()
    {
        var server = new Http2ServerFixture();
        await server.Peer.StartClientAsync();
        for (var i = 0; i < 20; i++) await server.Peer.SendAsync(Http2FrameType.WindowUpdate, 0, 0, Http2Peer.Number(1));
        (await server.Peer.ReadEndAsync()).ShouldBe(Http2ErrorCode.EnhanceYourCalm);
    }

    [Fact]
    public async Task Responses_ToAPeerThatDoesNotRead_DoNotPileUp()
    {
        var written = 0;
        var server = new Http2ServerFixture(new ScriptedProcessor(async stream =>
        {
            await stream.WriteHeadersAsync(ScriptedProcessor.Head(200), false);
            for (var i = 0; i < 1000; i++)
            {
                await stream.WriteBodyAsync(new byte[16384], false);
                Interlocked.Increment(ref written);
            }
        }));
        await server.Peer.StartClientAsync([0, 4, .. Http2Peer.Number(int.MaxValue)]);
        await server.Peer.SendAsync(Http2FrameType.WindowUpdate, 0, 0, Http2Peer.Number(int.MaxValue - 65535));
        await server.Peer.ReadAsync(Http2FrameType.Settings);
        server.Near.Block();
        for (var i = 0; i < 20; i++) await server.Peer.RequestAsync(1 + (2 * i), true);
        await Until.TrueAsync(() => server.Connection.ActiveStreams == 20);
        // What waits in the connection: one buffer in flight and one filling.
        Volatile.Read(ref written).ShouldBeLessThanOrEqualTo(16);
        server.Connection.Abort(StreamResetReason.LocalReset);
        await server.Run.WaitAsync(Until.Limit);
    }
}
