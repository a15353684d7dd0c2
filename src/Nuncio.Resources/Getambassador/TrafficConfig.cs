using Nuncio.Resources.Collections;

namespace Nuncio.Resources.Getambassador;

/// <summary>Spec section 8.4. Which combinations are allowed is for the compiler to say.</summary>
public sealed record LoadBalancerConfig
{
    public required LoadBalancerPolicy Policy { get; init; }

    public LoadBalancerCookie? Cookie { get; init; }

    public string? Header { get; init; }

    public bool? SourceIp { get; init; }
}

/// <summary>How an endpoint is chosen.</summary>
public enum LoadBalancerPolicy
{
    RoundRobin,
    LeastRequest,
    RingHash,
    Maglev,
}

/// <summary>The cookie that is hashed; generated when <see cref="Ttl"/> is set.</summary>
/// <param name="Name">The cookie's name.</param>
/// <param name="Path">The path of a generated cookie.</param>
/// <param name="Ttl">A Go duration (<see cref="GoDuration"/>).</param>
public sealed record LoadBalancerCookie(string Name, string? Path, string? Ttl);

/// <summary>Spec section 8.5. Null numbers are Envoy's defaults.</summary>
public sealed record CircuitBreakerConfig
{
    /// <summary><c>default</c> or <c>high</c>; null is <c>default</c>.</summary>
    public string? Priority { get; init; }

    public long? MaxConnections { get; init; }

    public long? MaxPendingRequests { get; init; }

    public long? MaxRequests { get; init; }

    public long? MaxRetries { get; init; }
}

/// <summary>TCP keep-alive of upstream connections; seconds. Both spellings of the idle time are read, <c>time</c> first (spec section 4.1).</summary>
public sealed record KeepaliveConfig
{
    public long? Probes { get; init; }

    /// <summary><c>time</c> or <c>idle_time</c>.</summary>
    public long? IdleTime { get; init; }

    public long? Interval { get; init; }
}

/// <summary>Spec section 9.2.</summary>
public sealed record CorsConfig
{
    public ValueList<string>? Origins { get; init; }

    public ValueList<string>? Methods { get; init; }

    public ValueList<string>? Headers { get; init; }

    public ValueList<string>? ExposedHeaders { get; init; }

    public bool? Credentials { get; init; }

    /// <summary>Seconds, as text.</summary>
    public string? MaxAge { get; init; }
}

/// <summary>Spec section 4.1.</summary>
public sealed record RetryPolicyConfig
{
    /// <summary>One of Envoy's retry conditions; required, but the schema does not say so.</summary>
    public string? RetryOn { get; init; }

    public long? NumRetries { get; init; }

    /// <summary>A Go duration (<see cref="GoDuration"/>).</summary>
    public string? PerTryTimeout { get; init; }
}

/// <summary>An active health check. Spec section 8.6. Exactly one of <see cref="Http"/> and <see cref="Grpc"/> is set.</summary>
public sealed record HealthCheckConfig
{
    /// <summary>A Go duration (<see cref="GoDuration"/>).</summary>
    public string? Timeout { get; init; }

    /// <summary>A Go duration (<see cref="GoDuration"/>).</summary>
    public string? Interval { get; init; }

    public long? UnhealthyThreshold { get; init; }

    public long? HealthyThreshold { get; init; }

    public HttpHealthCheck? Http { get; init; }

    public GrpcHealthCheck? Grpc { get; init; }
}

/// <summary>A health check by HTTP request.</summary>
public sealed record HttpHealthCheck
{
    public required string Path { get; init; }

    public string? Hostname { get; init; }

    public ValueMap<AddedHeader>? AddRequestHeaders { get; init; }

    public ValueList<string>? RemoveRequestHeaders { get; init; }

    public ValueList<StatusRange>? ExpectedStatuses { get; init; }
}

/// <summary>Status codes, both ends included.</summary>
public sealed record StatusRange(int Min, int Max);

/// <summary>A health check by grpc.health.v1.</summary>
public sealed record GrpcHealthCheck(string UpstreamName, string? Authority);

/// <summary>One group of rate-limit specifiers: one descriptor.</summary>
/// <param name="Name">The group's name; has no meaning of its own.</param>
/// <param name="Specifiers">The entries of the descriptor in order.</param>
public sealed record LabelGroup(string Name, ValueList<LabelSpecifier> Specifiers);

/// <summary>One entry of a rate-limit descriptor. Spec section 9.4.</summary>
public abstract record LabelSpecifier;

/// <summary>The service cluster of this process.</summary>
public sealed record SourceClusterSpecifier : LabelSpecifier;

/// <summary>The cluster a request is sent to.</summary>
public sealed record DestinationClusterSpecifier : LabelSpecifier;

/// <summary>The trusted address of the client.</summary>
public sealed record RemoteAddressSpecifier : LabelSpecifier;

/// <summary>The value of a request header.</summary>
public sealed record RequestHeaderSpecifier(string Key, string HeaderName, bool? OmitIfNotPresent) : LabelSpecifier;

/// <summary>A constant.</summary>
/// <param name="Key">Null is <c>generic_key</c>.</param>
/// <param name="Value">The constant.</param>
public sealed record GenericKeySpecifier(string? Key, string Value) : LabelSpecifier;
