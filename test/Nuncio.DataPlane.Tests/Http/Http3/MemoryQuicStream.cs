using Nuncio.DataPlane.Transport.Quic;

namespace Nuncio.DataPlane.Tests.Http.Http3;

/// <summary>A stream in memory: the proxy's end of it, and beside that what the client does at the other one.</summary>
internal sealed class MemoryQuicStream(long id) : QuicTransportStream
{
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _givenUp = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IQuicStreamWatcher? _watcher;
    private bool? _missed;
    private int _watched;

    /// <summary>From the client.</summary>
    public MemoryQuicFlow Inbound { get; } = new();

    /// <summary>To the client.</summary>
    public MemoryQuicFlow Outbound { get; } = new();

    /// <summary>The proxy has taken it.</summary>
    public bool IsAccepted { get; set; }

    /// <summary>The proxy has let go of it.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>Delivery waits for it, as for a client that acknowledges late.</summary>
    public TaskCompletionSource? Acknowledged { get; set; }

    public override long Id => id;

    public override bool IsBidirectional => (id & 2) == 0;

    public override bool HasPeerEnded => Inbound.IsReadToEnd;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer) => Inbound.ReadAsync(buffer, drains: false);

    public override ValueTask<bool> WaitAsync() => Inbound.WaitAsync();

    public override ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> data, bool end) => Outbound.WriteAsync(data, end);

    public override void AbortRead(long errorCode) => Inbound.Stop(errorCode);

    public override void AbortWrite(long errorCode)
    {
        Outbound.Reset(errorCode);
        _givenUp.TrySetResult();
    }

    public override async ValueTask WaitForDeliveryAsync()
    {
        if (Acknowledged is { } acknowledged) await Task.WhenAny(acknowledged.Task, _givenUp.Task);
    }

    public override void Watch(IQuicStreamWatcher watcher)
    {
        Interlocked.Increment(ref _watched).ShouldBe(1);
        bool? missed;
        lock (_gate)
        {
            _watcher = watcher;
            missed = _missed;
        }

        if (missed is { } isConnectionLost) Tell(isConnectionLost);
    }

    // As the platform does it: what was not ended ends as if it were complete.
    public override async ValueTask CloseAsync()
    {
        await WaitForDeliveryAsync();
        Inbound.Stop(0x10C);
        await Outbound.WriteAsync(default, true);
        IsClosed = true;
    }

    /// <summary>The client sends.</summary>
    public Task<bool> SendAsync(ReadOnlyMemory<byte> data, bool end = false) => Inbound.WriteAsync(data, end).AsTask().WaitAsync(Until.Limit);

    /// <summary>The client resets its side.</summary>
    public void ResetByPeer(long errorCode = 0x10C)
    {
        if (Inbound.Reset(errorCode)) Tell(false);
    }

    /// <summary>The client wants no more of the proxy's side.</summary>
    public void StopByPeer(long errorCode = 0x10C)
    {
        if (Outbound.Stop(errorCode)) Tell(false);
    }

    /// <summary>The connection has ended.</summary>
    public void Lose()
    {
        var inbound = Inbound.Lose();
        if (Outbound.Lose() || inbound) Tell(true);
        _givenUp.TrySetResult();
    }

    private void Tell(bool isConnectionLost)
    {
        IQuicStreamWatcher? watcher;
        lock (_gate)
        {
            _missed ??= isConnectionLost;
            watcher = _watcher;
            _watcher = null;
        }

        watcher?.OnStreamAborted(isConnectionLost);
    }
}
