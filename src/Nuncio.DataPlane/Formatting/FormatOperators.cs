using System.Globalization;
using System.Net;
using System.Text;
using Nuncio.DataPlane.Errors;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Pipeline;
using Nuncio.DataPlane.Tls;

namespace Nuncio.DataPlane.Formatting;

/// <summary>Envoy's command operators, by name: https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/advanced/substitution_formatter.</summary>
internal static class FormatOperators
{
    private static readonly string Hostname = Dns.GetHostName();

    /// <summary>The operator, or null with the reason.</summary>
    public static FormatOperator? Create(string name, string? arguments, int maxLength, out string error)
    {
        error = "";
        if (Address(name) is { } address)
        {
            if (arguments is null)
            {
                return new FormatOperator((x, b) => Address(address(x), b), isNumber: false, maxLength);
            }

            // The network of so many bits that it is in.
            return byte.TryParse(arguments, NumberStyles.None, CultureInfo.InvariantCulture, out var bits) && bits <= 128
                ? new FormatOperator((x, b) => Network(address(x), bits, b), isNumber: false, maxLength)
                : Refuse($"%{name}% takes a number of bits", out error);
        }

        if (Simple(name) is { } writer)
        {
            if (arguments is not null && name != "RESPONSE_CODE_DETAILS")
            {
                error = $"%{name}% takes no arguments";
                return null;
            }

            return new FormatOperator(writer, isNumber: false, maxLength);
        }

        if (Number(name) is { } number)
        {
            return new FormatOperator(number, isNumber: true, maxLength);
        }

        switch (name)
        {
            case "REQ" or "RESP" or "TRAILER" or "REQ_WITHOUT_QUERY":
                if (string.IsNullOrEmpty(arguments))
                {
                    error = $"%{name}% needs the name of a header";
                    return null;
                }

                return new FormatOperator(Header(name, arguments), isNumber: false, maxLength);
            case "START_TIME":
                return TimeFormat.TryParse(arguments, out var start, out error)
                    ? new FormatOperator((x, b) => start.Write(x.StartTime, b), isNumber: false, maxLength) : null;
            case "EMIT_TIME":
                return TimeFormat.TryParse(arguments, out var emit, out error)
                    ? new FormatOperator((x, b) => emit.Write(x.Clock.GetUtcNow(), b), isNumber: false, maxLength) : null;
            case "DOWNSTREAM_PEER_CERT_V_START" or "DOWNSTREAM_PEER_CERT_V_END":
                if (!TimeFormat.TryParse(arguments, out var validity, out error))
                {
                    return null;
                }

                var isStart = name.EndsWith("START", StringComparison.Ordinal);
                return new FormatOperator(
                    (x, b) => Peer(x) is { } certificate && validity.Write(isStart ? certificate.NotBefore : certificate.NotAfter, b),
                    isNumber: false, maxLength);
            case "ENVIRONMENT" when !string.IsNullOrEmpty(arguments):
                var variable = Environment.GetEnvironmentVariable(arguments);
                return new FormatOperator((_, b) => Text(variable ?? "", b), isNumber: false, maxLength);
            case "GRPC_STATUS":
                return new FormatOperator((x, b) => GrpcStatus(x, arguments, b), isNumber: false, maxLength);
            case "QUERY_PARAM" when !string.IsNullOrEmpty(arguments):
                var parameter = Encoding.UTF8.GetBytes(arguments);
                return new FormatOperator((x, b) => QueryParameter(x, parameter, b), isNumber: false, maxLength);
            case "DYNAMIC_METADATA" when !string.IsNullOrEmpty(arguments):
                return MetadataText.Operator(arguments, maxLength);
            case "METADATA" when arguments?.StartsWith("DYNAMIC:", StringComparison.Ordinal) == true:
                return MetadataText.Operator(arguments["DYNAMIC:".Length..], maxLength);
            case "CLUSTER_METADATA" or "UPSTREAM_METADATA" when !string.IsNullOrEmpty(arguments):
                // Clusters and endpoints have none that a compiler would set: always absent, as in Envoy then.
                return new FormatOperator(static (_, _) => false, isNumber: false, maxLength);
            case "FILTER_STATE" or "UPSTREAM_FILTER_STATE" when !string.IsNullOrEmpty(arguments):
                // No filter of ours leaves any, so there is never one of that name: as in Envoy then.
                return new FormatOperator(static (_, _) => false, isNumber: false, maxLength);
            case "PATH" or "QUERY_PARAMS":
                return Path(name, arguments, maxLength, out error);
            default:
                error = $"%{name}% is not known or misses its arguments";
                return null;
        }
    }

    private static FormatOperator? Refuse(string reason, out string error)
    {
        error = reason;
        return null;
    }

    // With or without the query, of the path as it came, as it is now, or as it came where it was changed.
    private static FormatOperator? Path(string name, string? arguments, int maxLength, out string error)
    {
        error = "";
        var words = (arguments ?? "").Split(':');
        var query = name == "PATH" ? words[0] : "OQ";
        var source = name == "PATH" ? words.ElementAtOrDefault(1) ?? "" : words[0];
        if (words.Length > (name == "PATH" ? 2 : 1) || query is not ("" or "WQ" or "NQ" or "OQ") || source is not ("" or "ORIG" or "PATH" or "ORIG_OR_PATH"))
        {
            return Refuse($"%{name}% takes no such arguments", out error);
        }

        return new FormatOperator(
            (x, b) =>
            {
                var path = source == "PATH" ? default : x.RequestHeaders.Get(KnownHeader.XEnvoyOriginalPath);
                if (path.IsEmpty && source != "ORIG")
                {
                    path = x.RequestHeaders.Get(KnownHeader.Path);
                }

                var mark = path.IndexOf((byte)'?');
                path = query switch
                {
                    "NQ" => mark >= 0 ? path[..mark] : path,
                    "OQ" => mark >= 0 ? path[(mark + 1)..] : default,
                    _ => path,
                };
                b.Write(path);
                return !path.IsEmpty;
            },
            isNumber: false, maxLength);
    }

    private static Func<HttpExchange, IPEndPoint?>? Address(string name) => name switch
    {
        "UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT" => static x => Remote(x),
        "UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT" => static x => x.Upstream.LocalAddress,
        "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT" => static x => x.RemoteAddress,
        "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT" => static x => x.Downstream.Connection.DirectRemoteAddress,
        "DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT" or "DOWNSTREAM_DIRECT_LOCAL_ADDRESS_WITHOUT_PORT" => static x => x.Downstream.Connection.LocalAddress,
        _ => null,
    };

    private static bool Network(IPEndPoint? address, int bits, FormatBuffer buffer)
    {
        if (address is null)
        {
            return false;
        }

        Span<byte> bytes = stackalloc byte[16];
        address.Address.TryWriteBytes(bytes, out var length);
        bytes = bytes[..length];
        bits = Math.Min(bits, length * 8);
        for (var i = 0; i < length; i++)
        {
            bytes[i] &= (byte)(0xFF00 >> Math.Clamp(bits - (i * 8), 0, 8));
        }

        buffer.Write(new IPAddress(bytes));
        buffer.Write((byte)'/');
        buffer.Write(bits);
        return true;
    }

    private static FormatValueWriter? Simple(string name) => name switch
    {
        "PROTOCOL" => static (x, b) => !x.IsConnection && Text(Protocol(x.Downstream.Version), b),
        "RESPONSE_CODE_DETAILS" => static (x, b) => Token(x.ResponseCodeDetails, b),
        "CONNECTION_TERMINATION_DETAILS" => static (x, b) => Text(x.ConnectionTerminationDetails, b),
        "RESPONSE_FLAGS" => static (x, b) => Text(ResponseFlagNames.Format(x.Flags, x.IsConnection), b),
        "RESPONSE_FLAGS_LONG" => static (x, b) => Text(LongResponseFlagNames.Format(x.Flags), b),
        "UPSTREAM_HOST" => static (x, b) => EndPoint(x.Upstream.Host, b),
        "UPSTREAM_REMOTE_ADDRESS" => static (x, b) => EndPoint(Remote(x), b),
        "UPSTREAM_HOST_NAME" => static (x, b) => x.Upstream.HostName.Length > 0 ? Text(x.Upstream.HostName, b) : EndPoint(x.Upstream.Host, b),
        "UPSTREAM_HOST_NAME_WITHOUT_PORT" => static (x, b) => x.Upstream.HostName.Length > 0 ? Text(x.Upstream.HostName, b) : Address(x.Upstream.Host, b),
        "UPSTREAM_CLUSTER" or "UPSTREAM_CLUSTER_RAW" => static (x, b) => Text(x.Upstream.Cluster, b),
        "UPSTREAM_LOCAL_ADDRESS" => static (x, b) => EndPoint(x.Upstream.LocalAddress, b),
        "UPSTREAM_TRANSPORT_FAILURE_REASON" => static (x, b) => Token(x.Upstream.TransportFailureReason, b),
        "UPSTREAM_PROTOCOL" => static (x, b) => x.Upstream.Protocol is { } version && Text(Protocol(version), b),
        "UPSTREAM_TLS_CIPHER" => static (x, b) => Text(x.Upstream.TlsCipher, b),
        "UPSTREAM_TLS_VERSION" => static (x, b) => Text(x.Upstream.TlsVersion, b),
        "DOWNSTREAM_REMOTE_ADDRESS" => static (x, b) => EndPoint(x.RemoteAddress, b),
        "DOWNSTREAM_DIRECT_REMOTE_ADDRESS" => static (x, b) => EndPoint(x.Downstream.Connection.DirectRemoteAddress, b),
        "DOWNSTREAM_LOCAL_ADDRESS" or "DOWNSTREAM_DIRECT_LOCAL_ADDRESS" => static (x, b) => EndPoint(x.Downstream.Connection.LocalAddress, b),
        "REQUESTED_SERVER_NAME" => static (x, b) => Text(x.Downstream.Connection.ServerName, b),
        "DOWNSTREAM_TLS_VERSION" => static (x, b) => Text(x.Downstream.Connection.TlsVersion, b),
        "DOWNSTREAM_TLS_CIPHER" => static (x, b) => Text(x.Downstream.Connection.TlsCipher, b),
        "DOWNSTREAM_TLS_SESSION_ID" or "TLS_JA3_FINGERPRINT" or "TLS_JA4_FINGERPRINT" or "DOWNSTREAM_TRANSPORT_FAILURE_REASON" => static (_, _) => false,
        "DOWNSTREAM_PEER_SUBJECT" => static (x, b) => Peer(x) is { } peer && Text(CertificateText.Subject(peer), b),
        "DOWNSTREAM_PEER_ISSUER" => static (x, b) => Peer(x) is { } peer && Text(CertificateText.Issuer(peer), b),
        "DOWNSTREAM_PEER_SERIAL" => static (x, b) => Peer(x) is { } peer && Text(CertificateText.Serial(peer), b),
        "DOWNSTREAM_PEER_FINGERPRINT_256" => static (x, b) => Peer(x) is { } peer && Text(CertificateText.Sha256(peer), b),
        "DOWNSTREAM_PEER_FINGERPRINT_1" => static (x, b) => Peer(x) is { } peer && Text(CertificateText.Sha1(peer), b),
        "DOWNSTREAM_PEER_CERT" => static (x, b) => Peer(x) is { } peer && Text(CertificateText.UrlEncodedPem(peer), b),
        "DOWNSTREAM_PEER_URI_SAN" => static (x, b) => Peer(x) is { } peer && Text(string.Join(',', CertificateText.UriNames(peer)), b),
        "DOWNSTREAM_PEER_DNS_SAN" => static (x, b) => Peer(x) is { } peer && Text(string.Join(',', CertificateText.DnsNames(peer)), b),
        "DOWNSTREAM_PEER_IP_SAN" => static (x, b) => Peer(x) is { } peer && Text(string.Join(',', CertificateText.IpNames(peer)), b),
        "DOWNSTREAM_LOCAL_SUBJECT" => static (x, b) => Local(x) is { } local && Text(CertificateText.Subject(local), b),
        "DOWNSTREAM_LOCAL_URI_SAN" => static (x, b) => Local(x) is { } local && Text(string.Join(',', CertificateText.UriNames(local)), b),
        "DOWNSTREAM_LOCAL_DNS_SAN" => static (x, b) => Local(x) is { } local && Text(string.Join(',', CertificateText.DnsNames(local)), b),
        "DOWNSTREAM_LOCAL_IP_SAN" => static (x, b) => Local(x) is { } local && Text(string.Join(',', CertificateText.IpNames(local)), b),
        "HOSTNAME" => static (_, b) => Text(Hostname, b),
        "ROUTE_NAME" => static (x, b) => Text(x.Route?.Name ?? "", b),
        "VIRTUAL_HOST_NAME" => static (x, b) => Text(x.VirtualHost?.Name ?? "", b),
        "VIRTUAL_CLUSTER_NAME" => static (x, b) => Text(x.Upstream.VirtualCluster, b),
        "LOCAL_REPLY_BODY" => static (x, b) => Bytes(x.LocalReplyBody.Span, b),
        "STREAM_ID" => static (x, b) => HeaderValue(x.RequestHeaders, "x-request-id"u8, b),
        "TRACE_ID" => static (x, b) => TraceId(x.RequestHeaders, b),
        "ACCESS_LOG_TYPE" => static (x, b) => Text(x.IsConnection ? "TcpConnectionEnd" : "DownstreamEnd", b),
        "CUSTOM_FLAGS" => static (_, b) => Bytes(default, b),
        "DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_256" => static (x, b) => Text(OfChain(x, CertificateText.Sha256), b),
        "DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_1" => static (x, b) => Text(OfChain(x, CertificateText.Sha1), b),
        "DOWNSTREAM_PEER_CHAIN_SERIALS" => static (x, b) => Text(OfChain(x, CertificateText.Serial), b),
        _ => null,
    };

    private static FormatValueWriter? Number(string name) => name switch
    {
        "RESPONSE_CODE" => static (x, b) => Integer(x.ResponseStatus, b),
        "BYTES_RECEIVED" => static (x, b) => Integer(x.Downstream.BytesReceived, b),
        "BYTES_SENT" => static (x, b) => Integer(x.Downstream.BytesSent, b),
        "DURATION" => static (x, b) => Integer(x.ElapsedMilliseconds, b),
        "REQUEST_DURATION" => static (x, b) => Milliseconds(x, x.StartTimestamp, x.RequestEndTimestamp, b),
        "REQUEST_TX_DURATION" => static (x, b) => Milliseconds(x, x.StartTimestamp, x.Upstream.RequestEnded, b),
        "RESPONSE_DURATION" => static (x, b) => Milliseconds(x, x.StartTimestamp, x.Upstream.ResponseStarted, b),
        "RESPONSE_TX_DURATION" => static (x, b) => Milliseconds(x, x.Upstream.ResponseStarted, x.EndTimestamp, b),
        "UPSTREAM_REQUEST_ATTEMPT_COUNT" => static (x, b) => Integer(x.Upstream.Attempts, b),
        "UPSTREAM_WIRE_BYTES_SENT" => static (x, b) => Integer(x.Upstream.WireBytesSent, b),
        "UPSTREAM_WIRE_BYTES_RECEIVED" => static (x, b) => Integer(x.Upstream.WireBytesReceived, b),
        "UPSTREAM_LOCAL_PORT" => static (x, b) => Port(x.Upstream.LocalAddress, b),
        "UPSTREAM_REMOTE_PORT" => static (x, b) => Port(x.Upstream.Host, b),
        "DOWNSTREAM_REMOTE_PORT" => static (x, b) => Port(x.RemoteAddress, b),
        "DOWNSTREAM_DIRECT_REMOTE_PORT" => static (x, b) => Port(x.Downstream.Connection.DirectRemoteAddress, b),
        "DOWNSTREAM_LOCAL_PORT" or "DOWNSTREAM_DIRECT_LOCAL_PORT" => static (x, b) => Port(x.Downstream.Connection.LocalAddress, b),
        "REQUEST_HEADERS_BYTES" => static (x, b) => Integer(x.RequestHeaders.ByteSize, b),
        "RESPONSE_HEADERS_BYTES" => static (x, b) => Integer(x.ResponseHeaders?.ByteSize ?? 0, b),
        "RESPONSE_TRAILERS_BYTES" => static (x, b) => Integer(x.ResponseTrailers?.ByteSize ?? 0, b),
        "CONNECTION_ID" => static (x, b) => Integer(x.Downstream.Connection.Id, b),
        "GRPC_STATUS_NUMBER" => static (x, b) => GrpcStatus(x, "NUMBER", b),
        _ => null,
    };

    // NAME?FALLBACK; a second question mark is part of the fallback's name.
    private static FormatValueWriter Header(string op, string arguments)
    {
        var question = arguments.IndexOf('?', StringComparison.Ordinal);
        var name = HeaderName(question < 0 ? arguments : arguments[..question]);
        var fallback = question < 0 ? null : HeaderName(arguments[(question + 1)..]);
        return op switch
        {
            "RESP" => (x, b) => HeaderValue(x.ResponseHeaders, name, b) || HeaderValue(x.ResponseHeaders, fallback, b),
            "TRAILER" => (x, b) => HeaderValue(x.ResponseTrailers, name, b) || HeaderValue(x.ResponseTrailers, fallback, b),
            "REQ_WITHOUT_QUERY" => (x, b) => HeaderWithoutQuery(x.RequestHeaders, name, fallback, b),
            _ => (x, b) => HeaderValue(x.RequestHeaders, name, b) || HeaderValue(x.RequestHeaders, fallback, b),
        };
    }

    private static bool HeaderWithoutQuery(HeaderMap headers, byte[] name, byte[]? fallback, FormatBuffer buffer)
    {
        var start = buffer.Length;
        if (!HeaderValue(headers, name, buffer) && !HeaderValue(headers, fallback, buffer))
        {
            return false;
        }

        var query = buffer.Written[start..].IndexOfAny((byte)'?', (byte)'#');
        if (query >= 0)
        {
            buffer.Truncate(start + query);
        }

        return true;
    }

    private static byte[] HeaderName(string name)
    {
        var lower = name.ToLowerInvariant();
        return Encoding.UTF8.GetBytes(lower == "host" ? ":authority" : lower);
    }

    // Only the first of several headers, as Envoy's formatter does.
    private static bool HeaderValue(HeaderMap? headers, ReadOnlySpan<byte> name, FormatBuffer buffer)
    {
        if (headers is null || name.IsEmpty || !headers.TryGet(name, out var value))
        {
            return false;
        }

        buffer.Write(value);
        return true;
    }

    private static bool GrpcStatus(HttpExchange exchange, string? form, FormatBuffer buffer)
    {
        ReadOnlySpan<byte> text = default;
        if (!exchange.IsGrpc && !exchange.IsGrpcWeb)
        {
            return false;
        }

        if (!(exchange.ResponseTrailers?.TryGet(KnownHeader.GrpcStatus, out text) ?? false)
            && !(exchange.ResponseHeaders?.TryGet(KnownHeader.GrpcStatus, out text) ?? false))
        {
            // As in Envoy what the HTTP status says stands in, for gRPC alone.
            if (exchange.ResponseHeaders is null || exchange.ResponseStatus == 0)
            {
                return false;
            }

            var mapped = GrpcStatusMapping.FromHttp(exchange.ResponseStatus);
            return Text(
                form switch { "NUMBER" => mapped.ToString(CultureInfo.InvariantCulture), "SNAKE_STRING" => GrpcSnakeNames[mapped], _ => GrpcNames[mapped] },
                buffer);
        }

        if (form == "NUMBER" || !int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var status) || status >= GrpcNames.Length)
        {
            buffer.Write(text);
            return true;
        }

        return Text(form == "SNAKE_STRING" ? GrpcSnakeNames[status] : GrpcNames[status], buffer);
    }

    private static readonly string[] GrpcNames =
    [
        "OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound", "AlreadyExists", "PermissionDenied", "ResourceExhausted",
        "FailedPrecondition", "Aborted", "OutOfRange", "Unimplemented", "Internal", "Unavailable", "DataLoss", "Unauthenticated",
    ];

    private static readonly string[] GrpcSnakeNames =
    [
        "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
    ];

    private static bool QueryParameter(HttpExchange exchange, byte[] name, FormatBuffer buffer)
    {
        var path = exchange.RequestHeaders.Get(KnownHeader.Path);
        var query = path.IndexOf((byte)'?');
        if (query < 0 || !Matching.QueryParameterMatcher.TryFind(path[(query + 1)..], name, out var value))
        {
            return false;
        }

        buffer.Write(value);
        return true;
    }

    private static string OfChain(HttpExchange exchange, Func<System.Security.Cryptography.X509Certificates.X509Certificate2, string> text) =>
        string.Join(',', (exchange.Downstream.Connection.PeerCertificateChain ?? []).Select(text));

    // The second field of W3C's traceparent.
    private static bool TraceId(HeaderMap headers, FormatBuffer buffer)
    {
        var parent = headers.Get(KnownHeader.Traceparent);
        if (parent.Length < 35)
        {
            return false;
        }

        buffer.Write(parent.Slice(3, 32));
        return true;
    }

    // A connection that was not made has no other end.
    private static IPEndPoint? Remote(HttpExchange exchange) => exchange.Upstream.LocalAddress is null ? null : exchange.Upstream.Host;

    private static string Protocol(HttpProtocolVersion version) => version switch
    {
        HttpProtocolVersion.Http10 => "HTTP/1.0",
        HttpProtocolVersion.Http11 => "HTTP/1.1",
        HttpProtocolVersion.Http2 => "HTTP/2",
        _ => "HTTP/3",
    };

    private static System.Security.Cryptography.X509Certificates.X509Certificate2? Peer(HttpExchange exchange) =>
        exchange.Downstream.Connection.PeerCertificate;

    private static System.Security.Cryptography.X509Certificates.X509Certificate2? Local(HttpExchange exchange) =>
        exchange.Downstream.Connection.LocalCertificate;

    private static bool Text(string text, FormatBuffer buffer)
    {
        buffer.Write(text);
        return text.Length > 0;
    }

    private static bool Bytes(ReadOnlySpan<byte> bytes, FormatBuffer buffer)
    {
        buffer.Write(bytes);
        return true;
    }

    // Details never hold blanks in a log, so that lines can be cut at blanks.
    private static bool Token(string text, FormatBuffer buffer)
    {
        var start = buffer.Length;
        buffer.Write(text);
        buffer.ReplaceFrom(start, (byte)' ', (byte)'_');
        return text.Length > 0;
    }

    private static bool Integer(long value, FormatBuffer buffer)
    {
        buffer.Write(value);
        return true;
    }

    private static bool Milliseconds(HttpExchange exchange, long from, long to, FormatBuffer buffer)
    {
        if (from == 0 || to == 0)
        {
            return false;
        }

        buffer.Write((long)exchange.Clock.GetElapsedTime(from, to).TotalMilliseconds);
        return true;
    }

    private static bool Address(IPEndPoint? address, FormatBuffer buffer)
    {
        if (address is null)
        {
            return false;
        }

        buffer.Write(address.Address);
        return true;
    }

    private static bool EndPoint(IPEndPoint? address, FormatBuffer buffer)
    {
        if (address is null)
        {
            return false;
        }

        var six = address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6;
        if (six)
        {
            buffer.Write((byte)'[');
        }

        buffer.Write(address.Address);
        if (six)
        {
            buffer.Write((byte)']');
        }

        buffer.Write((byte)':');
        buffer.Write(address.Port);
        return true;
    }

    private static bool Port(IPEndPoint? address, FormatBuffer buffer) => address is not null && Integer(address.Port, buffer);
}
