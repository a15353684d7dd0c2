using System.Buffers.Text;
using System.Net;
using System.Text;
using Envoy.Data.Accesslog.V3;
using Google.Protobuf.WellKnownTypes;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Pipeline;

namespace Nuncio.DataPlane.AccessLogging;

/// <summary>Makes entries of requests that have ended (envoy.data.accesslog.v3).</summary>
/// <param name="isTcp">Entries of connections, as tcp_grpc sends them even where the connection carries HTTP.</param>
/// <param name="requestHeaders">More request headers, lower-case.</param>
/// <param name="responseHeaders">More response headers, lower-case.</param>
/// <param name="responseTrailers">Trailers, lower-case.</param>
internal sealed class GrpcAccessLogEntries(bool isTcp, byte[][] requestHeaders, byte[][] responseHeaders, byte[][] responseTrailers)
{
    /// <summary>Entries are of connections.</summary>
    public bool IsTcp => isTcp;

    /// <summary>The entry of a connection.</summary>
    public static TCPAccessLogEntry Tcp(HttpExchange exchange) => new()
    {
        CommonProperties = Common(exchange),
        ConnectionProperties = new ConnectionProperties
        {
            ReceivedBytes = (ulong)exchange.Downstream.BytesReceived,
            SentBytes = (ulong)exchange.Downstream.BytesSent,
        },
    };

    /// <summary>The entry of a request.</summary>
    public HTTPAccessLogEntry Http(HttpExchange exchange)
    {
        var headers = exchange.RequestHeaders;
        var request = new HTTPRequestProperties
        {
            RequestMethod = Method(headers.Get(KnownHeader.Method)),
            Scheme = Text(headers.Get(KnownHeader.Scheme)),
            Authority = Text(headers.Get(KnownHeader.Authority)),
            Path = Text(headers.Get(KnownHeader.Path)),
            UserAgent = Text(headers.Get(KnownHeader.UserAgent)),
            Referer = Text(headers.Get(KnownHeader.Referer)),
            ForwardedFor = Text(headers.Get(KnownHeader.XForwardedFor)),
            RequestId = Text(headers.Get(KnownHeader.XRequestId)),
            OriginalPath = Text(headers.Get(KnownHeader.XEnvoyOriginalPath)),
            RequestHeadersBytes = (ulong)headers.ByteSize,
            RequestBodyBytes = (ulong)exchange.Downstream.BytesReceived,
        };
        AddHeaders(request.RequestHeaders, headers, requestHeaders);
        var response = new HTTPResponseProperties
        {
            ResponseCode = exchange.ResponseStatus > 0 ? (uint)exchange.ResponseStatus : null,
            ResponseHeadersBytes = (ulong)(exchange.ResponseHeaders?.ByteSize ?? 0),
            ResponseBodyBytes = (ulong)exchange.Downstream.BytesSent,
            ResponseCodeDetails = exchange.ResponseCodeDetails,
        };
        AddHeaders(response.ResponseHeaders, exchange.ResponseHeaders, responseHeaders);
        AddHeaders(response.ResponseTrailers, exchange.ResponseTrailers, responseTrailers);
        return new HTTPAccessLogEntry
        {
            CommonProperties = Common(exchange),
            ProtocolVersion = exchange.Downstream.Version switch
            {
                HttpProtocolVersion.Http10 => HTTPAccessLogEntry.Types.HTTPVersion.Http10,
                HttpProtocolVersion.Http11 => HTTPAccessLogEntry.Types.HTTPVersion.Http11,
                _ => HTTPAccessLogEntry.Types.HTTPVersion.Http2,
            },
            Request = request,
            Response = response,
        };
    }

    private static AccessLogCommon Common(HttpExchange exchange)
    {
        var connection = exchange.Downstream.Connection;
        var upstream = exchange.Upstream;
        var common = new AccessLogCommon
        {
            DownstreamRemoteAddress = Address(exchange.RemoteAddress),
            DownstreamLocalAddress = Address(connection.LocalAddress),
            DownstreamDirectRemoteAddress = Address(connection.DirectRemoteAddress),
            StartTime = Timestamp.FromDateTimeOffset(exchange.StartTime),
            TimeToLastRxByte = Since(exchange, exchange.RequestEndTimestamp),
            TimeToFirstUpstreamTxByte = Since(exchange, upstream.RequestStarted),
            TimeToLastUpstreamTxByte = Since(exchange, upstream.RequestEnded),
            TimeToFirstUpstreamRxByte = Since(exchange, upstream.ResponseStarted),
            TimeToLastUpstreamRxByte = Since(exchange, upstream.ResponseEnded),
            TimeToFirstDownstreamTxByte = Since(exchange, exchange.ResponseStartTimestamp),
            TimeToLastDownstreamTxByte = Since(exchange, exchange.ResponseStartTimestamp == 0 ? 0 : exchange.EndTimestamp),
            Duration = Since(exchange, exchange.EndTimestamp),
            UpstreamCluster = upstream.Cluster,
            UpstreamTransportFailureReason = upstream.TransportFailureReason,
            RouteName = exchange.Route?.Name ?? "",
            UpstreamRequestAttemptCount = (uint)upstream.Attempts,
            ConnectionTerminationDetails = exchange.ConnectionTerminationDetails,
            StreamId = Text(exchange.RequestHeaders.Get(KnownHeader.XRequestId)),
            UpstreamWireBytesSent = (ulong)upstream.WireBytesSent,
            UpstreamWireBytesReceived = (ulong)upstream.WireBytesReceived,
            AccessLogType = exchange.IsConnection ? AccessLogType.TcpConnectionEnd : AccessLogType.DownstreamEnd,
        };
        if (upstream.Host is { } host)
        {
            common.UpstreamRemoteAddress = Address(host);
        }

        if (upstream.LocalAddress is { } local)
        {
            common.UpstreamLocalAddress = Address(local);
        }

        if (connection.IsTls)
        {
            common.TlsProperties = new TLSProperties
            {
                TlsSniHostname = connection.ServerName,
                TlsVersion = connection.TlsVersion switch
                {
                    "TLSv1.3" => TLSProperties.Types.TLSVersion.Tlsv13,
                    "TLSv1.2" => TLSProperties.Types.TLSVersion.Tlsv12,
                    "TLSv1.1" => TLSProperties.Types.TLSVersion.Tlsv11,
                    "TLSv1" => TLSProperties.Types.TLSVersion.Tlsv1,
                    _ => TLSProperties.Types.TLSVersion.VersionUnspecified,
                },
            };
        }

        if (exchange.Flags != Pipeline.ResponseFlags.None)
        {
            common.ResponseFlags = GrpcAccessLogFlags.Of(exchange.Flags);
        }

        return common;
    }

    private static Duration? Since(HttpExchange exchange, long timestamp) =>
        timestamp == 0 ? null : Duration.FromTimeSpan(exchange.Clock.GetElapsedTime(exchange.StartTimestamp, timestamp));

    private static void AddHeaders(Google.Protobuf.Collections.MapField<string, string> to, HeaderMap? from, byte[][] names)
    {
        foreach (var name in names)
        {
            if (from is not null && from.TryGet(name, out var value))
            {
                to[Text(name)] = Text(value);
            }
        }
    }

    private static CoreV3.Address Address(IPEndPoint point) => new()
    {
        SocketAddress = new CoreV3.SocketAddress
        {
            Address = (point.Address.IsIPv4MappedToIPv6 ? point.Address.MapToIPv4() : point.Address).ToString(),
            PortValue = (uint)point.Port,
        },
    };

    private static CoreV3.RequestMethod Method(ReadOnlySpan<byte> method) =>
        System.Enum.TryParse<CoreV3.RequestMethod>(Text(method), ignoreCase: true, out var known) ? known : CoreV3.RequestMethod.MethodUnspecified;

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);
}
