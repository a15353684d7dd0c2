namespace Nuncio.ParityTests;

/// <summary>What differs and may: the table of docs/parity.md.</summary>
internal static class KnownDifferences
{
    private const string Stricter = "On purpose: what can be read in two ways is refused";

    /// <summary>How the reason of an entry begins that chance decides: it need not be met in every run.</summary>
    public const string Chance = "Chance: ";

    /// <summary>By exchange (all that begin so with <c>*</c>) or area and aspect (<c>*</c> for all of its aspects, of an area the first word of several); why.</summary>
    public static IReadOnlyList<(string Exchange, string Aspect, string Why)> All { get; } =
    [
        ("host-empty", "*", $"{Stricter}; an empty Host is forwarded by Envoy"),
        ("host-twice", "*", $"{Stricter}; Envoy joins the two Hosts by a comma (RFC 9112, 3.2 wants 400)"),
        ("host-with-space", "*", "Both answer 400; Envoy with a body, and it closes"),
        ("folded-header", "*", $"{Stricter}; Envoy joins the lines (RFC 9112, 5.2 allows either)"),
        ("line-feeds-alone", "*", $"{Stricter}; Envoy takes a line feed alone for the end of a line"),
        ("transfer-in-1.0", "*", "Both refuse; 400 for the framing here, 426 for the version there"),
        ("version-missing", "*", "Both refuse; HTTP/0.9 is 400 here, 426 there"),
        ("http-1.0", "*", "Both answer 426; Envoy with a body"),
        ("http-1.0-keep-alive", "*", "Both answer 426; Envoy with a body"),
        ("http-1.0-without-host", "*", "Both answer 426; Envoy with a body"),
        ("upgrade-unasked", "*", "On purpose: a 101 that nobody asked for is an error of the upstream, since what follows it is not HTTP"),
        ("host-rewrite", "body", "The order of two headers that the upstream sees"),
        ("websocket-refused-by-upstream", "*", "On purpose: the body of an answer that refuses an upgrade is passed on; Envoy drops it"),
        ("Malformed requests", "log", "Envoy logs a line without method and target for what it could not read; here the line says what could be read"),
        ("frames-*", "goaway", "On purpose: a connection that ends for a mistake of the client is told which (RFC 9113, 5.4.1); Envoy just closes"),
        ("frames-many-headers", "end", "Both refuse the stream; ENHANCE_YOUR_CALM here, INTERNAL_ERROR there"),
        ("timeout-idle-connection-after-request", "time", "Envoy waits for drain_timeout before it closes an idle HTTP/1.1 connection"),
        ("authz-allow", "body", "The order of two headers that the upstream sees"),
        ("authz-body-too-large", "log received", "A body whose announced length is too much is not read before the answer"),
        ("buffer-too-large", "log received", "A body whose announced length is too much is not read before the answer"),
        ("mirror-rewritten", "body", "The order of two headers that the upstream sees"),
        ("own-buffer-beyond", "header connection", "Envoy answers, and closes, before it has read the end of the chunked body that came with it"),
        ("web-text-broken", "*", "Both answer 400; Envoy with a grpc-message, and it closes"),
        ("proxy-optional-v1-lower-case", "*", "Both refuse; what does not begin like HTTP is closed here, 400 there"),
        ("proxy-v2-udp", "*", "On purpose: a TCP connection cannot stand for datagrams; Envoy takes the addresses as they are"),
        ("proxy-optional-v2-udp", "*", "On purpose: a TCP connection cannot stand for datagrams; Envoy takes the addresses as they are"),
        ("statistics", "envoy_http_downstream_rq_total{envoy_http_conn_manager_prefix=\"http2\"}", "A malformed HTTP/2 request ends its connection before it counts as a request"),
        ("statistics", "envoy_http_downstream_rq_http2_total{envoy_http_conn_manager_prefix=\"http2\"}", "A malformed HTTP/2 request ends its connection before it counts as a request"),
        .. new[] { "downstream_rq_total", "downstream_rq_xx", "downstream_rq_completed", "downstream_rq_http1_total", "rq_total" }
            .SelectMany(counter => new[] { "proxy", "web" }.Select(prefix => ("statistics", $"envoy_http_{counter}{{envoy_http_conn_manager_prefix=\"{prefix}*", "Follows from exchanges above"))),
        .. new[] { "downstream_cx_total", "downstream_cx_http1_total", "downstream_cx_destroy", "downstream_cx_protocol_error" }
            .Select(counter => ("statistics", $"envoy_http_{counter}{{envoy_http_conn_manager_prefix=\"proxy*", "Follows from exchanges above")),
        ("statistics", "envoy_http_no_route{envoy_http_conn_manager_prefix=\"web\"}", "Follows from exchanges above"),
        ("statistics", "envoy_cluster_upstream_rq_total{envoy_cluster_name=\"tcp-*", "Chance: which of two weighted clusters a connection gets"),
        ("retry-other-host", "log attempts", "Chance: which of two endpoints round robin begins with"),
        ("grpc-connection-refused", "log received", "Chance: how much of the request has come when connecting fails"),
        .. new[] { "upstream_cx_connect_fail", "upstream_cx_total", "upstream_rq_retry", "upstream_rq_retry_success", "upstream_rq_total", "upstream_rq_pending_total", "upstream_rq_pending_failure_eject" }
            .Select(counter => ("statistics", $"envoy_cluster_{counter}{{envoy_cluster_name=\"half-closed\"*", "Chance: which of two endpoints round robin begins with")),
        .. new[] { "downstream_cx_total", "downstream_cx_destroy" }
            .Select(counter => ("statistics", $"envoy_listener_{counter}{{envoy_listener_address=\"proxy*", "Follows from exchanges above")),
        .. new[] { "upstream_rq", "upstream_rq_xx", "upstream_rq_completed", "external_upstream_rq", "external_upstream_rq_xx", "external_upstream_rq_completed" }
            .Select(counter => ("statistics", $"envoy_cluster_{counter}{{envoy_cluster_name=\"tcp-http\"*", "Follows from exchanges above")),
        ("statistics", "envoy_cluster_upstream_rq_total{envoy_cluster_name=\"up\"}", "Follows from exchanges above"),
        ("statistics", "envoy_cluster_upstream_rq_xx{envoy_response_code_class=\"5\",envoy_cluster_name=\"up\"}", "Follows from exchanges above"),
        ("statistics", "envoy_cluster_upstream_rq_xx{envoy_response_code_class=\"2\",envoy_cluster_name=\"up\"}", "Follows from exchanges above"),
        ("statistics", "envoy_cluster_upstream_rq{envoy_response_code=\"200\",envoy_cluster_name=\"up\"}", "Follows from exchanges above"),
        ("statistics", "envoy_cluster_upstream_rq{envoy_response_code=\"502\",envoy_cluster_name=\"up\"}", "Follows from exchanges above"),
        ("statistics", "envoy_cluster_upstream_rq_xx{envoy_response_code_class=\"1\",envoy_cluster_name=\"up\"}", "Follows from exchanges above"),
        ("statistics", "envoy_cluster_upstream_rq{envoy_response_code=\"101\",envoy_cluster_name=\"up\"}", "Follows from exchanges above"),
        ("statistics", "envoy_http_downstream_cx_protocol_error{envoy_http_conn_manager_prefix=\"ingress_https\"}", "Follows from exchanges above"),
        ("statistics", "envoy_http_downstream_rq_total{envoy_http_conn_manager_prefix=\"ingress_https\"}", "Follows from exchanges above"),
        ("statistics", "envoy_http_downstream_rq_xx{envoy_response_code_class=\"1\",envoy_http_conn_manager_prefix=\"ingress_https\"}", "Follows from exchanges above"),
        ("statistics", "envoy_http_downstream_rq_xx{envoy_response_code_class=\"2\",envoy_http_conn_manager_prefix=\"ingress_https\"}", "Follows from exchanges above"),
        ("statistics", "envoy_http_downstream_rq_xx{envoy_response_code_class=\"4\",envoy_http_conn_manager_prefix=\"ingress_https\"}", "Follows from exchanges above"),
        ("statistics", "envoy_http_downstream_rq_xx{envoy_response_code_class=\"5\",envoy_http_conn_manager_prefix=\"ingress_https\"}", "Follows from exchanges above"),
    ];

    /// <summary>The entry that allows a difference; null for one that is not listed.</summary>
    public static (string Exchange, string Aspect, string Why)? For(string area, string exchange, string aspect)
    {
        foreach (var known in All)
        {
            var isIt = known.Exchange[^1] == '*' ? exchange.StartsWith(known.Exchange[..^1], StringComparison.Ordinal) : known.Exchange == exchange;
            if (isIt && (known.Aspect == aspect || (known.Aspect[^1] == '*' && aspect.StartsWith(known.Aspect[..^1], StringComparison.Ordinal)))) return known;
            if (known.Exchange == area && aspect.StartsWith(known.Aspect + " ", StringComparison.Ordinal)) return known;
        }

        return null;
    }
}
