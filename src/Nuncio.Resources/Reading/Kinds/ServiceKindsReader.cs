using Nuncio.Resources.Findings;
using Nuncio.Resources.Getambassador;

namespace Nuncio.Resources.Reading.Kinds;

/// <summary>Reads AuthService, RateLimitService, LogService, TracingService and DevPortal.</summary>
internal static class ServiceKindsReader
{
    public static AuthServiceSpec AuthService(ObjectReader r)
    {
        _ = r.Child("v2ExplicitTLS");
        return new AuthServiceSpec
        {
            AuthService = r.RequiredText("auth_service"),
            Proto = r.TextOf("proto", "http", "grpc"),
            ProtocolVersion = r.TextOf("protocol_version", "v2", "v3"),
            PathPrefix = r.Text("path_prefix"),
            TimeoutMs = r.Integer("timeout_ms"),
            Tls = r.Text("tls"),
            AllowedRequestHeaders = r.TextList("allowed_request_headers"),
            AllowedAuthorizationHeaders = r.TextList("allowed_authorization_headers"),
            AddAuthHeaders = r.TextMap("add_auth_headers"),
            IncludeBody = r.Object("include_body", IncludeBody),
            AllowRequestBody = r.Boolean("allow_request_body"),
            StatusOnError = r.Object("status_on_error", static s => new { Code = s.Int32("code") })?.Code,
            FailureModeAllow = r.Boolean("failure_mode_allow"),
            AddLinkerdHeaders = r.Boolean("add_linkerd_headers"),
            StatsName = r.Text("stats_name"),
            CircuitBreakers = r.ObjectList("circuit_breakers", TrafficReader.CircuitBreaker),
        };
    }

    public static RateLimitServiceSpec RateLimitService(ObjectReader r)
    {
        _ = r.Child("v2ExplicitTLS");
        return new RateLimitServiceSpec
        {
            Service = r.RequiredText("service"),
            Domain = r.Text("domain"),
            TimeoutMs = r.Integer("timeout_ms"),
            ProtocolVersion = r.TextOf("protocol_version", "v2", "v3"),
            FailureModeDeny = r.Boolean("failure_mode_deny"),
            UseResourceExhaustedCode = r.Object("grpc", static g => new { Value = g.Boolean("use_resource_exhausted_code") })?.Value,
            Tls = r.Text("tls"),
            StatsName = r.Text("stats_name"),
        };
    }

    public static LogServiceSpec LogService(ObjectReader r) => new()
    {
        Service = r.Text("service"),
        Driver = r.TextOf("driver", "tcp", "http"),
        AdditionalLogHeaders = r.Object("driver_config", static c => new
        {
            Headers = c.ObjectList("additional_log_headers", static h => new LoggedHeader(
                h.Text("header_name"), h.Boolean("during_request"), h.Boolean("during_response"), h.Boolean("during_trailer"))),
        })?.Headers,
        FlushIntervalTime = r.Integer("flush_interval_time"),
        FlushIntervalByteSize = r.Integer("flush_interval_byte_size"),
        Grpc = r.Boolean("grpc"),
        ProtocolVersion = r.TextOf("protocol_version", "v2", "v3"),
        StatsName = r.Text("stats_name"),
    };

    public static TracingServiceSpec TracingService(ObjectReader r)
    {
        if (!r.Has("driver"))
            r.Missing("driver");
        return new TracingServiceSpec
        {
            Driver = r.TextOf("driver", "lightstep", "zipkin", "datadog", "opentelemetry") ?? "",
            Service = r.RequiredText("service"),
            Sampling = r.Object("sampling", static s => new TracingSampling(s.Integer("client"), s.Integer("random"), s.Integer("overall"))),
            CustomTags = r.ObjectList("custom_tags", CustomTag),
            TagHeaders = r.TextList("tag_headers"),
            Config = r.Object("config", TracingConfig),
            StatsName = r.Text("stats_name"),
        };
    }

    public static DevPortalSpec DevPortal(ObjectReader r)
    {
        foreach (var (key, value) in r.Map.Entries)
        {
            if (key.Text == "ambassador_id")
                continue;
            r.Remark(FindingCodes.FieldWithoutEffect, FindingLevel.Notice, value, key.Text, "has no effect, nor has the rest: there is no developer portal");
            break;
        }

        var selector = r.Object("selector", static s => new { Namespaces = s.TextList("matchNamespaces"), Labels = s.TextMap("matchLabels") });
        return new DevPortalSpec
        {
            Default = r.Boolean("default"),
            Content = r.Object("content", static c => new DevPortalContent(c.Text("url"), c.Text("dir"), c.Text("branch"))),
            Docs = r.ObjectList("docs", static d => new DevPortalDocs(d.Text("service"), d.Text("url"), d.Integer("timeout_ms"))),
            MatchNamespaces = selector?.Namespaces,
            MatchLabels = selector?.Labels,
            NamingScheme = r.TextOf("naming_scheme", "namespace.name", "name.prefix"),
            PreserveServers = r.Boolean("preserve_servers"),
            Search = r.Object("search", static s => new DevPortalSearch(s.Boolean("enabled"), s.TextOf("type", "title-only", "all-content"))),
        };
    }

    private static IncludeBodyConfig IncludeBody(ObjectReader r)
    {
        if (!r.Has("max_bytes"))
            r.Missing("max_bytes");
        if (!r.Has("allow_partial"))
            r.Missing("allow_partial");
        return new IncludeBodyConfig(r.Integer("max_bytes") ?? 0, r.Boolean("allow_partial") ?? false);
    }

    private static CustomTag CustomTag(ObjectReader r) => new()
    {
        Tag = r.RequiredText("tag"),
        Literal = r.Object("literal", static l => new { Value = l.RequiredText("value") })?.Value,
        Environment = r.Object("environment", TagSource),
        RequestHeader = r.Object("request_header", TagSource),
    };

    private static CustomTagSource TagSource(ObjectReader r) => new(r.RequiredText("name"), r.Text("default_value"));

    private static TracingConfig TracingConfig(ObjectReader r) => new()
    {
        AccessTokenFile = r.Text("access_token_file"),
        CollectorCluster = r.Text("collector_cluster"),
        CollectorEndpoint = r.Text("collector_endpoint"),
        CollectorEndpointVersion = r.TextOf("collector_endpoint_version", "HTTP_JSON_V1", "HTTP_JSON", "HTTP_PROTO"),
        CollectorHostname = r.Text("collector_hostname"),
        PropagationModes = r.List("propagation_modes", static (owner, node, path) =>
        {
            string[] modes = ["ENVOY", "LIGHTSTEP", "B3", "TRACE_CONTEXT"];
            var mode = owner.ToText(node, path);
            if (mode is not null && !modes.Contains(mode))
                owner.NotAllowed(node, path, mode, modes);
            return mode;
        }),
        ServiceName = r.Text("service_name"),
        SharedSpanContext = r.Boolean("shared_span_context"),
        TraceId128Bit = r.Boolean("trace_id_128bit"),
    };
}
