using Nuncio.DataPlane.Telemetry;

namespace Nuncio.DataPlane.Http.Http1;

/// <summary>How HTTP/1.1 is spoken with clients; from the HttpConnectionManager message.</summary>
public sealed record Http1ServerOptions
{
    /// <summary>Envoy's defaults.</summary>
    public static Http1ServerOptions Default { get; } = new();

    /// <summary>The most bytes of a request head (<c>max_request_headers_kb</c>, default 60 KiB); more is answered 431.</summary>
    public int MaxHeaderBytes { get; init; } = 60 * 1024;

    /// <summary>The most header fields of a request (<c>max_headers_count</c>, default 100); more is answered 431.</summary>
    public int MaxHeaderCount { get; init; } = 100;

    /// <summary>HTTP/1.0 is served (<c>accept_http_10</c>); otherwise it is answered 426.</summary>
    public bool AcceptHttp10 { get; init; }

    /// <summary>The Host of HTTP/1.0 requests without one (<c>default_host_for_http_10</c>); empty for none.</summary>
    public string DefaultHostForHttp10 { get; init; } = "";

    /// <summary>Response header names on the wire (<c>header_key_format</c>).</summary>
    public Http1HeaderCase HeaderCase { get; init; }

    /// <summary>Requests keep the spelling of their header names towards HTTP/1.1 upstreams (<c>preserve_case</c>).</summary>
    public bool PreserveCase { get; init; }

    /// <summary>
    /// With <see cref="PreserveCase"/>: names that the client did not send begin their words with capitals (<c>formatter_type_on_envoy_headers</c>).
    /// </summary>
    public bool CapitalisesOthers { get; init; }

    /// <summary>Trailers are handed on in both directions (<c>enable_trailers</c>); otherwise they are dropped.</summary>
    public bool EnableTrailers { get; init; }

    /// <summary>Content-Length beside chunked is ignored and removed (<c>allow_chunked_length</c>) instead of answered 400.</summary>
    public bool AllowChunkedLength { get; init; }

    /// <summary>Methods that are not registered are let through (<c>allow_custom_methods</c>) instead of answered 400.</summary>
    public bool AllowCustomMethods { get; init; }

    /// <summary>Header names with an underscore (<c>headers_with_underscores_action</c>).</summary>
    public HeaderUnderscoreAction UnderscoreAction { get; init; }

    /// <summary>The 100 (Continue) is the upstream's to send (<c>proxy_100_continue</c>); otherwise we answer it and drop Expect.</summary>
    public bool Proxy100Continue { get; init; }

    /// <summary>How long a connection may stay without a request (<c>idle_timeout</c>, default one hour); zero is for ever.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary>
    /// How long a request head may take from its first byte (<c>request_headers_timeout</c>). Envoy has none by default and falls back on the idle timeout of
    /// the stream; one minute keeps a slow sender from holding a connection.
    /// </summary>
    public TimeSpan RequestHeadersTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a connection may live (<c>max_connection_duration</c>); zero is for ever. A request that is open then is still answered.</summary>
    public TimeSpan MaxConnectionDuration { get; init; }

    /// <summary>Requests after which a connection closes (<c>max_requests_per_connection</c>); 0 for any number.</summary>
    public int MaxRequestsPerConnection { get; init; }

    /// <summary>Where it is counted why connections end; null for nowhere.</summary>
    public HttpConnectionManagerMetrics? Metrics { get; init; }

    /// <summary>How long the peer may take to close after an answer that it could not expect (<c>delayed_close_timeout</c>, default 1 s).</summary>
    public TimeSpan DelayedCloseTimeout { get; init; } = TimeSpan.FromSeconds(1);
}
