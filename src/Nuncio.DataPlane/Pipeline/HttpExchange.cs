using Nuncio.DataPlane.Http;

namespace Nuncio.DataPlane.Pipeline;

/// <summary>
/// One request on its way through the filters: what they read and change. Pooled with its stream; a filter must not keep it.
/// </summary>
public abstract class HttpExchange : IBodySource, IBodySink
{
    /// <summary>The client's side.</summary>
    public abstract HttpServerStream Downstream { get; }

    /// <summary>The request's headers, as far as the filters before changed them.</summary>
    public HeaderMap RequestHeaders => Downstream.RequestHeaders;

    /// <summary>Flags gathered so far.</summary>
    public ResponseFlags Flags { get; set; }

    /// <summary>%RESPONSE_CODE_DETAILS%: Envoy's word for why there is this response, such as <c>via_upstream</c> or <c>route_not_found</c>.</summary>
    public string ResponseCodeDetails { get; set; } = "";

    /// <summary>Per request and filter: slot <see cref="HttpFilter.Index"/>; null at the start.</summary>
    public abstract object?[] FilterState { get; }

    /// <summary>The request body the router will read; a filter may put its own source (a buffer, a transformation) in front.</summary>
    public abstract IBodySource RequestBody { get; set; }

    /// <summary>The request has no body (and nobody put one in front).</summary>
    public abstract bool RequestHasNoBody { get; set; }

    /// <summary>Where response body bytes go; a filter may wrap it in <see cref="HttpFilter.OnResponseHeaders"/>.</summary>
    public abstract IBodySink ResponseBody { get; set; }

    /// <summary>Chooses the route again from the headers as they are now.</summary>
    public abstract void ClearRouteCache();

    /// <summary>Passes a response head through the response hooks and the connection manager's own header work, and writes it.</summary>
    public abstract ValueTask WriteResponseHeadersAsync(HeaderMap headers, bool endStream);

    /// <summary>Passes response trailers on.</summary>
    public abstract ValueTask WriteResponseTrailersAsync(HeaderMap trailers);

    /// <summary>
    /// Answers without an upstream, as Envoy's local replies do: plain text, or trailers-only for gRPC requests; local reply mapping and response
    /// hooks apply. After the response has started it resets the stream instead.
    /// </summary>
    /// <param name="status">For instance 503.</param>
    /// <param name="body">Plain text; may be empty.</param>
    /// <param name="details">For <see cref="ResponseCodeDetails"/>.</param>
    /// <param name="extraHeaders">More headers, or null.</param>
    public abstract ValueTask<FilterOutcome> RespondAsync(int status, ReadOnlyMemory<byte> body, string details, HeaderMap? extraHeaders = null);

    /// <inheritdoc/>
    public ValueTask<BodyRead> ReadBodyAsync() => Downstream.ReadBodyAsync();

    /// <inheritdoc/>
    public ValueTask WriteBodyAsync(ReadOnlyMemory<byte> data, bool endStream) => Downstream.WriteBodyAsync(data, endStream);

    /// <inheritdoc/>
    public ValueTask FlushAsync() => Downstream.FlushAsync();
}
