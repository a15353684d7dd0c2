namespace Nuncio.Compiler.Resolving;

/// <summary>What a resource says about where its traffic goes: the input of <see cref="UpstreamPlanner"/>.</summary>
public sealed record UpstreamSpec
{
    /// <summary>The resource that says so; findings are its.</summary>
    public required Resource? Owner { get; init; }

    /// <summary>Its namespace: part of the cluster's name, and where an unqualified service is.</summary>
    public required string Namespace { get; init; }

    /// <summary><c>[scheme://]host[:port]</c>.</summary>
    public required string Service { get; init; }

    /// <summary>The field that holds the service, for findings.</summary>
    public string ServiceField { get; init; } = "spec.service";

    /// <summary>The prefix of the resource's other fields, for findings.</summary>
    public string FieldPrefix { get; init; } = "spec.";

    /// <summary>An extra part of the cluster's name: <c>cluster_tag</c>, <c>shadow</c>, <c>extauth</c>, …</summary>
    public string? Marker { get; init; }

    /// <summary>Whether an unqualified name means the resource's namespace. Mappings: true; AuthService and its like: false (SPEC 9.3).</summary>
    public bool Qualify { get; init; } = true;

    /// <summary>The resolver's name; null is the Module's default.</summary>
    public string? Resolver { get; init; }

    /// <summary>The TLSContext to originate TLS with.</summary>
    public string? Tls { get; init; }

    /// <summary>Part of the name of a cluster that originates TLS.</summary>
    public string? HostRewrite { get; init; }

    /// <summary>Whether the upstream speaks HTTP/2.</summary>
    public bool Grpc { get; init; }

    /// <summary><c>strict_dns</c> or <c>logical_dns</c>.</summary>
    public string? DnsType { get; init; }

    public bool RespectDnsTtl { get; init; }

    public bool? EnableIPv4 { get; init; }

    public bool? EnableIPv6 { get; init; }

    public LoadBalancerConfig? LoadBalancer { get; init; }

    /// <summary>Null: the Module's.</summary>
    public ValueList<CircuitBreakerConfig>? CircuitBreakers { get; init; }

    /// <summary>Null: the Module's.</summary>
    public KeepaliveConfig? Keepalive { get; init; }

    /// <summary>Null: 3000.</summary>
    public long? ConnectTimeoutMs { get; init; }

    /// <summary>Null: the Module's.</summary>
    public long? IdleTimeoutMs { get; init; }

    /// <summary>Null: the Module's.</summary>
    public long? MaxConnectionLifetimeMs { get; init; }

    public ValueList<HealthCheckConfig>? HealthChecks { get; init; }

    /// <summary>Null: made of the service.</summary>
    public string? StatsName { get; init; }
}
