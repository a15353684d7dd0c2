using Nuncio.DataPlane.Http.Http3;
using Nuncio.DataPlane.Telemetry;
using Nuncio.DataPlane.Tests.Http.Http2;
using Nuncio.DataPlane.Time;

namespace Nuncio.DataPlane.Tests.Http.Http3;

/// <summary>A server connection in memory under a clock that moves only when told, and the raw client at its other end.</summary>
internal sealed class Http3ServerFixture
{
    public Http3ServerFixture(RecordingProcessor? processor = null, Http3Options? options = null, int maxConcurrentStreams = 100, Task? mayOpen = null)
    {
        Transport = new MemoryQuicConnection { MayOpen = mayOpen ?? Task.CompletedTask };
        Processor = processor ?? new RecordingProcessor();
        Metrics = Http3Metrics.OfClients(new MetricsRegistry());
        Connection = new Http3ServerConnection(
            Transport, Http2ServerFixture.Info(), Processor, (options ?? Http3Options.Default) with { Metrics = Metrics }, maxConcurrentStreams,
            new TimerService(Time));
        Peer = new Http3Peer(Transport);
        Run = Connection.RunAsync();
    }

    public ManualTimeProvider Time { get; } = new();

    public MemoryQuicConnection Transport { get; }

    public RecordingProcessor Processor { get; }

    public Http3Metrics Metrics { get; }

    public Http3ServerConnection Connection { get; }

    public Http3Peer Peer { get; }

    public Task Run { get; }

    /// <summary>Waits until the connection has ended; what the proxy closed it with, null when the client ended it.</summary>
    public async Task<Http3ErrorCode?> ClosedAsync()
    {
        var code = await Transport.Closed.WaitAsync(Until.Limit);
        await Run.WaitAsync(Until.Limit);
        return (Http3ErrorCode?)code;
    }

    /// <summary>Sends a request and reads the response.</summary>
    public async Task<Http3Reply> ExchangeAsync(ReadOnlyMemory<byte> bytes, bool end = true) =>
        await new Http3FrameReader(await Peer.RequestAsync(bytes, end)).ReadReplyAsync();

    /// <summary>The connection works: a request is answered.</summary>
    public async Task ShouldServeAsync()
    {
        var reply = await ExchangeAsync(Http3Bytes.Get());
        reply.Headers.Status.ShouldBe(200);
        reply.IsComplete.ShouldBeTrue();
        Transport.Closed.IsCompleted.ShouldBeFalse();
    }
}
