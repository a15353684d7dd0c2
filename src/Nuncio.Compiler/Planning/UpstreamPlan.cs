namespace Nuncio.Compiler.Planning;

/// <summary>How the addresses of an upstream are found.</summary>
public enum UpstreamDiscovery
{
    /// <summary>By DNS, every address an endpoint.</summary>
    StrictDns,

    /// <summary>By DNS, one connection pool over the first address of each answer.</summary>
    LogicalDns,

    /// <summary>The endpoints of a Kubernetes Service.</summary>
    Endpoints,

    /// <summary>Not at all: a mistake makes it unusable, and its traffic gets 503.</summary>
    None,
}

/// <summary>
/// Everything that makes a cluster, but for its final name. Two resources whose plans are equal share a cluster; the planner gives equal plans as one object.
/// </summary>
public sealed record UpstreamPlan
{
    /// <summary>The full name as Emissary composes it (SPEC 8.3), before it is shortened.</summary>
    public required string Name { get; init; }

    public required string StatName { get; init; }

    /// <summary>The host name or address, qualified, lower case.</summary>
    public required string Host { get; init; }

    public required int Port { get; init; }

    public required UpstreamDiscovery Discovery { get; init; }

    /// <summary>The Service of <see cref="UpstreamDiscovery.Endpoints"/>.</summary>
    public string? ServiceName { get; init; }

    /// <summary>The Service's namespace.</summary>
    public string? ServiceNamespace { get; init; }

    /// <summary>Whether TLS is originated.</summary>
    public bool OriginateTls { get; init; }

    /// <summary>With which TLSContext; null: without client certificate and without verification, as Emissary (SPEC 6.3).</summary>
    public string? TlsContext { get; init; }

    public bool Http2 { get; init; }

    public ClusterV3.Cluster.Types.DnsLookupFamily LookupFamily { get; init; }

    public bool RespectDnsTtl { get; init; }

    public ClusterV3.Cluster.Types.LbPolicy LbPolicy { get; init; }

    public ValueList<CircuitBreakerConfig>? CircuitBreakers { get; init; }

    public KeepaliveConfig? Keepalive { get; init; }

    /// <summary>Milliseconds, above 0.</summary>
    public long ConnectTimeoutMs { get; init; } = 3000;

    public long? IdleTimeoutMs { get; init; }

    public long? MaxConnectionLifetimeMs { get; init; }

    public ValueList<HealthCheckConfig>? HealthChecks { get; init; }
}
