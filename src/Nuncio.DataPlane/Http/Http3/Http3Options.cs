using Nuncio.DataPlane.Telemetry;

namespace Nuncio.DataPlane.Http.Http3;

/// <summary>
/// Settings of HTTP/3 connections of one listener: the fields of Envoy's <c>Http3ProtocolOptions</c> under their names and with Envoy's defaults, and
/// what of the connection manager concerns the codec.
/// </summary>
public sealed record Http3Options
{
    /// <summary>Envoy's defaults.</summary>
    public static Http3Options Default { get; } = new();

    /// <summary>Where the codec counts; null for nowhere.</summary>
    public Http3Metrics? Metrics { get; init; }

    /// <summary><c>quic_protocol_options.connection_keepalive.initial_interval</c> between PINGs of a connection with requests; null sends none.</summary>
    public TimeSpan? KeepaliveInterval { get; init; }

    /// <summary><c>allow_extended_connect</c>: extended CONNECT (RFC 9220), which carries WebSocket; off.</summary>
    public bool AllowExtendedConnect { get; init; }

    /// <summary>
    /// <c>override_stream_error_on_invalid_http_message</c>: a malformed message costs its stream only; off, it costs the connection.
    /// </summary>
    public bool StreamErrorOnInvalidHttpMessage { get; init; }

    /// <summary><c>max_request_headers_kb</c>, in bytes: names and values of a message; 60 KiB.</summary>
    public int MaxHeaderBytes { get; init; } = 60 * 1024;

    /// <summary><c>common_http_protocol_options.max_headers_count</c>; 100.</summary>
    public int MaxHeaderCount { get; init; } = 100;

    /// <summary><c>common_http_protocol_options.headers_with_underscores_action</c>; allowed.</summary>
    public HeaderUnderscoreAction UnderscoreAction { get; init; }

    /// <summary><c>request_headers_timeout</c>: how long the head of a request may take from its first byte on; null for ever.</summary>
    public TimeSpan? RequestHeadersTimeout { get; init; }

    /// <summary>
    /// <c>stream_idle_timeout</c>: how long a client may take for the rest of a response that is complete here, before it is given up; null for ever.
    /// </summary>
    public TimeSpan? FlushTimeout { get; init; }

    /// <summary><c>common_http_protocol_options.idle_timeout</c>: a connection without a request for so long is closed; 1 h, null for never.</summary>
    public TimeSpan? IdleTimeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary><c>common_http_protocol_options.max_connection_duration</c>: then the connection drains; null for never.</summary>
    public TimeSpan? MaxConnectionDuration { get; init; }

    /// <summary><c>common_http_protocol_options.max_requests_per_connection</c>: then the connection drains; 0 for no limit.</summary>
    public long MaxRequestsPerConnection { get; init; }
}
