namespace Nuncio.DataPlane.Transport.Quic;

/// <summary>A stream of a <see cref="QuicTransportConnection"/>. One reader and one writer at a time; the rest from any thread.</summary>
internal abstract class QuicTransportStream
{
    /// <summary>Its number (RFC 9000 section 2.1).</summary>
    public abstract long Id { get; }

    /// <summary>Both sides write to it.</summary>
    public abstract bool IsBidirectional { get; }

    /// <summary>The peer's last byte has been read.</summary>
    public abstract bool HasPeerEnded { get; }

    /// <summary>Reads what there is: 0 at the end, negative when the peer reset the stream, it was given up here, or the connection has ended.</summary>
    public abstract ValueTask<int> ReadAsync(Memory<byte> buffer);

    /// <summary>Waits until a read would not have to; false where it would fail.</summary>
    public abstract ValueTask<bool> WaitAsync();

    /// <summary>Writes, and ends this side where <paramref name="end"/>; completes when the bytes are taken over. False when nobody will get them.</summary>
    public abstract ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> data, bool end);

    /// <summary>Wants no more of what the peer sends (STOP_SENDING).</summary>
    public abstract void AbortRead(long errorCode);

    /// <summary>Ends this side before its time (RESET_STREAM).</summary>
    public abstract void AbortWrite(long errorCode);

    /// <summary>
    /// Tells <paramref name="watcher"/>, once, when the peer resets its side, wants no more of ours, or the connection ends while either is open. Set once,
    /// before anything else.
    /// </summary>
    public abstract void Watch(IQuicStreamWatcher watcher);

    /// <summary>Completes when the peer has our side to its end, or that side is over in another way. Never fails.</summary>
    public abstract ValueTask WaitForDeliveryAsync();

    /// <summary>Gives it up. Completes when the peer has all that was written, or the connection has ended.</summary>
    public abstract ValueTask CloseAsync();
}

/// <summary>Is told how a stream ends before its time.</summary>
internal interface IQuicStreamWatcher
{
    /// <summary>From any thread; must not block.</summary>
    /// <param name="isConnectionLost">It was not the stream alone.</param>
    void OnStreamAborted(bool isConnectionLost);
}
