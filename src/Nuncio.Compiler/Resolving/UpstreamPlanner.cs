using Nuncio.Compiler.Naming;
using Nuncio.Compiler.Planning;
using Nuncio.Compiler.Validation;

namespace Nuncio.Compiler.Resolving;

/// <summary>Turns what a resource says about its upstream into a cluster without a final name (SPEC 8).</summary>
public sealed class UpstreamPlanner(CompilerOptions options, ModulePlan module, ResolverTable resolvers)
{
    private readonly Dictionary<UpstreamPlan, UpstreamPlan> _interned = [];

    /// <summary>How many different upstreams it has seen.</summary>
    internal int Remembered => _interned.Count;

    /// <summary>
    /// Plans an upstream; equal ones are one object. Null when the resource has to be left out (SPEC 14): unknown resolver, load balancer or circuit breakers
    /// that cannot be used. A service that cannot be reached is not null: it has no endpoints, and its traffic gets 503.
    /// </summary>
    public UpstreamPlan? Plan(UpstreamSpec spec, FindingSink findings)
    {
        var resolverName = string.IsNullOrEmpty(spec.Resolver) ? module.Resolver : spec.Resolver;
        if (resolvers.Find(resolverName) is not { } resolver)
        {
            findings.Error(
                spec.Owner, FindingCodes.ResolverNotFound, spec.FieldPrefix + "resolver", $"there is no resolver '{resolverName}'",
                "one of " + string.Join(", ", resolvers.Names));
            return null;
        }

        if (!TryLoadBalancer(spec, resolver, findings, out var loadBalancer) || !TryBreakers(spec, findings, out var breakers))
            return null;
        var service = ServiceName.Parse(spec.Service);
        if (resolver == ResolverKind.Consul && service.Host.Contains('.', StringComparison.Ordinal) && !service.IsAddress)
        {
            findings.Error(spec.Owner, FindingCodes.InvalidService, spec.ServiceField, "the Consul resolver takes no dots in service names");
            return null;
        }

        if (spec.Qualify && service.Error is null)
            service = Qualified(service, spec.Namespace, resolver);
        var originate = Transport(spec, service, findings);
        var (discovery, serviceName, serviceNamespace) = Discovery(spec, service, resolver, findings);
        var nameText = spec.Qualify && service.Error is null ? service.Text : spec.Service;
        var upstream = new UpstreamPlan
        {
            Name = XdsNames.Cluster(NameParts(spec, nameText, service, originate, breakers, loadBalancer)),
            StatName = string.IsNullOrEmpty(spec.StatsName) ? XdsNames.Underscored(WithoutScheme(nameText)) : spec.StatsName,
            Host = service.Host.Length == 0 ? "unknown" : service.Host,
            Port = service.Port is { } port and not 0 ? port : originate ? 443 : 80,
            Discovery = discovery,
            ServiceName = serviceName,
            ServiceNamespace = serviceNamespace,
            OriginateTls = originate,
            TlsContext = string.IsNullOrEmpty(spec.Tls) ? null : spec.Tls,
            Http2 = spec.Grpc,
            LookupFamily = LookupFamily(spec.EnableIPv4 ?? module.Config.EnableIPv4 ?? true, spec.EnableIPv6 ?? module.Config.EnableIPv6 ?? false),
            RespectDnsTtl = spec.RespectDnsTtl,
            LbPolicy = LbPolicy(loadBalancer),
            CircuitBreakers = breakers,
            Keepalive = spec.Keepalive is { } keepalive
                ? ClusterRules.Keepalive(spec.Owner, spec.FieldPrefix + "keepalive", keepalive, findings) : module.Keepalive,
            ConnectTimeoutMs = Positive(spec, spec.ConnectTimeoutMs, "connect_timeout_ms", findings) ?? 3000,
            IdleTimeoutMs = Positive(spec, spec.IdleTimeoutMs, "cluster_idle_timeout_ms", findings) ?? module.Config.ClusterIdleTimeoutMs,
            MaxConnectionLifetimeMs = Positive(spec, spec.MaxConnectionLifetimeMs, "cluster_max_connection_lifetime_ms", findings)
                ?? module.Config.ClusterMaxConnectionLifetimeMs,
            HealthChecks = ClusterRules.HealthChecks(spec, discovery, findings),
        };
        if (_interned.TryGetValue(upstream, out var known))
            return known;
        _interned.Add(upstream, upstream);
        return upstream;
    }

    private ServiceName Qualified(ServiceName service, string ownerNamespace, ResolverKind resolver)
    {
        var qualified = service.Host.Contains('.', StringComparison.Ordinal) || service.Host.Contains(':', StringComparison.Ordinal)
            || service.Host == "localhost";
        return qualified
            || resolver == ResolverKind.Consul
            || module.Config.UseAmbassadorNamespaceForServiceResolution == true
            || ownerNamespace.Length == 0
            || ownerNamespace == options.Namespace
            ? service
            : service with { Host = $"{service.Host}.{ownerNamespace}" };
    }

    private static bool Transport(UpstreamSpec spec, ServiceName service, FindingSink findings)
    {
        if (service.Scheme == ServiceScheme.Http && !string.IsNullOrEmpty(spec.Tls))
            findings.Warning(
                spec.Owner, FindingCodes.MutuallyExclusive, spec.FieldPrefix + "tls", "the service says http://, but the TLSContext is used all the same");
        if (service.Scheme == ServiceScheme.Other)
            findings.Error(
                spec.Owner, FindingCodes.InvalidService, spec.ServiceField, $"the scheme '{service.SchemeText}' is neither http nor https and is ignored");
        if (service.HasExtra)
            findings.Warning(spec.Owner, FindingCodes.InvalidService, spec.ServiceField, "only host and port of a service count; the rest is ignored");
        if (service.Error is { } error)
            findings.Error(spec.Owner, FindingCodes.InvalidService, spec.ServiceField, $"'{spec.Service}': {error}; requests get 503");
        return service.Scheme == ServiceScheme.Https || !string.IsNullOrEmpty(spec.Tls);
    }

    private (UpstreamDiscovery Discovery, string? Service, string? Namespace) Discovery(
        UpstreamSpec spec, ServiceName service, ResolverKind resolver, FindingSink findings)
    {
        if (service.Error is not null)
            return (UpstreamDiscovery.None, null, null);
        if (resolver == ResolverKind.Consul && !service.IsAddress)
        {
            findings.Error(
                spec.Owner, FindingCodes.NotYetSupported, spec.FieldPrefix + "resolver", "services are not looked up in Consul yet; requests get 503");
            return (UpstreamDiscovery.None, null, null);
        }

        if (resolver == ResolverKind.Endpoints && !service.IsAddress)
        {
            if (options.EndpointsEnabled)
                return ServiceOf(service.Host, spec.Namespace);
            findings.Error(spec.Owner, FindingCodes.NotSupported, spec.FieldPrefix + "resolver", "endpoint routing is switched off; DNS is used");
        }

        if (string.IsNullOrEmpty(spec.DnsType) || spec.DnsType.Equals("strict_dns", StringComparison.OrdinalIgnoreCase))
            return (UpstreamDiscovery.StrictDns, null, null);
        if (spec.DnsType.Equals("logical_dns", StringComparison.OrdinalIgnoreCase))
            return (UpstreamDiscovery.LogicalDns, null, null);
        findings.Error(
            spec.Owner, FindingCodes.InvalidFieldValue, spec.FieldPrefix + "dns_type",
            $"'{spec.DnsType}' is neither strict_dns nor logical_dns; strict_dns is used");
        return (UpstreamDiscovery.StrictDns, null, null);
    }

    /// <summary>Of a longer name only the first two labels count (SPEC 8.2).</summary>
    private (UpstreamDiscovery Discovery, string? Service, string? Namespace) ServiceOf(string host, string ownerNamespace)
    {
        var labels = host.Split('.');
        var fallback = module.Config.UseAmbassadorNamespaceForServiceResolution == true || ownerNamespace.Length == 0 ? options.Namespace : ownerNamespace;
        return (UpstreamDiscovery.Endpoints, labels[0], labels.Length > 1 ? labels[1] : fallback);
    }

    private bool TryLoadBalancer(UpstreamSpec spec, ResolverKind resolver, FindingSink findings, out LoadBalancerConfig? loadBalancer)
    {
        loadBalancer = spec.LoadBalancer ?? module.LoadBalancer;
        if (spec.LoadBalancer is not { } own)
            return true;
        var problem = resolver == ResolverKind.Service ? "the KubernetesServiceResolver allows no load_balancer" : LoadBalancerRules.Problem(own);
        if (problem is null)
            return true;
        findings.Error(spec.Owner, FindingCodes.InvalidFieldValue, spec.FieldPrefix + "load_balancer", $"{problem}; the resource is left out");
        return false;
    }

    private bool TryBreakers(UpstreamSpec spec, FindingSink findings, out ValueList<CircuitBreakerConfig>? breakers)
    {
        breakers = spec.CircuitBreakers ?? module.CircuitBreakers;
        if (spec.CircuitBreakers is not { } own || CircuitBreakerRules.Problem(own) is not { } problem)
            return true;
        findings.Error(spec.Owner, FindingCodes.InvalidFieldValue, spec.FieldPrefix + "circuit_breakers", $"{problem}; the resource is left out");
        return false;
    }

    private static List<string> NameParts(
        UpstreamSpec spec, string nameText, ServiceName service, bool originate, ValueList<CircuitBreakerConfig>? breakers, LoadBalancerConfig? loadBalancer)
    {
        var parts = new List<string>(8) { "cluster" };
        if (!string.IsNullOrEmpty(spec.Marker))
            parts.Add(spec.Marker);
        parts.Add(nameText);
        if (originate)
        {
            parts.Add("otls");
            if (service.Scheme is ServiceScheme.None or ServiceScheme.Other && !string.IsNullOrEmpty(spec.Tls))
                parts.Add(spec.Tls);
            if (!string.IsNullOrEmpty(spec.HostRewrite))
                parts.Add("hr-" + spec.HostRewrite);
        }

        parts.Add(spec.Namespace);
        foreach (var breaker in breakers ?? ValueList<CircuitBreakerConfig>.Empty)
            parts.Add(CircuitBreakerRules.Signature(breaker));
        if (loadBalancer is not null)
            parts.Add(LoadBalancerSignature(loadBalancer));
        return parts;
    }

    private static string LoadBalancerSignature(LoadBalancerConfig config)
    {
        var name = "er-" + LoadBalancerRules.Name(config.Policy);
        if (config.Header is { } header)
            name += "-hdr-" + header;
        if (config.Cookie is { } cookie)
            name += "-cookie-" + cookie.Name;
        return config.SourceIp is null ? name : name + "-srcip";
    }

    private static string WithoutScheme(string service)
    {
        var mark = service.IndexOf("://", StringComparison.Ordinal);
        return mark < 0 ? service : service[(mark + 3)..];
    }

    private static ClusterV3.Cluster.Types.DnsLookupFamily LookupFamily(bool v4, bool v6) => (v4, v6) switch
    {
        (true, true) => ClusterV3.Cluster.Types.DnsLookupFamily.Auto,
        (false, true) => ClusterV3.Cluster.Types.DnsLookupFamily.V6Only,
        _ => ClusterV3.Cluster.Types.DnsLookupFamily.V4Only,
    };

    private static ClusterV3.Cluster.Types.LbPolicy LbPolicy(LoadBalancerConfig? config) => config?.Policy switch
    {
        LoadBalancerPolicy.LeastRequest => ClusterV3.Cluster.Types.LbPolicy.LeastRequest,
        LoadBalancerPolicy.RingHash => ClusterV3.Cluster.Types.LbPolicy.RingHash,
        LoadBalancerPolicy.Maglev => ClusterV3.Cluster.Types.LbPolicy.Maglev,
        _ => ClusterV3.Cluster.Types.LbPolicy.RoundRobin,
    };

    private static long? Positive(UpstreamSpec spec, long? value, string field, FindingSink findings)
    {
        if (value is null or (> 0 and <= ClusterRules.LongestMs))
            return value;
        findings.Error(spec.Owner, FindingCodes.InvalidFieldValue, spec.FieldPrefix + field, $"{value} is not a number of milliseconds above 0; it is ignored");
        return null;
    }
}
