namespace Nuncio.Resources.Getambassador;

/// <summary>An external rate-limit service (kind RateLimitService). Spec section 9.4.</summary>
public sealed record RateLimitServiceResource : AmbassadorResource
{
    /// <summary>The kind's name.</summary>
    public const string KindName = "RateLimitService";

    /// <summary>What was written under <c>spec</c>.</summary>
    public required RateLimitServiceSpec Spec { get; init; }
}

/// <summary>The fields of a RateLimitService.</summary>
public sealed record RateLimitServiceSpec
{
    public required string Service { get; init; }

    public string? Domain { get; init; }

    public long? TimeoutMs { get; init; }

    /// <summary><c>v2</c> (when null) or <c>v3</c>.</summary>
    public string? ProtocolVersion { get; init; }

    public bool? FailureModeDeny { get; init; }

    /// <summary><c>grpc.use_resource_exhausted_code</c>.</summary>
    public bool? UseResourceExhaustedCode { get; init; }

    public string? Tls { get; init; }

    public string? StatsName { get; init; }
}
