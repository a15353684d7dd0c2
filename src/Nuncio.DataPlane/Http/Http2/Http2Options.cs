using Nuncio.DataPlane.Telemetry;

namespace Nuncio.DataPlane.Http.Http2;

/// <summary>
/// Settings of HTTP/2 connections of one listener or cluster: the fields of Envoy's <c>Http2ProtocolOptions</c> under their names and with Envoy's
/// defaults, and what of the connection manager or cluster concerns the codec.
/// </summary>
public sealed record Http2Options
{
    /// <summary>Envoy's defaults.</summary>
    public static Http2Options Default { get; } = new();

    /// <summary>Where the codec counts; null for nowhere.</summary>
    public Http2Metrics? Metrics { get; init; }

    /// <summary><c>hpack_table_size</c>: bytes of the table the peer may use; 4096. More than 64 KiB counts as 64 KiB.</summary>
    public uint HpackTableSize { get; init; } = 4096;

    /// <summary><c>max_concurrent_streams</c>: of the client towards us, or ours towards an upstream (which may allow fewer); 1024.</summary>
    public uint MaxConcurrentStreams { get; init; } = 1024;

    /// <summary><c>initial_stream_window_size</c>, bytes; 16 MiB.</summary>
    public int InitialStreamWindowSize { get; init; } = 16 * 1024 * 1024;

    /// <summary><c>initial_connection_window_size</c>, bytes; 24 MiB.</summary>
    public int InitialConnectionWindowSize { get; init; } = 24 * 1024 * 1024;

    /// <summary><c>allow_connect</c>: extended CONNECT (RFC 8441), which carries WebSocket; off.</summary>
    public bool AllowConnect { get; init; }

    /// <summary><c>max_outbound_frames</c> that wait to be written before the connection is closed; 10,000.</summary>
    public int MaxOutboundFrames { get; init; } = 10_000;

    /// <summary><c>max_outbound_control_frames</c> (PING, SETTINGS, RST_STREAM) likewise; 1,000.</summary>
    public int MaxOutboundControlFrames { get; init; } = 1_000;

    /// <summary><c>max_consecutive_inbound_frames_with_empty_payload</c>; 1.</summary>
    public int MaxConsecutiveInboundFramesWithEmptyPayload { get; init; } = 1;

    /// <summary><c>max_inbound_priority_frames_per_stream</c>; 100.</summary>
    public int MaxInboundPriorityFramesPerStream { get; init; } = 100;

    /// <summary><c>max_inbound_window_update_frames_per_data_frame_sent</c>; 10.</summary>
    public int MaxInboundWindowUpdateFramesPerDataFrameSent { get; init; } = 10;

    /// <summary>
    /// <c>override_stream_error_on_invalid_http_message</c>: a malformed message costs its stream only; off, it costs the connection.
    /// </summary>
    public bool StreamErrorOnInvalidHttpMessage { get; init; }

    /// <summary><c>max_request_headers_kb</c> (or of responses), in bytes: names and values of a message; 60 KiB.</summary>
    public int MaxHeaderBytes { get; init; } = 60 * 1024;

    /// <summary><c>common_http_protocol_options.max_headers_count</c>; 100.</summary>
    public int MaxHeaderCount { get; init; } = 100;

    /// <summary><c>common_http_protocol_options.headers_with_underscores_action</c>, of requests; allowed.</summary>
    public HeaderUnderscoreAction UnderscoreAction { get; init; }

    /// <summary><c>connection_keepalive.interval</c> between PINGs; null sends none.</summary>
    public TimeSpan? KeepaliveInterval { get; init; }

    /// <summary><c>connection_keepalive.timeout</c>: how long an answer to a PING may take; 10 s.</summary>
    public TimeSpan KeepaliveTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long a client may take for the preface and its SETTINGS (RFC 9113 section 3.4), in Envoy's stead, which waits as for an idle connection; null for
    /// ever.
    /// </summary>
    public TimeSpan? PrefaceTimeout { get; init; }

    /// <summary><c>common_http_protocol_options.idle_timeout</c>: a connection without a stream for so long is closed; 1 h, null for never.</summary>
    public TimeSpan? IdleTimeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary><c>common_http_protocol_options.max_connection_duration</c>: then the connection drains; null for never.</summary>
    public TimeSpan? MaxConnectionDuration { get; init; }

    /// <summary><c>common_http_protocol_options.max_requests_per_connection</c>: then the connection drains; 0 for no limit.</summary>
    public long MaxRequestsPerConnection { get; init; }
}
