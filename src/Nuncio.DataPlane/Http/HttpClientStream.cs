namespace Nuncio.DataPlane.Http;

/// <summary>
/// One request to an upstream and its response, whatever the protocol. Obtained from a connection that the pool hands out. One reader and one
/// writer at a time; reading and writing may overlap (an upstream may answer before the request is complete).
/// </summary>
public abstract class HttpClientStream
{
    /// <summary>The response's headers with <c>:status</c>, filled by <see cref="ReadHeadersAsync"/>.</summary>
    public HeaderMap ResponseHeaders { get; } = new();

    /// <summary>Complete once a body read returned <see cref="BodyRead.EndStream"/>.</summary>
    public HeaderMap ResponseTrailers { get; } = new();

    /// <summary>The protocol spoken with the upstream.</summary>
    public HttpProtocolVersion Version { get; protected set; }

    /// <summary>The connection that it goes by, for access logs; null where that is not known.</summary>
    internal virtual Transport.TransportConnection? Transport => null;

    /// <summary>Wire bytes of the request and the response so far, for access logs and statistics.</summary>
    public long BytesSent { get; protected set; }

    /// <inheritdoc cref="BytesSent"/>
    public long BytesReceived { get; protected set; }

    /// <summary>
    /// Writes the request head from headers with pseudo-headers. May only buffer, see <see cref="FlushAsync"/>.
    /// HTTP/1.1: Content-Length is kept, else a body is chunked; an <c>upgrade</c> header makes it an upgrade request.
    /// </summary>
    public abstract ValueTask<StreamResetReason> WriteHeadersAsync(HeaderMap headers, bool endStream);

    /// <summary>Writes body bytes; completes when the buffer is free again.</summary>
    public abstract ValueTask<StreamResetReason> WriteBodyAsync(ReadOnlyMemory<byte> data, bool endStream);

    /// <summary>Ends the request with trailers.</summary>
    public abstract ValueTask<StreamResetReason> WriteTrailersAsync(HeaderMap trailers);

    /// <summary>Sends what is buffered.</summary>
    public abstract ValueTask<StreamResetReason> FlushAsync();

    /// <summary>
    /// Reads the next response head into <see cref="ResponseHeaders"/>: 1xx ones (but 101) first, each by itself, then the final one.
    /// </summary>
    public abstract ValueTask<ClientHeadersRead> ReadHeadersAsync();

    /// <summary>The next piece of the response body; after 101 (or 2xx to CONNECT) raw bytes of the tunnel.</summary>
    public abstract ValueTask<BodyRead> ReadBodyAsync();

    /// <summary>
    /// Gives up: pending reads and writes end with <paramref name="reason"/>; an HTTP/1.1 connection closes. From any thread; harmless when already complete.
    /// </summary>
    public abstract void Reset(StreamResetReason reason);

    /// <summary>The caller is done with it: the connection returns to its pool if the exchange was complete and clean, else it closes.</summary>
    public abstract void Release();
}

/// <summary>What reading a response head gave.</summary>
/// <param name="EndStream">The response has no body and no trailers.</param>
/// <param name="Error">Other than None: no head came.</param>
public readonly record struct ClientHeadersRead(bool EndStream, StreamResetReason Error = StreamResetReason.None);
