namespace Nuncio.DataPlane.Transport.Quic;

/// <summary>A QUIC connection (RFC 9000) as HTTP/3 needs it. What goes wrong is a value here, not an exception.</summary>
internal abstract class QuicTransportConnection
{
    /// <summary>The peer ended it, or was lost.</summary>
    public abstract bool IsEndedByPeer { get; }

    /// <summary>The next stream that the peer opens; null when the connection has ended. One call at a time.</summary>
    public abstract ValueTask<QuicTransportStream?> AcceptStreamAsync();

    /// <summary>A stream that only this side writes to, as soon as the peer allows one; null when the connection has ended.</summary>
    public abstract ValueTask<QuicTransportStream?> OpenUnidirectionalStreamAsync();

    /// <summary>
    /// Ends it for both sides with an application error code. Streams fail; what was written and is not acknowledged is lost. From any thread, does not wait,
    /// harmless when it has ended.
    /// </summary>
    public abstract void Close(long errorCode);
}
