using System.Collections.Frozen;
using Google.Protobuf.Reflection;

namespace Nuncio.XdsServer.Clients;

/// <summary>
/// The fields of the contract that are younger than the oldest Envoy that is supported. Found by comparing each field with the descriptors in the programs of
/// Envoy 1.36 and 1.40; the versions between were not looked at, so what came with any of them counts as 1.40.
/// </summary>
internal static class EnvoyFields
{
    /// <summary>Every version from this one on knows all fields.</summary>
    public static Version Newest { get; } = new(1, 40);

    private static readonly Dictionary<string, string[]> Since140 = new(StringComparer.Ordinal)
    {
        ["envoy.config.core.v3.Http2ProtocolOptions"] = ["enable_huffman_encoding"],
        ["envoy.config.core.v3.QuicProtocolOptions"] = ["client_packet_writer", "connection_migration"],
        ["envoy.config.core.v3.SocketOption"] = ["ip_version"],
        ["envoy.config.listener.v3.AdditionalAddress"] = ["tcp_keepalive"],
        ["envoy.config.listener.v3.Listener"] = ["tcp_keepalive"],
        ["envoy.config.listener.v3.QuicProtocolOptions"] = ["max_sessions_per_event_loop"],
        ["envoy.config.rbac.v3.Policy"] = ["cel_config"],
        ["envoy.config.route.v3.DirectResponseAction"] = ["body_format"],
        ["envoy.config.route.v3.RateLimit"] = ["x_ratelimit_option"],
        ["envoy.config.route.v3.RateLimit.Action.GenericKey"] = ["default_value"],
        ["envoy.config.route.v3.RateLimit.Action.HeaderValueMatch"] = ["default_value"],
        ["envoy.config.route.v3.RateLimit.Action.QueryParameterValueMatch"] = ["default_value"],
        ["envoy.config.route.v3.RouteAction"] = ["path_rewrite", "host_rewrite"],
        ["envoy.config.route.v3.RouteConfiguration"] = ["vhost_header"],
        ["envoy.config.route.v3.RouteMatch"] = ["cookies"],
        ["envoy.config.route.v3.Tracing"] = ["operation", "upstream_operation"],
        ["envoy.extensions.common.ratelimit.v3.LocalRateLimitDescriptor"] = ["shadow_mode"],
        ["envoy.extensions.filters.http.ext_authz.v3.ExtAuthz"] = ["enforce_response_header_limits"],
        ["envoy.extensions.filters.http.router.v3.Router"] = ["reject_connect_request_early_data"],
        ["envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol"] = ["tlv_location"],
        ["envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector"] = ["max_client_hello_size"],
        ["envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"] = ["forward_proto_config"],
        ["envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.Tracing"] = ["operation", "upstream_operation"],
        ["envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"] = ["upstream_connect_mode", "max_early_data_bytes"],
        ["envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.TcpAccessLogOptions"] = ["flush_access_log_on_start"],
        ["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"] = ["request_mirror_policies", "hash_policy", "retry_policy"],
        ["envoy.type.tracing.v3.CustomTag"] = ["value"],
    };

    private static readonly FrozenSet<(string, string)> Young = Since140.SelectMany(pair => pair.Value.Select(field => (pair.Key, field))).ToFrozenSet();

    /// <summary>All of them, by message and field.</summary>
    public static IEnumerable<(string Message, string Field)> All => Young;

    /// <summary>An Envoy before <see cref="Newest"/> does not know the field.</summary>
    public static bool IsYoung(FieldDescriptor field) => Young.Contains((field.ContainingType.FullName, field.Name));
}
