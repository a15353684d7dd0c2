namespace Nuncio.DataPlane.Http;

/// <summary>Why a stream, request or connection ended other than by its last byte. A value on the data path, not an exception.</summary>
public enum StreamResetReason : byte
{
    /// <summary>It did not.</summary>
    None,

    /// <summary>The peer closed the connection before the message was complete.</summary>
    ConnectionTermination,

    /// <summary>The connection could not be made: refused, unreachable, or failed TLS.</summary>
    ConnectionFailure,

    /// <summary>The connection was not made in time.</summary>
    ConnectionTimeout,

    /// <summary>The peer reset the stream (RST_STREAM).</summary>
    RemoteReset,

    /// <summary>The peer refused the stream before it processed it (REFUSED_STREAM, or GOAWAY below its id): safe to try again.</summary>
    RemoteRefusedStream,

    /// <summary>We reset it.</summary>
    LocalReset,

    /// <summary>The peer broke the protocol.</summary>
    ProtocolError,

    /// <summary>The peer reset the stream because we broke the protocol in its eyes (RST_STREAM with PROTOCOL_ERROR).</summary>
    RemoteProtocolError,

    /// <summary>A limit of ours was exceeded (header bytes, header count, body).</summary>
    Overflow,

    /// <summary>A timer of ours ended it.</summary>
    Timeout,
}
