using Nuncio.Resources.Collections;

namespace Nuncio.Resources.Getambassador;

/// <summary>An external authorisation service (kind AuthService). Spec section 9.3.</summary>
public sealed record AuthServiceResource : AmbassadorResource
{
    /// <summary>The kind's name.</summary>
    public const string KindName = "AuthService";

    /// <summary>What was written under <c>spec</c>.</summary>
    public required AuthServiceSpec Spec { get; init; }
}

/// <summary>The fields of an AuthService.</summary>
public sealed record AuthServiceSpec
{
    public required string AuthService { get; init; }

    /// <summary><c>http</c> (when null) or <c>grpc</c>.</summary>
    public string? Proto { get; init; }

    /// <summary><c>v2</c> (when null) or <c>v3</c>.</summary>
    public string? ProtocolVersion { get; init; }

    public string? PathPrefix { get; init; }

    public long? TimeoutMs { get; init; }

    public string? Tls { get; init; }

    public ValueList<string>? AllowedRequestHeaders { get; init; }

    public ValueList<string>? AllowedAuthorizationHeaders { get; init; }

    public ValueMap<string>? AddAuthHeaders { get; init; }

    public IncludeBodyConfig? IncludeBody { get; init; }

    /// <summary>Means an <see cref="IncludeBody"/> of 4096 bytes, partial allowed.</summary>
    public bool? AllowRequestBody { get; init; }

    /// <summary><c>status_on_error.code</c>.</summary>
    public int? StatusOnError { get; init; }

    public bool? FailureModeAllow { get; init; }

    public bool? AddLinkerdHeaders { get; init; }

    public string? StatsName { get; init; }

    public ValueList<CircuitBreakerConfig>? CircuitBreakers { get; init; }
}

/// <summary>How much of the body the service sees.</summary>
public sealed record IncludeBodyConfig(long MaxBytes, bool AllowPartial);
