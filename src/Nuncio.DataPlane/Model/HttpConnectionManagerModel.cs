using System.Net;
using Nuncio.DataPlane.AccessLogging;
using Nuncio.DataPlane.Pipeline;

namespace Nuncio.DataPlane.Model;

/// <summary>A connection manager (HcmV3.HttpConnectionManager): how its requests are read, cleaned, routed, filtered and logged.</summary>
public sealed class HttpConnectionManagerModel
{
    /// <summary>Label of its statistics.</summary>
    public required string StatPrefix { get; init; }

    /// <summary>Which protocols its connections speak; AUTO looks at the first bytes and at ALPN.</summary>
    public HcmV3.HttpConnectionManager.Types.CodecType Codec { get; init; }

    /// <summary>The name of its RDS resource; null where the routes are inline.</summary>
    public string? RouteConfigurationName { get; init; }

    /// <summary>Inline routes; null with RDS.</summary>
    public RouteConfigurationModel? RouteConfiguration { get; init; }

    /// <summary>In the order of the message; the last one is terminal (the router).</summary>
    public required IReadOnlyList<HttpFilter> Filters { get; init; }

    /// <summary>The router's suppress_envoy_headers: x-envoy headers of our own are left out.</summary>
    public bool SuppressEnvoyHeaders { get; init; }

    /// <summary>The value of <c>server</c>; default <c>envoy</c>.</summary>
    public required byte[] ServerName { get; init; }

    /// <summary>Whether an upstream's <c>server</c> stays.</summary>
    public HcmV3.HttpConnectionManager.Types.ServerHeaderTransformation ServerHeaderTransformation { get; init; }

    /// <summary>Appended to <c>via</c> of requests and responses; empty for none.</summary>
    public byte[] Via { get; init; } = [];

    /// <summary>x-envoy-downstream-service-cluster and a missing user-agent are set to this (the node's cluster); null leaves both.</summary>
    public byte[]? UserAgent { get; init; }

    /// <summary>How the client's address and x-forwarded-for are treated.</summary>
    public required ClientAddressModel ClientAddress { get; init; }

    /// <summary>How paths are cleaned.</summary>
    public required PathNormalizationModel PathNormalization { get; init; }

    /// <summary>How the host is cleaned.</summary>
    public required HostNormalizationModel HostNormalization { get; init; }

    /// <summary>x-forwarded-client-cert.</summary>
    public required ForwardClientCertModel ForwardClientCert { get; init; }

    /// <summary>x-request-id is made where it is missing (or may not be trusted).</summary>
    public bool GenerateRequestId { get; init; } = true;

    /// <summary>An external client's x-request-id is kept.</summary>
    public bool PreserveExternalRequestId { get; init; }

    /// <summary>x-request-id is in every response.</summary>
    public bool AlwaysSetRequestIdInResponse { get; init; }

    /// <summary>Expect: 100-continue and 100 responses pass through instead of being answered here.</summary>
    public bool Proxy100Continue { get; init; }

    /// <summary>What <c>:scheme</c> is set to; null leaves it.</summary>
    public byte[]? SchemeOverwrite { get; init; }

    /// <summary>Upgrades allowed by default; routes may say otherwise.</summary>
    public IReadOnlyList<UpgradeModel> Upgrades { get; init; } = [];

    /// <summary>Headers with an underscore in their name.</summary>
    public CoreV3.HttpProtocolOptions.Types.HeadersWithUnderscoresAction UnderscoresAction { get; init; }

    /// <summary>Of one stream without activity; zero for none. Default 5 min.</summary>
    public TimeSpan StreamIdleTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>From a request's first byte to its last; zero for none.</summary>
    public TimeSpan RequestTimeout { get; init; }

    /// <summary>From a request's first byte to the end of its headers; zero for none. The codec's.</summary>
    public TimeSpan RequestHeadersTimeout { get; init; }

    /// <summary>Of a whole stream; zero for none.</summary>
    public TimeSpan MaxStreamDuration { get; init; }

    /// <summary>Of a connection without requests; zero for none. Default 1 h. The codec's.</summary>
    public TimeSpan ConnectionIdleTimeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Of a connection; zero for none. The codec's.</summary>
    public TimeSpan MaxConnectionDuration { get; init; }

    /// <summary>Between the announcement that a connection closes (GOAWAY, <c>connection: close</c>) and its end. Default 5 s.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a client may take to read the last response before its connection is closed. Default 1 s.</summary>
    public TimeSpan DelayedCloseTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Bytes of request headers. Default 60 KiB. The codec's.</summary>
    public int MaxRequestHeaderBytes { get; init; } = 60 * 1024;

    /// <summary>Count of request headers. Default 100. The codec's.</summary>
    public int MaxRequestHeaderCount { get; init; } = 100;

    /// <summary>Requests of one connection; 0 for no limit. The codec's.</summary>
    public int MaxRequestsPerConnection { get; init; }

    /// <summary>HTTP/1 options of the message; null for the defaults. The codec's.</summary>
    public CoreV3.Http1ProtocolOptions? Http1Options { get; init; }

    /// <summary>HTTP/2 options of the message; null for the defaults. The codec's.</summary>
    public CoreV3.Http2ProtocolOptions? Http2Options { get; init; }

    /// <summary>HTTP/3's settings.</summary>
    public Http.Http3.Http3Options Http3Options { get; init; } = Http.Http3.Http3Options.Default;

    /// <summary>An invalid message ends the stream, not the connection.</summary>
    public bool StreamErrorOnInvalidHttpMessage { get; init; }

    /// <summary>How local replies are changed.</summary>
    public required LocalReplyModel LocalReply { get; init; }

    /// <summary>Where requests are logged.</summary>
    public IReadOnlyList<AccessLogModel> AccessLogs { get; init; } = [];

    /// <summary>How requests are traced; null for not at all.</summary>
    internal Tracing.TracingModel? Tracing { get; init; }

    /// <summary>The message it was bound from.</summary>
    public required HcmV3.HttpConnectionManager Message { get; init; }
}

/// <summary>How the client's address is found and passed on.</summary>
public sealed class ClientAddressModel
{
    /// <summary>The connection's address is the client's, and is appended to x-forwarded-for; else the header is believed.</summary>
    public bool UseRemoteAddress { get; init; }

    /// <summary>Proxies before us whose entries of x-forwarded-for are believed.</summary>
    public int TrustedHops { get; init; }

    /// <summary>x-forwarded-for is not appended to.</summary>
    public bool SkipXffAppend { get; init; }

    /// <summary>x-forwarded-port is set.</summary>
    public bool AppendXForwardedPort { get; init; }

    /// <summary>Ports of ours that count as https or http whatever the connection is; empty for none.</summary>
    public IReadOnlyList<int> HttpsPorts { get; init; } = [];

    /// <inheritdoc cref="HttpsPorts"/>
    public IReadOnlyList<int> HttpPorts { get; init; } = [];

    /// <summary>Addresses that count as internal clients. None by default.</summary>
    public IReadOnlyList<IPNetwork> InternalNetworks { get; init; } = [];
}

/// <summary>How paths are cleaned before anything looks at them.</summary>
public sealed class PathNormalizationModel
{
    /// <summary>Dot segments, backslashes and needless escapes are resolved (RFC 3986).</summary>
    public bool Normalize { get; init; }

    /// <summary>Adjacent slashes become one.</summary>
    public bool MergeSlashes { get; init; }

    /// <summary>What happens to %2F and %5C.</summary>
    public HcmV3.HttpConnectionManager.Types.PathWithEscapedSlashesAction EscapedSlashes { get; init; }
}

/// <summary>How the host is cleaned before the virtual host is chosen.</summary>
public sealed class HostNormalizationModel
{
    /// <summary>The port goes where it is the listener's.</summary>
    public bool StripMatchingPort { get; init; }

    /// <summary>Any port goes.</summary>
    public bool StripAnyPort { get; init; }

    /// <summary>A dot at the end goes.</summary>
    public bool StripTrailingDot { get; init; }
}

/// <summary>What happens to x-forwarded-client-cert.</summary>
public sealed class ForwardClientCertModel
{
    /// <summary>Whether the client's is believed and whether ours is added.</summary>
    public HcmV3.HttpConnectionManager.Types.ForwardClientCertDetails Details { get; init; }

    /// <summary>Subject= is set.</summary>
    public bool Subject { get; init; }

    /// <summary>Cert= is set.</summary>
    public bool Cert { get; init; }

    /// <summary>Chain= is set.</summary>
    public bool Chain { get; init; }

    /// <summary>DNS= is set.</summary>
    public bool Dns { get; init; }

    /// <summary>URI= is set.</summary>
    public bool Uri { get; init; }
}
