namespace Nuncio.DataPlane.Pipeline;

/// <summary>What a filter did with a request's headers.</summary>
public enum FilterOutcome : byte
{
    /// <summary>The next filter's turn.</summary>
    Continue,

    /// <summary>The filter has answered (through <see cref="HttpExchange"/>), or the stream is gone: no later filter runs.</summary>
    Responded,
}

/// <summary>
/// One HTTP filter of a connection manager's chain. Bound from its typed config, immutable and shared by all requests; what it must remember
/// of one request goes into <see cref="HttpExchange.FilterState"/>. Filters run in the order of the message, response hooks in the opposite order.
/// </summary>
public abstract class HttpFilter
{
    /// <summary>The filter's name in the message, for instance <c>envoy.filters.http.cors</c>: the key of per-route configuration.</summary>
    public required string Name { get; init; }

    /// <summary>The place in the chain; set by the binder.</summary>
    public int Index { get; init; }

    /// <summary>
    /// Sees the request's headers (route already chosen; a filter that changes what routing depends on calls <see cref="HttpExchange.ClearRouteCache"/>).
    /// May wait, replace the request body source, or answer. The last filter, the router, always answers.
    /// </summary>
    public abstract ValueTask<FilterOutcome> OnRequestAsync(HttpExchange exchange);

    /// <summary>
    /// Sees the final response's headers, upstream's and local replies' alike, before they are written; may change them and wrap the response body. As in
    /// Envoy, this runs too when the request went no further than an earlier filter, or was refused before the first: then <see cref="OnRequestAsync"/> never
    /// ran.
    /// </summary>
    public virtual void OnResponseHeaders(HttpExchange exchange, Http.HeaderMap headers, bool endStream)
    {
    }

    /// <summary>Sees the response's trailers before they are written.</summary>
    public virtual void OnResponseTrailers(HttpExchange exchange, Http.HeaderMap trailers)
    {
    }

    /// <summary>The exchange is over, whatever way; runs for each filter, whether its request hook ran or not.</summary>
    public virtual void OnComplete(HttpExchange exchange)
    {
    }
}
