namespace Nuncio.ParityTests;

/// <summary>What differs and may: the table of docs/parity.md.</summary>
internal static class KnownDifferences
{
    private const string Stricter = "On purpose: what can be read in two ways is refused";
    private const string Open = "Not settled: Envoy's way is the better one";

    /// <summary>By exchange or area and aspect (<c>*</c> for all of its aspects, of an area the first word of several); why.</summary>
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
        ("shadowed", "shadow request", $"{Open}: the mirrored request has the client's address twice in x-forwarded-for, and x-envoy-internal"),
        ("circuit-open", "log upstream", $"{Open}: no upstream is logged where the circuit breaker refused"),
        ("websocket", "*", $"{Open}: no content-length: 0 for an upgrade"),
        ("websocket-refused-by-upstream", "*", $"{Open}: no content-length: 0 for an upgrade"),
        ("Malformed requests", "log", "Envoy logs a line without method and target for what it could not read; here the line says what could be read"),
        ("statistics", "envoy_cluster_upstream_rq_retry_success{envoy_cluster_name=\"up\"}", $"{Open}: a retry that fails is no success"),
        ("statistics", "envoy_cluster_upstream_rq_total{envoy_cluster_name=\"up\"}", "Follows from exchanges above"),
        ("statistics", "envoy_cluster_upstream_rq_xx{envoy_response_code_class=\"1\",envoy_cluster_name=\"up\"}", $"{Open}: interim answers are counted"),
        ("statistics", "envoy_cluster_upstream_rq_xx{envoy_response_code_class=\"5\",envoy_cluster_name=\"up\"}", $"{Open}: answers that are retried are not counted here"),
        ("statistics", "envoy_cluster_upstream_rq_xx{envoy_response_code_class=\"2\",envoy_cluster_name=\"up\"}", "Follows from exchanges above"),
        ("statistics", "envoy_cluster_upstream_rq{envoy_response_code=\"200\",envoy_cluster_name=\"up\"}", "Follows from exchanges above"),
        ("statistics", "envoy_cluster_upstream_rq{envoy_response_code=\"502\",envoy_cluster_name=\"up\"}", "Follows from exchanges above"),
        ("statistics", "envoy_cluster_upstream_rq{envoy_response_code=\"100\",envoy_cluster_name=\"up\"}", $"{Open}: interim answers are counted"),
        ("statistics", "envoy_cluster_upstream_rq{envoy_response_code=\"101\",envoy_cluster_name=\"up\"}", "Follows from exchanges above"),
        ("statistics", "envoy_cluster_upstream_rq{envoy_response_code=\"103\",envoy_cluster_name=\"up\"}", $"{Open}: interim answers are counted"),
        ("statistics", "envoy_http_downstream_cx_protocol_error{envoy_http_conn_manager_prefix=\"ingress_https\"}", $"{Open}: the counter is missing"),
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
            if (known.Exchange == exchange && (known.Aspect == "*" || known.Aspect == aspect)) return known;
            if (known.Exchange == area && aspect.StartsWith(known.Aspect + " ", StringComparison.Ordinal)) return known;
        }

        return null;
    }
}
