using System.Collections.Frozen;

namespace Nuncio.DataPlane.Formatting;

/// <summary>
/// Command operators of Envoy 1.40 that have no value here, and those that have none in all of their forms: a log that asks for them goes without.
/// https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/advanced/substitution_formatter.
/// </summary>
internal static class AbsentOperators
{
    private static readonly FrozenSet<string> Names = new[]
    {
        "BYTES_RETRANSMITTED", "CEL", "CLUSTER_METADATA", "COALESCE", "COMMON_DURATION", "DOWNSTREAM_DETECTED_CLOSE_TYPE", "DOWNSTREAM_HANDSHAKE_DURATION",
        "DOWNSTREAM_HEADER_BYTES_RECEIVED", "DOWNSTREAM_HEADER_BYTES_SENT", "DOWNSTREAM_LOCAL_CLOSE_REASON", "DOWNSTREAM_LOCAL_EMAIL_SAN",
        "DOWNSTREAM_LOCAL_OTHERNAME_SAN", "DOWNSTREAM_PEER_EMAIL_SAN", "DOWNSTREAM_PEER_OTHERNAME_SAN", "DOWNSTREAM_WIRE_BYTES_RECEIVED",
        "DOWNSTREAM_WIRE_BYTES_SENT", "DYNAMIC_METADATA", "FILE_CONTENT", "FILTER_CHAIN_NAME", "FILTER_STATE", "METADATA", "PER_REQUEST_STATE",
        "REQUESTED_SERVER_NAME", "REQUEST_HEADER_BYTES", "ROUNDTRIP_DURATION", "SECRET", "SPAN_ID", "UNIQUE_ID", "UPSTREAM_BYTES_RECEIVED",
        "UPSTREAM_CONNECTION_ID", "UPSTREAM_CONNECTION_POOL_READY_DURATION", "UPSTREAM_DETECTED_CLOSE_TYPE", "UPSTREAM_FILTER_STATE",
        "UPSTREAM_HEADER_BYTES_RECEIVED", "UPSTREAM_HEADER_BYTES_SENT", "UPSTREAM_HOST", "UPSTREAM_HOSTS_ATTEMPTED", "UPSTREAM_HOST_NAMES_ATTEMPTED",
        "UPSTREAM_LOCAL_CLOSE_REASON", "UPSTREAM_LOCAL_DNS_SAN", "UPSTREAM_LOCAL_IP_SAN", "UPSTREAM_LOCAL_SUBJECT", "UPSTREAM_LOCAL_URI_SAN",
        "UPSTREAM_METADATA", "UPSTREAM_PEER_CERT", "UPSTREAM_PEER_CERT_V_END", "UPSTREAM_PEER_CERT_V_START", "UPSTREAM_PEER_DNS_SAN", "UPSTREAM_PEER_IP_SAN",
        "UPSTREAM_PEER_ISSUER", "UPSTREAM_PEER_SUBJECT", "UPSTREAM_PEER_URI_SAN", "UPSTREAM_TLS_SESSION_ID", "WORKER_ID",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Whether Envoy knows an operator that is unknown here, or known in another form.</summary>
    public static bool Contains(string name) => Names.Contains(name);
}
