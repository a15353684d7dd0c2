using Nuncio.DataPlane.Pipeline;

namespace Nuncio.DataPlane.Errors;

/// <summary>Every cause for which the proxy answers by itself: the only place that says with what.</summary>
public static class LocalReplies
{
    /// <summary>No virtual host or route takes the request.</summary>
    public static LocalReply RouteNotFound { get; } = new(404, "route_not_found", ResponseFlags.NoRouteFound);

    /// <summary>The request has no host.</summary>
    public static LocalReply MissingHost { get; } = new(400, "missing_host_header");

    /// <summary>The request has no path and is not CONNECT.</summary>
    public static LocalReply MissingPath { get; } = new(404, "missing_path_rejected");

    /// <summary>The path does not start with a slash.</summary>
    public static LocalReply AbsolutePath { get; } = new(404, "absolute_path_rejected");

    /// <summary>The host has characters that no host has.</summary>
    public static LocalReply InvalidAuthority { get; } = new(400, "http.invalid_authority", ResponseFlags.DownstreamProtocolError, "Bad Request");

    /// <summary>The path cannot be normalised, has a fragment, or has escaped slashes where these are refused.</summary>
    public static LocalReply PathNormalizationFailed { get; } = new(400, "path_normalization_failed");

    /// <summary>The path was normalised and the client shall come again with it; <c>location</c> is added.</summary>
    public static LocalReply PathNormalizationRedirect { get; } = new(307, "path_normalization_failed");

    /// <summary>The Connection header names headers that it must not, or too many.</summary>
    public static LocalReply ConnectionHeaderRejected { get; } = new(400, "http1.connection_header_rejected", ResponseFlags.DownstreamProtocolError);

    /// <summary>An upgrade that neither the route nor the connection manager allows.</summary>
    public static LocalReply UpgradeFailed { get; } = new(403, "upgrade_failed");

    /// <summary>A filter that this proxy does not have.</summary>
    public static LocalReply FilterNotSupported { get; } = new(500, "filter_not_supported", ResponseFlags.NoFilterConfigFound);

    /// <summary>Nothing moved on the stream for too long, before the response began.</summary>
    public static LocalReply StreamIdleTimeout { get; } = new(408, "stream_idle_timeout", ResponseFlags.StreamIdleTimeout, "stream timeout");

    /// <summary>The request did not arrive in time.</summary>
    public static LocalReply RequestTimeout { get; } = new(408, "request_overall_timeout", ResponseFlags.None, "request timeout");

    /// <summary>The stream is older than it may get.</summary>
    public static LocalReply MaxStreamDuration { get; } = new(408, "max_duration_timeout", ResponseFlags.None, "downstream duration timeout");

    /// <summary>The request's body is framed wrongly: where it ends is anybody's guess, so the connection closes with this.</summary>
    public static LocalReply BadRequestBody { get; } = new(400, "http1.codec_error", ResponseFlags.DownstreamProtocolError, "Bad Request");

    /// <summary>The virtual host wants TLS; <c>location</c> is added.</summary>
    public static LocalReply TlsRequired { get; } = new(301, "direct_response");

    /// <summary>The details of a response that a route gives by itself.</summary>
    public const string DirectResponseDetails = "direct_response";

    /// <summary>The body is larger than may be buffered.</summary>
    public static LocalReply PayloadTooLarge { get; } = new(413, "request_payload_too_large", ResponseFlags.None, "Payload Too Large");

    /// <summary>A rule does not let the request pass.</summary>
    public static LocalReply RbacDenied { get; } = new(403, "rbac_access_denied_matched_policy[none]", ResponseFlags.None, "RBAC: access denied");

    /// <summary>The head of the request did not arrive in time.</summary>
    public const string HeaderTimeoutDetails = "request_header_timeout";

    /// <summary>A request over HTTP/2 is malformed (RFC 9113, 8.1.1).</summary>
    public const string Http2MessagingDetails = "http2.violation.of.messaging.rule";

    /// <summary>A request over HTTP/3 is malformed (RFC 9114, 4.1.2).</summary>
    public const string Http3MessagingDetails = "http3.invalid_header_field";

    /// <summary>A request over HTTP/3 has a body of another length than it says.</summary>
    public const string Http3LengthDetails = "http3.inconsistent_content_length";

    /// <summary>What came on an HTTP/2 connection could not be decoded.</summary>
    public const string Http2CodecDetails = "codec_error:compression_error";

    /// <summary>The client went away before there was a response.</summary>
    public const string DownstreamDisconnectDetails = "downstream_remote_disconnect";

    /// <summary>A resource runs short, so that no new work is taken.</summary>
    public static LocalReply Overloaded { get; } = new(503, "overload", ResponseFlags.OverloadManager, "envoy overloaded");

    /// <summary>A defect of ours.</summary>
    public static LocalReply InternalError { get; } = new(500, "internal_error", ResponseFlags.None, "Internal Server Error");

    /// <summary>A preflight request that the CORS filter answers.</summary>
    public const string CorsDetails = "cors_response";
}
