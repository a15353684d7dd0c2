using System.Text;

namespace Nuncio.ParityTests.Static;

/// <summary>Envoy's messages as JSON, short.</summary>
internal static class Resources
{
    private const string Types = "type.googleapis.com/envoy.extensions";

    /// <summary>What a line of the access log has: one JSON object.</summary>
    public const string AccessLog = $$$"""
        {"name":"log","typed_config":{"@type":"{{{Types}}}.access_loggers.file.v3.FileAccessLog","path":"$(log)","log_format":{"json_format":{
          "path":"%REQ(:PATH)%","id":"%REQ(X-ID)%","method":"%REQ(:METHOD)%","authority":"%REQ(:AUTHORITY)%","protocol":"%PROTOCOL%","code":"%RESPONSE_CODE%","flags":"%RESPONSE_FLAGS%",
          "details":"%RESPONSE_CODE_DETAILS%","termination":"%CONNECTION_TERMINATION_DETAILS%","received":"%BYTES_RECEIVED%","sent":"%BYTES_SENT%","cluster":"%UPSTREAM_CLUSTER%",
          "upstream":"%UPSTREAM_HOST%","upstream protocol":"%UPSTREAM_PROTOCOL%","attempts":"%UPSTREAM_REQUEST_ATTEMPT_COUNT%","failure":"%UPSTREAM_TRANSPORT_FAILURE_REASON%",
          "route":"%ROUTE_NAME%","grpc":"%GRPC_STATUS%","forwarded":"%REQ(X-FORWARDED-FOR)%","remote":"%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%","direct":"%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%",
          "server name":"%REQUESTED_SERVER_NAME%","tls":"%DOWNSTREAM_TLS_VERSION%","peer":"%DOWNSTREAM_PEER_SUBJECT%","local reply":"%LOCAL_REPLY_BODY%"} } } }
        """;

    /// <summary>A listener on a port of its own, <c>$(l:NAME)</c>; further fields first, then filter chains.</summary>
    public static string Listener(string name, string fields, params IEnumerable<string> chains) => $$$"""
        {"name":"{{{name}}}","stat_prefix":"{{{name}}}","address":{"socket_address":{"address":"127.0.0.1","port_value":$(l:{{{name}}}) } },{{{fields}}}"filter_chains":[ {{{string.Join(',', chains)}}} ]}
        """;

    /// <summary>A filter chain with one network filter; further fields first.</summary>
    public static string Chain(string filter, string fields = "") => $$"""{ {{fields}}"filters":[ {{filter}} ]}""";

    /// <summary>A connection manager with one virtual host; further fields of it, and HTTP filters before the router.</summary>
    public static string Http(string name, string routes, string fields = "", string filters = "", string virtualHost = "") => $$$"""
        {"name":"http","typed_config":{"@type":"{{{Types}}}.filters.network.http_connection_manager.v3.HttpConnectionManager","stat_prefix":"{{{name}}}","access_log":[ {{{AccessLog}}} ],
          "use_remote_address":true,{{{fields}}}
          "route_config":{"name":"{{{name}}}","virtual_hosts":[ {"name":"all","domains":["*"],{{{virtualHost}}}"routes":[ {{{routes}}} ]}]},
          "http_filters":[ {{{filters}}}{"name":"router","typed_config":{"@type":"{{{Types}}}.filters.http.router.v3.Router"} }] } }
        """;

    /// <summary>A TCP proxy; fields without the statistics' prefix and the log.</summary>
    public static string Tcp(string name, string fields) => $$$"""
        {"name":"tcp","typed_config":{"@type":"{{{Types}}}.filters.network.tcp_proxy.v3.TcpProxy","stat_prefix":"{{{name}}}",{{{fields}}} } }
        """;

    /// <summary>A route of a prefix to a cluster; further fields of its action and of itself.</summary>
    public static string Route(string prefix, string cluster, string action = "", string fields = "") =>
        $$$"""{"name":"{{{prefix.Trim('/')}}}","match":{"prefix":"{{{prefix}}}"},{{{fields}}}"route":{ {{{action}}}"cluster":"{{{cluster}}}"} }""";

    /// <summary>An HTTP filter.</summary>
    public static string Filter(string name, string type, string fields = "") =>
        $$$"""{"name":"{{{name}}}","typed_config":{"@type":"{{{Types}}}.filters.http.{{{type}}}"{{{(fields.Length > 0 ? "," : "")}}}{{{fields}}} } },""";

    /// <summary>A static cluster of backends of this machine, as <see cref="StaticPlane"/> names them; further fields first.</summary>
    public static string Cluster(string name, string fields, params IEnumerable<string> backends) =>
        Prioritised(name, fields, backends);

    /// <summary>A static cluster with several priorities.</summary>
    public static string Prioritised(string name, string fields, params IEnumerable<IEnumerable<string>> priorities)
    {
        var localities = new StringBuilder();
        var priority = 0;
        foreach (var backends in priorities)
        {
            if (priority > 0) localities.Append(',');
            localities.Append($$"""{"priority":{{priority++}},"lb_endpoints":[ {{string.Join(',', backends.Select(Endpoint))}} ]}""");
        }

        return $$"""{"name":"{{name}}","type":"STATIC","connect_timeout":"2s",{{fields}}"load_assignment":{"cluster_name":"{{name}}","endpoints":[ {{localities}} ]} }""";
    }

    /// <summary>The field that makes a cluster talk HTTP/2.</summary>
    public const string OverHttp2 = $$$"""
        "typed_extension_protocol_options":{"envoy.extensions.upstreams.http.v3.HttpProtocolOptions":{"@type":"{{{Types}}}.upstreams.http.v3.HttpProtocolOptions",
          "explicit_http_config":{"http2_protocol_options":{} } } },
        """;

    // NAME or NAME*WEIGHT.
    private static string Endpoint(string backend)
    {
        var words = backend.Split('*');
        var weight = words.Length > 1 ? $"\"load_balancing_weight\":{words[1]}," : "";
        return $$$"""{ {{{weight}}}"endpoint":{"address":{"socket_address":{"address":"127.0.0.1","port_value":$({{{words[0]}}}) } } } }""";
    }
}
