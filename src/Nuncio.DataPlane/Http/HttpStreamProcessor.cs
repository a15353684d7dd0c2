namespace Nuncio.DataPlane.Http;

/// <summary>
/// What answers the requests of a connection: made once per connection manager, shared by its connections, called by the codecs of every protocol
/// on the thread that read the request. It must not block.
/// </summary>
public abstract class HttpStreamProcessor
{
    /// <summary>
    /// Handles one request from its headers to the end of its response. The codec reuses the stream after completion; where the response is
    /// not complete by then (or this fails), it resets the stream.
    /// </summary>
    public abstract ValueTask ProcessAsync(HttpServerStream stream);

    /// <summary>
    /// Answers a request that the codec could not accept, with a local reply of the connection manager, so that such requests are logged and counted
    /// as well. The stream's headers are what was understood, possibly nothing; the body cannot be read; an HTTP/1.1 connection closes after it.
    /// </summary>
    /// <param name="stream">The stream.</param>
    /// <param name="status">For instance 400, 426 or 431.</param>
    /// <param name="details">Envoy's response code details, such as <c>http1.codec_error</c>.</param>
    public abstract ValueTask RejectAsync(HttpServerStream stream, int status, string details);

    /// <summary>A request over HTTP/2 whose head made its connection end: there is nobody to answer, but it has come, and is logged and counted.</summary>
    /// <param name="stream">What was understood of it; it is over with this call.</param>
    /// <param name="details">Envoy's response code details, such as <c>http2.violation.of.messaging.rule</c>.</param>
    public virtual void OnUnreadable(HttpServerStream stream, string details)
    {
    }
}
