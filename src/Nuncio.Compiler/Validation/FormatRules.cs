using System.Collections.Frozen;

namespace Nuncio.Compiler.Validation;

/// <summary>Which header values Envoy takes as format strings (its "command operators").</summary>
internal static class FormatRules
{
    private static readonly FrozenSet<string> WithoutArgument = new[]
    {
        "ACCESS_LOG_TYPE", "BYTES_RECEIVED", "BYTES_RETRANSMITTED", "BYTES_SENT", "CONNECTION_ID", "CONNECTION_TERMINATION_DETAILS",
        "DOWNSTREAM_DETECTED_CLOSE_TYPE", "DOWNSTREAM_DIRECT_LOCAL_ADDRESS", "DOWNSTREAM_DIRECT_LOCAL_ADDRESS_WITHOUT_PORT", "DOWNSTREAM_DIRECT_LOCAL_PORT",
        "DOWNSTREAM_DIRECT_REMOTE_ADDRESS", "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT", "DOWNSTREAM_DIRECT_REMOTE_PORT", "DOWNSTREAM_HANDSHAKE_DURATION",
        "DOWNSTREAM_HEADER_BYTES_RECEIVED", "DOWNSTREAM_HEADER_BYTES_SENT", "DOWNSTREAM_LOCAL_ADDRESS", "DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT",
        "DOWNSTREAM_LOCAL_CLOSE_REASON", "DOWNSTREAM_LOCAL_DNS_SAN", "DOWNSTREAM_LOCAL_EMAIL_SAN", "DOWNSTREAM_LOCAL_IP_SAN", "DOWNSTREAM_LOCAL_OTHERNAME_SAN",
        "DOWNSTREAM_LOCAL_PORT", "DOWNSTREAM_LOCAL_SUBJECT", "DOWNSTREAM_LOCAL_URI_SAN", "DOWNSTREAM_PEER_CERT", "DOWNSTREAM_PEER_CERT_V_END",
        "DOWNSTREAM_PEER_CERT_V_START", "DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_1", "DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_256", "DOWNSTREAM_PEER_CHAIN_SERIALS",
        "DOWNSTREAM_PEER_DNS_SAN", "DOWNSTREAM_PEER_EMAIL_SAN", "DOWNSTREAM_PEER_FINGERPRINT_1", "DOWNSTREAM_PEER_FINGERPRINT_256", "DOWNSTREAM_PEER_IP_SAN",
        "DOWNSTREAM_PEER_ISSUER", "DOWNSTREAM_PEER_OTHERNAME_SAN", "DOWNSTREAM_PEER_SERIAL", "DOWNSTREAM_PEER_SUBJECT", "DOWNSTREAM_PEER_URI_SAN",
        "DOWNSTREAM_REMOTE_ADDRESS", "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", "DOWNSTREAM_REMOTE_PORT", "DOWNSTREAM_TLS_CIPHER", "DOWNSTREAM_TLS_SESSION_ID",
        "DOWNSTREAM_TLS_VERSION", "DOWNSTREAM_TRANSPORT_FAILURE_REASON", "DOWNSTREAM_WIRE_BYTES_RECEIVED", "DOWNSTREAM_WIRE_BYTES_SENT", "DURATION",
        "EMIT_TIME", "FILTER_CHAIN_NAME", "GRPC_STATUS", "GRPC_STATUS_NUMBER", "HOSTNAME", "LOCAL_REPLY_BODY", "PROTOCOL", "QUERY_PARAMS",
        "REQUESTED_SERVER_NAME", "REQUEST_DURATION", "REQUEST_HEADER_BYTES", "REQUEST_HEADERS_BYTES", "REQUEST_TX_DURATION", "RESPONSE_CODE",
        "RESPONSE_CODE_DETAILS", "RESPONSE_DURATION", "RESPONSE_FLAGS", "RESPONSE_FLAGS_LONG", "RESPONSE_HEADERS_BYTES", "RESPONSE_TRAILERS_BYTES",
        "RESPONSE_TX_DURATION", "ROUNDTRIP_DURATION", "ROUTE_NAME", "START_TIME", "STREAM_ID", "TLS_JA3_FINGERPRINT", "TLS_JA4_FINGERPRINT", "TRACE_ID",
        "SPAN_ID", "UNIQUE_ID", "UPSTREAM_BYTES_RECEIVED", "UPSTREAM_CLUSTER", "UPSTREAM_CLUSTER_RAW", "UPSTREAM_CONNECTION_ID",
        "UPSTREAM_CONNECTION_POOL_READY_DURATION", "UPSTREAM_DETECTED_CLOSE_TYPE", "UPSTREAM_FILTER_STATE", "UPSTREAM_HEADER_BYTES_RECEIVED",
        "UPSTREAM_HEADER_BYTES_SENT", "UPSTREAM_HOST", "UPSTREAM_HOST_NAME", "UPSTREAM_HOST_NAME_WITHOUT_PORT", "UPSTREAM_LOCAL_ADDRESS",
        "UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", "UPSTREAM_LOCAL_CLOSE_REASON", "UPSTREAM_LOCAL_DNS_SAN", "UPSTREAM_LOCAL_IP_SAN", "UPSTREAM_LOCAL_PORT",
        "UPSTREAM_LOCAL_SUBJECT", "UPSTREAM_LOCAL_URI_SAN", "UPSTREAM_PEER_CERT", "UPSTREAM_PEER_CERT_V_END", "UPSTREAM_PEER_CERT_V_START",
        "UPSTREAM_PEER_DNS_SAN", "UPSTREAM_PEER_IP_SAN", "UPSTREAM_PEER_ISSUER", "UPSTREAM_PEER_SUBJECT", "UPSTREAM_PEER_URI_SAN", "UPSTREAM_PROTOCOL",
        "UPSTREAM_REMOTE_ADDRESS", "UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", "UPSTREAM_REMOTE_PORT", "UPSTREAM_REQUEST_ATTEMPT_COUNT", "UPSTREAM_TLS_CIPHER",
        "UPSTREAM_TLS_SESSION_ID", "UPSTREAM_TLS_VERSION", "UPSTREAM_TRANSPORT_FAILURE_REASON", "UPSTREAM_WIRE_BYTES_RECEIVED", "UPSTREAM_WIRE_BYTES_SENT",
        "VIRTUAL_CLUSTER_NAME", "VIRTUAL_HOST_NAME", "WORKER_ID",
    }.ToFrozenSet(StringComparer.Ordinal);

    private static readonly FrozenSet<string> WithArgument = new[]
    {
        "CEL", "CLUSTER_METADATA", "COALESCE", "COMMON_DURATION", "DOWNSTREAM_PEER_CERT_V_END", "DOWNSTREAM_PEER_CERT_V_START", "DYNAMIC_METADATA", "EMIT_TIME",
        "ENVIRONMENT", "FILE_CONTENT", "FILTER_STATE", "GRPC_STATUS", "METADATA", "PATH", "QUERY_PARAM", "QUERY_PARAMS", "REQ", "REQUESTED_SERVER_NAME",
        "REQ_WITHOUT_QUERY", "RESP", "SECRET", "START_TIME", "TRAILER", "UPSTREAM_FILTER_STATE", "UPSTREAM_METADATA", "UPSTREAM_PEER_CERT_V_END",
        "UPSTREAM_PEER_CERT_V_START", "UPSTREAM_HOST", "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT",
        "PER_REQUEST_STATE",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Why Envoy would refuse the text; null when it would not.</summary>
    public static string? Problem(string text)
    {
        if (!HeaderRules.IsValue(text))
            return "it holds a NUL, CR or LF";
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '%')
                continue;
            if (i + 1 < text.Length && text[i + 1] == '%')
            {
                i++;
                continue;
            }

            if (Operator(text, i + 1, out var end) is { } problem)
                return problem;
            i = end;
        }

        return null;
    }

    private static string? Operator(string text, int start, out int end)
    {
        var at = start;
        while (at < text.Length && (char.IsAsciiLetterUpper(text[at]) || char.IsAsciiDigit(text[at]) || text[at] == '_'))
            at++;
        var name = text[start..at];
        end = at;
        if (name.Length == 0)
            return "a percent sign must be written twice, or begin an operator such as %PROTOCOL%";
        var argument = at < text.Length && text[at] == '(';
        if (argument)
        {
            at = text.IndexOf(')', at);
            if (at < 0)
                return $"%{name}( has no closing parenthesis";
            if (text[at - 1] == '(')
                return $"%{name}() has nothing in its parentheses";
            at++;
        }

        if (at < text.Length && text[at] == ':')
        {
            var digits = at + 1;
            while (digits < text.Length && char.IsAsciiDigit(text[digits]))
                digits++;
            if (digits == at + 1)
                return $"%{name} has no length after its colon";
            at = digits;
        }

        if (at >= text.Length || text[at] != '%')
            return $"%{name} has no closing percent sign";
        end = at;
        return (argument ? WithArgument : WithoutArgument).Contains(name) ? null : $"%{name}{(argument ? "()" : "")}% is no format operator";
    }
}
