using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Http.Http3;
using Nuncio.DataPlane.Tests.Http.Http2;

namespace Nuncio.DataPlane.Tests.Http.Http3;

/// <summary>Clients that mean no good, or that behave as if.</summary>
public sealed class Http3AttackTests
{
    private const int ManyFrames = 1100;

    [Theory]
    [InlineData(0, false)]
    [InlineData(0x21, false)]
    [InlineData(0x21, true)]
    public async Task FramesWithoutEnd_ThatSayNothing_EndTheConnection(long type, bool isBeforeHead)
    {
        var server = new Http3ServerFixture();
        var frames = Enumerable.Repeat(Http3Bytes.Frame(type, []), ManyFrames).SelectMany(static frame => frame);
        await server.Peer.RequestAsync((byte[])(isBeforeHead ? [.. frames] : [.. Http3Bytes.Post(), .. frames]), end: false);

        (await server.ClosedAsync()).ShouldBe(Http3ErrorCode.ExcessiveLoad);
    }

    [Fact]
    public async Task FramesThatSayNothing_BetweenThoseThatDo_AreNoAttack()
    {
        var server = new Http3ServerFixture();
        var pieces = Enumerable.Range(0, ManyFrames).SelectMany(static i => (byte[])[.. Http3Bytes.Frame(0, [(byte)i]), .. Http3Bytes.Frame(0, [])]);

        var reply = await server.ExchangeAsync((byte[])[.. Http3Bytes.Post(), .. pieces]);

        reply.IsComplete.ShouldBeTrue();
        reply.Body.ShouldBe(Enumerable.Range(0, ManyFrames).Select(static i => (byte)i));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(7000)]
    public async Task TinyFrames_AreJoined(int cut)
    {
        var pieces = new List<byte[]>();
        var server = new Http3ServerFixture(new RecordingProcessor(async stream =>
        {
            while (true)
            {
                var read = await stream.ReadBodyAsync();
                pieces.Add(read.Data.ToArray());
                if (read.EndStream) break;
            }

            await stream.WriteHeadersAsync(ScriptedProcessor.Head(200), true);
        }));
        var body = Enumerable.Range(0, 3000).Select(static i => (byte)(i * 7)).ToArray();
        var frames = Http3Bytes.Post().Concat(body.SelectMany(static b => Http3Bytes.Frame(0, [b]))).Concat(Http3Bytes.Frame(0, new byte[300])).ToArray();
        var request = await server.Peer.RequestAsync(frames.AsMemory(0, cut), end: false);
        await Until.TrueAsync(() => request.Inbound.Read == request.Inbound.Written);
        await request.SendAsync(frames.AsMemory(cut), end: true);

        (await new Http3FrameReader(request).ReadReplyAsync()).IsComplete.ShouldBeTrue();
        pieces.SelectMany(static piece => piece).ShouldBe([.. body, .. new byte[300]]);
        pieces.Count.ShouldBeLessThan(20);
    }

    [Fact]
    public async Task BodyInTinyFrames_LongerThanItSays_IsRefused()
    {
        var server = new Http3ServerFixture();

        var reply = await server.ExchangeAsync(
            (byte[])[.. Http3Bytes.Post("/", ("content-length", "2")), .. Http3Bytes.Frame(0, [1]), .. Http3Bytes.Frame(0, [2]), .. Http3Bytes.Frame(0, [3])]);

        reply.Reset.ShouldBe(Http3ErrorCode.MessageError);
    }

    [Fact]
    public async Task ResponseThatNobodyTakes_IsGivenUpInTime()
    {
        var server = new Http3ServerFixture(options: Http3Options.Default with { FlushTimeout = TimeSpan.FromMinutes(5), IdleTimeout = null });
        var request = server.Transport.Open();
        request.Acknowledged = new TaskCompletionSource();
        await request.SendAsync(Http3Bytes.Get(), end: true);
        await Until.TrueAsync(() => server.Processor.Completed == 1);
        request.IsClosed.ShouldBeFalse();

        await Until.TrueAsync(() =>
        {
            server.Time.Advance(TimeSpan.FromMinutes(5));
            return request.IsClosed;
        });
        await server.ShouldServeAsync();
    }

    [Fact]
    public async Task ResponseCutByTheClient_IsNeverEndedAsIfItWereComplete()
    {
        var handler = new RecordingAbortHandler();
        var server = new Http3ServerFixture(new RecordingProcessor(async stream =>
        {
            await stream.WriteHeadersAsync(ScriptedProcessor.Head(200), false);
            await stream.WriteBodyAsync(new byte[10], false);
            await stream.FlushAsync();
            stream.OnAborted(handler);
            await handler.Aborted;
            await stream.WriteBodyAsync(new byte[10], true);
        }));
        var request = await server.Peer.RequestAsync(Http3Bytes.Post(), end: false);
        await Until.TrueAsync(() => request.Outbound.Written > 0);
        request.ResetByPeer();

        var reply = await new Http3FrameReader(request).ReadReplyAsync();

        reply.Body.Count.ShouldBe(10);
        reply.IsComplete.ShouldBeFalse();
        reply.Reset.ShouldNotBeNull();
    }

    [Fact]
    public async Task OwnControlStream_IsLetGoOfWithTheConnection()
    {
        var server = new Http3ServerFixture();
        var control = await server.Transport.OpenedAsync();
        await Until.TrueAsync(() => control.Outbound.Written > 0);
        await server.ShouldServeAsync();

        server.Transport.EndByPeer();

        await server.ClosedAsync();
        await Until.TrueAsync(() => control.IsClosed);
    }
}
