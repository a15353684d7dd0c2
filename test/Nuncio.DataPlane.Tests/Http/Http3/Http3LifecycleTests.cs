using Nuncio.DataPlane.Errors;
using Nuncio.DataPlane.Http.Http3;
using Nuncio.DataPlane.Tests.Http.Http2;

namespace Nuncio.DataPlane.Tests.Http.Http3;

/// <summary>Limits in number and time, and how a connection ends in peace: RFC 9114 section 5.</summary>
public sealed class Http3LifecycleTests
{
    private static readonly TimeSpan LastCall = TimeSpan.FromSeconds(1);

    private readonly TaskCompletionSource _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(20)]
    public async Task Head_ThatDoesNotComeInTime_IsAnswered408(int length)
    {
        var server = new Http3ServerFixture(options: new Http3Options { RequestHeadersTimeout = TimeSpan.FromSeconds(3) });
        var stream = await server.Peer.RequestAsync(Http3Bytes.Get("/a-path-of-some-length").AsMemory(0, length), end: false);
        await Until.TrueAsync(() => stream.Inbound.Read == length);
        await Until.TrueAsync(() =>
        {
            server.Time.Advance(TimeSpan.FromSeconds(1));
            return !server.Processor.Rejected.IsEmpty;
        });

        var reply = await new Http3FrameReader(stream).ReadReplyAsync();

        reply.Headers.Status.ShouldBe(408);
        reply.IsComplete.ShouldBeTrue();
        server.Processor.Rejected.ShouldBe([(408, LocalReplies.HeaderTimeoutDetails)]);
        stream.Inbound.StopCode.ShouldBe((long)Http3ErrorCode.RequestCancelled);
        await server.ShouldServeAsync();
    }

    [Fact]
    public async Task Head_BehindFramesOfNoMeaning_IsNotWaitedForAnyLonger()
    {
        var server = new Http3ServerFixture(options: new Http3Options { RequestHeadersTimeout = TimeSpan.FromSeconds(3) });
        var stream = server.Transport.Open();
        await Until.TrueAsync(() =>
        {
            _ = stream.SendAsync(Http3Bytes.Frame(Http3Bytes.Grease, new byte[100]));
            server.Time.Advance(TimeSpan.FromSeconds(1));
            return !server.Processor.Rejected.IsEmpty;
        });

        (await new Http3FrameReader(stream).ReadReplyAsync()).Headers.Status.ShouldBe(408);
    }

    [Fact]
    public async Task Head_ThatCameInTime_MayHaveABodyThatComesLate()
    {
        var server = new Http3ServerFixture(options: new Http3Options { RequestHeadersTimeout = TimeSpan.FromSeconds(3) });
        var stream = server.Transport.Open();
        var head = Http3Bytes.Post();
        await stream.SendAsync(head.AsMemory(0, 5));
        await Until.TrueAsync(() => stream.Inbound.Read == 5);
        await stream.SendAsync(head.AsMemory(5));
        await Until.TrueAsync(() => server.Processor.Requests.Count == 1);
        server.Time.Advance(TimeSpan.FromMinutes(1));
        await stream.SendAsync(Http3Bytes.Data("late"), end: true);

        (await new Http3FrameReader(stream).ReadReplyAsync()).Text.ShouldBe("late");
    }

    [Fact]
    public async Task Requests_OverTwiceTheLimitAtOnce_AreRefusedUntilOneIsDone()
    {
        var server = new Http3ServerFixture(Waiting(), maxConcurrentStreams: 2);
        var open = new List<MemoryQuicStream>();
        for (var i = 0; i < 4; i++) open.Add(await server.Peer.RequestAsync(Http3Bytes.Get()));
        await Until.TrueAsync(() => server.Processor.Requests.Count == 4);

        var refused = await server.Peer.RequestAsync(Http3Bytes.Get());
        await Until.TrueAsync(() => refused.IsClosed);

        refused.Outbound.ResetCode.ShouldBe((long)Http3ErrorCode.RequestRejected);
        refused.Inbound.Read.ShouldBe(0);
        _gate.SetResult();
        foreach (var stream in open) (await new Http3FrameReader(stream).ReadReplyAsync()).Headers.Status.ShouldBe(200);
        await Until.TrueAsync(() => open.TrueForAll(stream => stream.IsClosed));
        server.Processor.Requests.Count.ShouldBe(4);
    }

    [Fact]
    public async Task Requests_OfAllThatAConnectionMayHave_MakeItDrain()
    {
        var server = new Http3ServerFixture(options: new Http3Options { MaxRequestsPerConnection = 2 });
        await server.ShouldServeAsync();
        await server.ShouldServeAsync();
        (await server.Peer.ReadGoAwayAsync()).ShouldBe(Http3ControlStream.NoLimit);

        // Until the client could know.
        await server.ShouldServeAsync();
        server.Time.Advance(LastCall);

        (await server.Peer.ReadGoAwayAsync()).ShouldBe(12);
        (await ClosedInTimeAsync(server)).ShouldBe(Http3ErrorCode.NoError);
    }

    [Fact]
    public async Task AnnouncedEnd_IsSaidOnceAndTakesRequestsAllTheSame()
    {
        var server = new Http3ServerFixture();
        server.Connection.AnnounceEnd();
        server.Connection.AnnounceEnd();

        // Only with the first request: before it, a client could take this for a server that does not work.
        await server.ShouldServeAsync();
        (await server.Peer.ReadGoAwayAsync()).ShouldBe(Http3ControlStream.NoLimit);
        server.Time.Advance(TimeSpan.FromMinutes(1));
        await server.ShouldServeAsync();

        // What was announced need not be waited for.
        server.Connection.Drain();

        (await server.Peer.ReadGoAwayAsync()).ShouldBe(8);
        (await ClosedInTimeAsync(server)).ShouldBe(Http3ErrorCode.NoError);
        server.Connection.EndedInRequest.ShouldBeFalse();
    }

    [Fact]
    public async Task EndOfAUsedConnection_IsAnnouncedAtOnce()
    {
        var server = new Http3ServerFixture();
        await server.ShouldServeAsync();

        server.Connection.AnnounceEnd();

        (await server.Peer.ReadGoAwayAsync()).ShouldBe(Http3ControlStream.NoLimit);
        await server.ShouldServeAsync();
    }

    [Fact]
    public async Task Drain_OfAConnectionThatHasOnlyJustCome_AnswersItsFirstRequest()
    {
        var server = new Http3ServerFixture();
        server.Connection.Drain();

        await server.ShouldServeAsync();

        (await server.Peer.ReadGoAwayAsync()).ShouldBe(Http3ControlStream.NoLimit);
        server.Time.Advance(LastCall);
        (await server.Peer.ReadGoAwayAsync()).ShouldBe(4);
    }

    [Fact]
    public async Task Drain_AnswersWhatIsOpen_RefusesWhatComesLate_AndCloses()
    {
        var server = new Http3ServerFixture(Waiting());
        var early = await server.Peer.RequestAsync(Http3Bytes.Get());
        server.Connection.Drain();
        (await server.Peer.ReadGoAwayAsync()).ShouldBe(Http3ControlStream.NoLimit);
        var underway = await server.Peer.RequestAsync(Http3Bytes.Get());
        await Until.TrueAsync(() => server.Processor.Requests.Count == 2);
        server.Time.Advance(LastCall);
        (await server.Peer.ReadGoAwayAsync()).ShouldBe(8);
        var late = await server.Peer.RequestAsync(Http3Bytes.Get());
        await Until.TrueAsync(() => late.IsClosed);
        late.Outbound.ResetCode.ShouldBe((long)Http3ErrorCode.RequestRejected);

        // However long it takes.
        server.Time.Advance(TimeSpan.FromMinutes(5));
        server.Transport.Closed.IsCompleted.ShouldBeFalse();
        _gate.SetResult();

        (await new Http3FrameReader(early).ReadReplyAsync()).IsComplete.ShouldBeTrue();
        (await new Http3FrameReader(underway).ReadReplyAsync()).IsComplete.ShouldBeTrue();
        (await ClosedInTimeAsync(server)).ShouldBe(Http3ErrorCode.NoError);
        server.Processor.Requests.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Drain_WaitsForAClientThatHasNotGotItsAnswer()
    {
        var server = new Http3ServerFixture();
        var acknowledged = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var stream = server.Transport.Open();
        stream.Acknowledged = acknowledged;
        await stream.SendAsync(Http3Bytes.Get(), end: true);
        (await new Http3FrameReader(stream).ReadReplyAsync()).IsComplete.ShouldBeTrue();
        server.Connection.Drain();
        server.Time.Advance(LastCall);
        server.Time.Advance(TimeSpan.FromSeconds(10));
        server.Transport.Closed.IsCompleted.ShouldBeFalse();

        acknowledged.SetResult();

        (await ClosedInTimeAsync(server)).ShouldBe(Http3ErrorCode.NoError);
    }

    [Fact]
    public async Task Drain_OfAClientThatCloses_IsOver()
    {
        var server = new Http3ServerFixture();
        await server.ShouldServeAsync();
        server.Connection.Drain();
        server.Connection.Drain();
        server.Transport.EndByPeer();

        (await server.ClosedAsync()).ShouldBeNull();
        server.Connection.Drain();
        server.Connection.AnnounceEnd();
        server.Time.Advance(TimeSpan.FromMinutes(1));
        server.Time.ArmedTimers.ShouldBe(0);
    }

    [Fact]
    public async Task IdleConnection_IsClosedAndABusyOneIsNot()
    {
        var server = new Http3ServerFixture(Waiting(), new Http3Options { IdleTimeout = TimeSpan.FromSeconds(60) });
        server.Time.Advance(TimeSpan.FromSeconds(50));
        var stream = await server.Peer.RequestAsync(Http3Bytes.Get());
        await Until.TrueAsync(() => server.Processor.Requests.Count == 1);
        server.Time.Advance(TimeSpan.FromMinutes(10));
        _gate.SetResult();
        (await new Http3FrameReader(stream).ReadReplyAsync()).IsComplete.ShouldBeTrue();
        await Until.TrueAsync(() => stream.IsClosed);
        server.Connection.IsFailed.ShouldBeFalse();
        server.Transport.Closed.IsCompleted.ShouldBeFalse();

        await Until.TrueAsync(() =>
        {
            server.Time.Advance(TimeSpan.FromSeconds(30));
            return server.Transport.Closed.IsCompleted;
        });

        (await server.ClosedAsync()).ShouldBe(Http3ErrorCode.NoError);
        (await server.Peer.ReadGoAwayAsync()).ShouldBe(Http3ControlStream.NoLimit);
        server.Time.ArmedTimers.ShouldBe(0);
    }

    [Fact]
    public async Task ConnectionWithoutARequest_IsClosedWhenItsIdleTimeIsOver()
    {
        var server = new Http3ServerFixture(options: new Http3Options { IdleTimeout = TimeSpan.FromSeconds(60) });
        server.Time.Advance(TimeSpan.FromSeconds(59));
        server.Time.ArmedTimers.ShouldBe(1);
        server.Time.Advance(TimeSpan.FromSeconds(1));
        server.Time.Advance(LastCall);
        (await server.Peer.ReadGoAwayAsync()).ShouldBe(0);
        server.Time.Advance(LastCall);

        (await server.ClosedAsync()).ShouldBe(Http3ErrorCode.NoError);
    }

    [Fact]
    public async Task Connection_OfTheLongestLifeThatItMayHave_Drains()
    {
        var server = new Http3ServerFixture(options: new Http3Options { MaxConnectionDuration = TimeSpan.FromSeconds(30), IdleTimeout = null });
        await server.ShouldServeAsync();
        server.Time.Advance(TimeSpan.FromSeconds(30));
        (await server.Peer.ReadGoAwayAsync()).ShouldBe(Http3ControlStream.NoLimit);
        server.Time.Advance(LastCall);

        (await ClosedInTimeAsync(server)).ShouldBe(Http3ErrorCode.NoError);
    }

    [Fact]
    public async Task CloseAfterAResponse_AnswersAndDrains()
    {
        var server = new Http3ServerFixture(new RecordingProcessor(async stream =>
        {
            stream.CloseConnectionAfterResponse();
            await ScriptedProcessor.EchoAsync(stream);
        }));
        await server.ShouldServeAsync();

        (await server.Peer.ReadGoAwayAsync()).ShouldBe(Http3ControlStream.NoLimit);
    }

    // A request is done with a moment after its answer, and time counts from then on.
    private static async Task<Http3ErrorCode?> ClosedInTimeAsync(Http3ServerFixture server)
    {
        await Until.TrueAsync(() =>
        {
            server.Time.Advance(LastCall);
            return server.Transport.Closed.IsCompleted;
        });
        return await server.ClosedAsync();
    }

    private RecordingProcessor Waiting() => new(async stream =>
    {
        await _gate.Task;
        await ScriptedProcessor.EchoAsync(stream);
    });
}
