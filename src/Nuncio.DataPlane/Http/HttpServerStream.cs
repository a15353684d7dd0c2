namespace Nuncio.DataPlane.Http;

/// <summary>
/// One request of a client and the response to it, whatever the protocol: HTTP/1.1 and HTTP/2 implement it, everything above knows only it.
/// One reader and one writer at a time; reading and writing may overlap. Instances are pooled by their connection: nothing may keep one
/// past its completion.
/// </summary>
public abstract class HttpServerStream
{
    /// <summary>
    /// The request's headers with the pseudo-headers of HTTP/2 (<c>:method</c>, <c>:path</c>, <c>:authority</c>, <c>:scheme</c>; from HTTP/1.1 they are
    /// made of the request line and Host). Hop-by-hop framing (Transfer-Encoding, Connection, Keep-Alive) is the codec's and kept as received until
    /// the pipeline sanitises it. May be changed by filters.
    /// </summary>
    public HeaderMap RequestHeaders { get; } = new();

    /// <summary>Complete once a body read returned <see cref="BodyRead.EndStream"/>.</summary>
    public HeaderMap RequestTrailers { get; } = new();

    /// <summary>The request has no body at all: it ended with its headers.</summary>
    public bool RequestEndedWithHeaders { get; protected set; }

    /// <summary>The protocol of the request.</summary>
    public HttpProtocolVersion Version { get; protected set; }

    /// <summary>The connection it came by.</summary>
    public abstract DownstreamConnectionInfo Connection { get; }

    /// <summary>Body bytes received so far, decoded (without chunk framing).</summary>
    public long BytesReceived { get; protected set; }

    /// <summary>Body bytes sent so far, decoded.</summary>
    public long BytesSent { get; protected set; }

    /// <summary>The clusters as they were before anything looked at the request; null where nobody has taken them.</summary>
    internal State.ClusterGeneration? Clusters { get; set; }

    /// <summary>A final (not 1xx) response head has been written.</summary>
    public bool ResponseStarted { get; protected set; }

    /// <summary>The response is complete.</summary>
    public bool ResponseEnded { get; protected set; }

    /// <summary>
    /// Called at most once, from any thread, when the client goes away before the response is complete. It must not block.
    /// Setting it after the fact calls it at once.
    /// </summary>
    public abstract void OnAborted(IStreamAbortHandler? handler);

    /// <summary>The next piece of the request body. After a response 101 (or 2xx to CONNECT) to an upgrade: raw bytes of the tunnel.</summary>
    public abstract ValueTask<BodyRead> ReadBodyAsync();

    /// <summary>
    /// Writes a response head; <c>:status</c> says which. Heads with 1xx may come before the final one; 101 opens the tunnel.
    /// Connection-specific framing is added by the codec (Content-Length kept, else chunked or end of connection; Connection, Keep-Alive).
    /// May only buffer: bytes are sure to go out with <see cref="FlushAsync"/> or the end of the stream.
    /// A failed write is reported by the abort handler, not by an exception.
    /// </summary>
    public abstract ValueTask WriteHeadersAsync(HeaderMap headers, bool endStream);

    /// <summary>Writes body bytes. Completes when the bytes are taken over or sent: the buffer is free again. This is the back-pressure.</summary>
    public abstract ValueTask WriteBodyAsync(ReadOnlyMemory<byte> data, bool endStream);

    /// <summary>Ends the response with trailers.</summary>
    public abstract ValueTask WriteTrailersAsync(HeaderMap trailers);

    /// <summary>Sends what is buffered.</summary>
    public abstract ValueTask FlushAsync();

    /// <summary>
    /// Nobody wants the rest of the request body: a pending read ends with <see cref="StreamResetReason.LocalReset"/>, and so does every later one.
    /// The response goes on. From any thread; harmless when the body is complete. The codec sees to it that the connection stays usable or closes.
    /// </summary>
    public abstract void StopReading();

    /// <summary>Gives up: RST_STREAM, or for HTTP/1.1 close without completing the message.</summary>
    public abstract void Reset(StreamResetReason reason);

    /// <summary>
    /// HTTP/1.1: the connection closes after this response (with <c>connection: close</c> where the head is not yet written).
    /// HTTP/2: GOAWAY after it. Used while draining and where the request was not read to its end.
    /// </summary>
    public abstract void CloseConnectionAfterResponse();
}
