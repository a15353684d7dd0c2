using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Nuncio.Compiler.Planning;
using Nuncio.Compiler.Resolving;
using Nuncio.Compiler.Validation;

namespace Nuncio.Compiler.Dialects.Mappings;

/// <summary>Reads one Mapping (SPEC 4.1). Everything that can be wrong with it alone is found here.</summary>
internal sealed class MappingPlanner(ModulePlan module, UpstreamPlanner upstreams)
{
    /// <summary>The findings come back also where the Mapping has to be left out, which is a null plan.</summary>
    public (MappingPlan? Plan, ImmutableArray<Finding> Findings) Read(MappingResource resource, bool isInternal)
    {
        var findings = new FindingSink();
        var plan = Read(resource, isInternal, findings);
        return (plan, findings.ToImmutable());
    }

    private MappingPlan? Read(MappingResource resource, bool isInternal, FindingSink findings)
    {
        var spec = resource.Spec;
        if (spec.OutlierDetection is not null)
        {
            findings.Error(resource, FindingCodes.NotSupported, "spec.outlier_detection", "outlier_detection is not supported; the Mapping is left out");
            return null;
        }

        if (spec.ErrorResponseOverrides is not null && spec.BypassErrorResponseOverrides == true)
            findings.Warning(
                resource, FindingCodes.FieldWithoutEffect, "spec.error_response_overrides", "has no effect beside bypass_error_response_overrides");
        if (MappingMatch.Read(resource, module.RegexMaxSize, findings) is not { } match)
            return null;

        var isShadow = spec.Shadow == true;
        var isRedirect = spec.HostRedirect == true && !isShadow;
        if (isShadow && spec.HostRedirect == true)
            findings.Error(resource, FindingCodes.MutuallyExclusive, "spec.host_redirect", "a shadow does not redirect; the redirect is ignored");

        // A redirect needs no cluster, but has to name a resolver that exists and a host all the same: its target is qualified by them.
        if (upstreams.Plan(SpecOf(resource, isShadow), findings) is not { } upstream)
            return null;
        if (!TryPolicies(resource, findings, out var cors, out var retry))
            return null;

        RouteV3.RedirectAction? redirect = null;
        if (isRedirect)
        {
            ReportIgnoredByRedirect(resource, match, findings);
            redirect = RedirectReader.Read(resource, RedirectHost(resource, upstream), module, findings);
            if (redirect is null)
                return null;
        }

        var (rewrite, regexRewrite) = ReadRewrite(resource, findings);
        var hostRewrite = ReadHostRewrite(resource, findings);
        var additions = ReadAdditions(resource, upstream, findings);
        return new MappingPlan
        {
            Key = resource.Key,
            Place = LoadPlace.Of(resource),
            Resource = isInternal ? null : resource,
            Internal = isInternal,
            HostGlob = isRedirect && match.HostIsRegex && !string.IsNullOrEmpty(spec.Host) ? spec.Host : match.HostGlob,
            HostIsRegex = match.HostIsRegex && !isRedirect,
            Labels = resource.Labels,
            ErrorResponses = spec.BypassErrorResponseOverrides == true ? ErrorResponsePlan.None
                : spec.ErrorResponseOverrides is { } overrides ? ErrorResponseRules.Read(resource, "spec.error_response_overrides", overrides, findings) : null,
            Path = match.Path,
            Prefix = spec.Prefix,
            CaseSensitive = spec.CaseSensitive,
            Headers = match.Headers,
            QueryParameters = isRedirect ? [] : match.QueryParameters,
            GroupKey = match.GroupKey,
            Rank = match.Rank,
            CoreFields = CoreFieldsOf(spec),
            Weight = ReadWeight(resource, findings),
            IsShadow = isShadow,
            Upstream = isRedirect ? null : upstream,
            Redirect = redirect,
            TimeoutMs = NotNegative(resource, "timeout_ms", spec.TimeoutMs, findings) ?? module.RequestTimeoutMs,
            IdleTimeoutMs = NotNegative(resource, "idle_timeout_ms", spec.IdleTimeoutMs, findings),
            PrefixRewrite = rewrite,
            RegexRewrite = regexRewrite,
            HostRewrite = hostRewrite,
            AutoHostRewrite = hostRewrite is null && spec.AutoHostRewrite == true,
            Priority = ReadPriority(resource, findings),
            AddRequestHeaders = additions.Request,
            AddResponseHeaders = additions.Response,
            RemoveRequestHeaders = HeaderAdditions.Removed(
                resource, "spec.remove_request_headers", spec.RemoveRequestHeaders ?? Default(d => d.RemoveRequestHeaders), findings),
            RemoveResponseHeaders = HeaderAdditions.Removed(
                resource, "spec.remove_response_headers", spec.RemoveResponseHeaders ?? Default(d => d.RemoveResponseHeaders), findings),
            Cors = cors,
            RetryPolicy = retry,
            Upgrades = ReadUpgrades(resource, findings),
            LoadBalancer = spec.LoadBalancer,
            BypassAuth = spec.BypassAuth == true,
            AuthContextExtensions = spec.AuthContextExtensions,
            RateLimitLabels = LabelReader.Read(resource, spec.Labels, findings),
        };
    }

    /// <summary>Of a Mapping that redirects only the path, the headers and the hostname decide; Emissary says nothing of the rest.</summary>
    private static void ReportIgnoredByRedirect(MappingResource resource, MappingMatch match, FindingSink findings)
    {
        if (!match.QueryParameters.IsEmpty)
        {
            findings.Error(
                resource,
                FindingCodes.FieldWithoutEffect,
                resource.Spec.QueryParameters is { Count: > 0 } ? "spec.query_parameters" : "spec.regex_query_parameters",
                "a Mapping that redirects does not look at query parameters: it redirects every request with its path");
        }

        if (match.HostIsRegex)
        {
            findings.Warning(
                resource,
                FindingCodes.FieldWithoutEffect,
                "spec.host_regex",
                "to find the Hosts of a Mapping that redirects, host is compared as it is written; only Hosts for every name are certain to have it",
                "hostname");
        }
    }

    private UpstreamSpec SpecOf(MappingResource resource, bool isShadow)
    {
        var spec = resource.Spec;
        return new UpstreamSpec
        {
            Owner = resource,
            Namespace = resource.Namespace,
            Service = spec.Service,
            Marker = isShadow ? "shadow" : spec.ClusterTag,
            Resolver = spec.Resolver,
            Tls = spec.Tls,
            HostRewrite = spec.HostRewrite,
            Grpc = spec.Grpc == true,
            DnsType = spec.DnsType,
            RespectDnsTtl = spec.RespectDnsTtl == true,
            EnableIPv4 = spec.EnableIPv4,
            EnableIPv6 = spec.EnableIPv6,
            LoadBalancer = spec.LoadBalancer,
            CircuitBreakers = spec.CircuitBreakers,
            Keepalive = spec.Keepalive,
            ConnectTimeoutMs = spec.ConnectTimeoutMs,
            IdleTimeoutMs = spec.ClusterIdleTimeoutMs,
            MaxConnectionLifetimeMs = spec.ClusterMaxConnectionLifetimeMs,
            HealthChecks = spec.HealthChecks,
            StatsName = spec.StatsName ?? Default(d => d.StatsName),
        };
    }

    private T? Default<T>(Func<MappingDefaults, T?> field)
        where T : class =>
        module.Config.Defaults is { } defaults ? field(defaults.HttpMapping) ?? field(defaults.General) : null;

    private static bool TryPolicies(MappingResource resource, FindingSink findings, out Any? cors, out RouteV3.RetryPolicy? retry)
    {
        var spec = resource.Spec;
        cors = spec.Cors is { } policy ? CorsReader.Read(resource, "spec.cors", policy, findings) : null;
        retry = spec.RetryPolicy is { } retries ? RetryPolicyReader.Read(resource, "spec.retry_policy", retries, findings) : null;
        return spec.RetryPolicy is null || retry is not null;
    }

    private (string Prefix, MatcherV3.RegexMatchAndSubstitute? Regex) ReadRewrite(MappingResource resource, FindingSink findings)
    {
        var spec = resource.Spec;
        if (spec.RegexRewrite is { } config && RegexSubstitutions.Read(resource, "spec.regex_rewrite", config, module.RegexMaxSize, findings) is { } regex)
        {
            if (spec.Rewrite is { Length: > 0 } and not "/")
                findings.Notice(resource, FindingCodes.MutuallyExclusive, "spec.rewrite", "regex_rewrite is set too and wins");
            return ("", regex);
        }

        var rewrite = spec.Rewrite ?? "/";
        if (HeaderRules.IsValue(rewrite))
            return (rewrite, null);
        findings.Error(resource, FindingCodes.InvalidFieldValue, "spec.rewrite", "it holds control characters; the path is not rewritten");
        return ("", null);
    }

    private static string? ReadHostRewrite(MappingResource resource, FindingSink findings)
    {
        if (resource.Spec.HostRewrite is not { Length: > 0 } host)
            return null;
        if (!HeaderRules.IsValue(host))
        {
            findings.Error(resource, FindingCodes.InvalidHeader, "spec.host_rewrite", "it holds control characters; the host is not rewritten");
            return null;
        }

        if (resource.Spec.AutoHostRewrite == true)
            findings.Error(resource, FindingCodes.MutuallyExclusive, "spec.auto_host_rewrite", "host_rewrite is set too and wins");
        return host;
    }

    private (ValueMap<AddedHeader> Request, ValueMap<AddedHeader> Response) ReadAdditions(MappingResource resource, UpstreamPlan upstream, FindingSink findings)
    {
        var spec = resource.Spec;
        var request = HeaderAdditions.Added(
            resource, "spec.add_request_headers", spec.AddRequestHeaders ?? Default(d => d.AddRequestHeaders), findings);
        var response = HeaderAdditions.Added(
            resource, "spec.add_response_headers", spec.AddResponseHeaders ?? Default(d => d.AddResponseHeaders), findings);
        if (!(spec.AddLinkerdHeaders ?? module.Config.AddLinkerdHeaders ?? false))
            return (request, response);
        var destination = new AddedHeader(string.Create(CultureInfo.InvariantCulture, $"{upstream.Host}:{LinkerdPort(spec, upstream)}"), null);
        return (ValueMap.Create(request.Append(KeyValuePair.Create("l5d-dst-override", destination))), response);
    }

    /// <summary>The port by the service text alone: TLS by a TLSContext does not count (SPEC 4.1).</summary>
    private static int LinkerdPort(MappingSpec spec, UpstreamPlan upstream)
    {
        var service = ServiceName.Parse(spec.Service);
        return service.Port is null or 0 && service.Scheme != ServiceScheme.Https ? 80 : upstream.Port;
    }

    private static string RedirectHost(MappingResource resource, UpstreamPlan upstream)
    {
        var service = ServiceName.Parse(resource.Spec.Service);
        return service.Error is not null ? resource.Spec.Service : (service with { Host = upstream.Host }).Text;
    }

    private static int? ReadWeight(MappingResource resource, FindingSink findings)
    {
        if (resource.Spec.Weight is not { } weight)
            return null;
        if (weight is >= 0 and <= 100)
            return (int)weight;
        findings.Error(resource, FindingCodes.InvalidFieldValue, "spec.weight", $"{weight} is not between 0 and 100");
        return weight < 0 ? 0 : 100;
    }

    private static CoreV3.RoutingPriority? ReadPriority(MappingResource resource, FindingSink findings)
    {
        if (resource.Spec.Priority is not { Length: > 0 } text)
            return null;
        if (text.Equals("high", StringComparison.OrdinalIgnoreCase))
            return CoreV3.RoutingPriority.High;
        if (!text.Equals("default", StringComparison.OrdinalIgnoreCase))
            findings.Error(resource, FindingCodes.InvalidFieldValue, "spec.priority", $"'{text}' is neither DEFAULT nor HIGH; DEFAULT is used");
        return CoreV3.RoutingPriority.Default;
    }

    private static ValueList<string>? ReadUpgrades(MappingResource resource, FindingSink findings)
    {
        var spec = resource.Spec;
        if (spec.AllowUpgrade is null && spec.UseWebsocket != true)
            return null;
        var protocols = new List<string>();
        foreach (var protocol in spec.AllowUpgrade ?? ValueList<string>.Empty)
        {
            if (protocols.Contains(protocol, StringComparer.OrdinalIgnoreCase))
                continue;
            if (protocol.Length == 0 || !HeaderRules.IsValue(protocol) || protocol.Equals("CONNECT", StringComparison.OrdinalIgnoreCase))
                findings.Error(
                    resource, FindingCodes.InvalidFieldValue, "spec.allow_upgrade", $"'{protocol}' is not a protocol that can be upgraded to; it is ignored");
            else
                protocols.Add(protocol);
        }

        if (spec.UseWebsocket == true && !protocols.Contains("websocket", StringComparer.OrdinalIgnoreCase))
            protocols.Add("websocket");
        return protocols.ToValueList();
    }

    private static long? NotNegative(MappingResource resource, string field, long? value, FindingSink findings)
    {
        if (value is null or (>= 0 and <= ClusterRules.LongestMs))
            return value;
        findings.Error(resource, FindingCodes.InvalidFieldValue, "spec." + field, $"{value} is negative or too large; it is ignored");
        return null;
    }

    /// <summary>
    /// What the Mappings of a group have to agree on, where set (SPEC 5.6). What is in the group's key already need not be here, nor circuit breakers of the
    /// Module.
    /// </summary>
    private static ImmutableArray<KeyValuePair<string, string>> CoreFieldsOf(MappingSpec spec)
    {
        var fields = ImmutableArray.CreateBuilder<KeyValuePair<string, string>>();
        Add("bypass_auth", spec.BypassAuth);
        Add("circuit_breakers", spec.CircuitBreakers);
        Add("connect_timeout_ms", spec.ConnectTimeoutMs);
        Add("cluster_idle_timeout_ms", spec.ClusterIdleTimeoutMs);
        Add("cluster_max_connection_lifetime_ms", spec.ClusterMaxConnectionLifetimeMs);
        Add("keepalive", spec.Keepalive);
        Add("labels", spec.Labels);
        Add("load_balancer", spec.LoadBalancer);
        return fields.ToImmutable();

        void Add(string name, object? value)
        {
            if (value is not null)
                fields.Add(KeyValuePair.Create(name, Convert.ToString(value, CultureInfo.InvariantCulture) ?? ""));
        }
    }
}
