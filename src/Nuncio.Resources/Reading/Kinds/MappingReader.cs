using Nuncio.Resources.Findings;
using Nuncio.Resources.Getambassador;
using Nuncio.Resources.Reading.Tree;

namespace Nuncio.Resources.Reading.Kinds;

/// <summary>Reads <see cref="MappingSpec"/> and <see cref="TcpMappingSpec"/>.</summary>
internal static class MappingReader
{
    public static MappingSpec Mapping(ObjectReader r)
    {
        // Bookkeeping of the conversion from v2.
        _ = r.Child("v2ExplicitTLS");
        _ = r.TextList("v2BoolHeaders");
        _ = r.TextList("v2BoolQueryParameters");
        _ = r.List("modules", static (owner, node, path) => AnyObject(owner, node, path));
        _ = r.Child("envoy_override");
        WithoutEffect(r, "modules", "has no effect");
        WithoutEffect(r, "envoy_override", "has no effect");
        WithoutEffect(r, "docs", "has no effect: there is no developer portal");
        return new MappingSpec
        {
            Prefix = r.RequiredText("prefix"),
            PrefixExact = r.Boolean("prefix_exact"),
            PrefixRegex = r.Boolean("prefix_regex"),
            CaseSensitive = r.Boolean("case_sensitive"),
            Hostname = r.Text("hostname"),
            Host = r.Text("host"),
            HostRegex = r.Boolean("host_regex"),
            Method = r.Text("method"),
            MethodRegex = r.Boolean("method_regex"),
            Headers = r.TextMap("headers"),
            RegexHeaders = r.TextMap("regex_headers"),
            QueryParameters = r.TextMap("query_parameters"),
            RegexQueryParameters = r.TextMap("regex_query_parameters"),
            Precedence = r.Integer("precedence"),
            Weight = r.Integer("weight"),
            Service = r.RequiredText("service"),
            Resolver = r.Text("resolver"),
            Tls = r.Text("tls"),
            DnsType = r.Text("dns_type"),
            RespectDnsTtl = r.Boolean("respect_dns_ttl"),
            EnableIPv4 = r.Boolean("enable_ipv4"),
            EnableIPv6 = r.Boolean("enable_ipv6"),
            Grpc = r.Boolean("grpc"),
            LoadBalancer = r.Object("load_balancer", TrafficReader.LoadBalancer),
            CircuitBreakers = r.ObjectList("circuit_breakers", TrafficReader.CircuitBreaker),
            Keepalive = r.Object("keepalive", TrafficReader.Keepalive),
            ConnectTimeoutMs = r.Integer("connect_timeout_ms"),
            TimeoutMs = r.Integer("timeout_ms"),
            IdleTimeoutMs = r.Integer("idle_timeout_ms"),
            ClusterIdleTimeoutMs = r.Integer("cluster_idle_timeout_ms"),
            ClusterMaxConnectionLifetimeMs = r.Integer("cluster_max_connection_lifetime_ms"),
            HealthChecks = r.ObjectList("health_checks", TrafficReader.HealthCheck, minItems: 1),
            ClusterTag = r.Text("cluster_tag"),
            StatsName = r.Text("stats_name"),
            OutlierDetection = r.Text("outlier_detection"),
            Rewrite = r.Text("rewrite"),
            RegexRewrite = r.Object("regex_rewrite", TrafficReader.RegexSubstitution),
            HostRewrite = r.Text("host_rewrite"),
            AutoHostRewrite = r.Boolean("auto_host_rewrite"),
            AddRequestHeaders = r.ObjectMap("add_request_headers", TrafficReader.AddedHeader),
            AddResponseHeaders = r.ObjectMap("add_response_headers", TrafficReader.AddedHeader),
            RemoveRequestHeaders = r.TextList("remove_request_headers"),
            RemoveResponseHeaders = r.TextList("remove_response_headers"),
            AddLinkerdHeaders = r.Boolean("add_linkerd_headers"),
            HostRedirect = r.Boolean("host_redirect"),
            PathRedirect = r.Text("path_redirect"),
            PrefixRedirect = r.Text("prefix_redirect"),
            RegexRedirect = r.Object("regex_redirect", TrafficReader.RegexSubstitution),
            RedirectResponseCode = RedirectResponseCode(r),
            Shadow = r.Boolean("shadow"),
            Cors = r.Object("cors", TrafficReader.Cors),
            RetryPolicy = r.Object("retry_policy", TrafficReader.RetryPolicy),
            AllowUpgrade = r.TextList("allow_upgrade"),
            UseWebsocket = r.Boolean("use_websocket"),
            Priority = r.Text("priority"),
            BypassAuth = r.Boolean("bypass_auth"),
            AuthContextExtensions = r.TextMap("auth_context_extensions"),
            Labels = r.ValueMapOf("labels", TrafficReader.LabelGroups),
            ErrorResponseOverrides = r.ObjectList("error_response_overrides", TrafficReader.ErrorResponseOverride, minItems: 1),
            BypassErrorResponseOverrides = r.Boolean("bypass_error_response_overrides"),
            Docs = r.Object("docs", Docs),
        };
    }

    public static TcpMappingSpec TcpMapping(ObjectReader r)
    {
        _ = r.Child("v2ExplicitTLS");
        return new TcpMappingSpec
        {
            Port = r.RequiredInt32("port", int.MinValue, int.MaxValue),
            Address = r.Text("address"),
            Host = r.Text("host"),
            Service = r.RequiredText("service"),
            Resolver = r.Text("resolver"),
            Tls = r.Text("tls"),
            Weight = r.Integer("weight"),
            EnableIPv4 = r.Boolean("enable_ipv4"),
            EnableIPv6 = r.Boolean("enable_ipv6"),
            CircuitBreakers = r.ObjectList("circuit_breakers", TrafficReader.CircuitBreaker),
            ClusterTag = r.Text("cluster_tag"),
            StatsName = r.Text("stats_name"),
            IdleTimeoutMs = IdleTimeout(r),
        };
    }

    private static void WithoutEffect(ObjectReader r, string name, string message)
    {
        // Of a Mapping that is left out, what is wrong with it is all that matters.
        if (r.Map.Find(name) is { } node && !r.Scope.IsInvalid)
            r.Remark(FindingCodes.FieldWithoutEffect, FindingLevel.Notice, node, name, message);
    }

    private static Node? AnyObject(ObjectReader r, Node node, string path)
    {
        if (node is MapNode)
            return node;
        r.WrongType(node, path, "an object");
        return null;
    }

    private static MappingDocs Docs(ObjectReader r) => new()
    {
        Path = r.Text("path"),
        Url = r.Text("url"),
        Ignored = r.Boolean("ignored"),
        DisplayName = r.Text("display_name"),
        TimeoutMs = r.Integer("timeout_ms"),
    };

    private static int? RedirectResponseCode(ObjectReader r)
    {
        const string Name = "redirect_response_code";
        if (r.Int32(Name) is not { } code)
            return null;
        if (code is 301 or 302 or 303 or 307 or 308)
            return code;
        r.Report(FindingCodes.ValueNotAllowed, r.Map.Find(Name)!, Name, $"is {code}, but must be one of 301, 302, 303, 307, 308");
        return null;
    }

    // The schema has text here; Emissary ignores the field, so a text that is no number must not make the object invalid.
    private static long? IdleTimeout(ObjectReader r)
    {
        const string Name = "idle_timeout_ms";
        if (r.Text(Name) is not { } text)
            return null;
        if (YamlScalar.TryParseInteger(text, out var milliseconds) && milliseconds >= 0)
            return milliseconds;
        r.Remark(FindingCodes.ValueNotAllowed, FindingLevel.Error, r.Map.Find(Name)!, Name, "must be a number of milliseconds, written as text");
        return null;
    }
}
