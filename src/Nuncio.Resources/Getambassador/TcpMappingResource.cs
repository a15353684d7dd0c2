using Nuncio.Resources.Collections;

namespace Nuncio.Resources.Getambassador;

/// <summary>A TCP route (kind TCPMapping). Spec sections 4.2 and 7.</summary>
public sealed record TcpMappingResource : AmbassadorResource
{
    /// <summary>The kind's name.</summary>
    public const string KindName = "TCPMapping";

    /// <summary>What was written under <c>spec</c>.</summary>
    public required TcpMappingSpec Spec { get; init; }
}

/// <summary>The fields of a TCPMapping.</summary>
public sealed record TcpMappingSpec
{
    /// <summary>The port to listen on.</summary>
    public required int Port { get; init; }

    /// <summary>The address to listen on; null is the process' bind address.</summary>
    public string? Address { get; init; }

    /// <summary>The TLS server name; its presence means that TLS is terminated.</summary>
    public string? Host { get; init; }

    public required string Service { get; init; }

    public string? Resolver { get; init; }

    /// <summary>The TLSContext to originate TLS with.</summary>
    public string? Tls { get; init; }

    public long? Weight { get; init; }

    public bool? EnableIPv4 { get; init; }

    public bool? EnableIPv6 { get; init; }

    public ValueList<CircuitBreakerConfig>? CircuitBreakers { get; init; }

    public string? ClusterTag { get; init; }

    public string? StatsName { get; init; }

    /// <summary>Milliseconds, written as text in the manifest.</summary>
    public long? IdleTimeoutMs { get; init; }
}
