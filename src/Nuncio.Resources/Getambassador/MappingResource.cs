using Nuncio.Resources.Collections;

namespace Nuncio.Resources.Getambassador;

/// <summary>A route (kind Mapping). Spec section 4.1.</summary>
public sealed record MappingResource : AmbassadorResource
{
    /// <summary>The kind's name.</summary>
    public const string KindName = "Mapping";

    /// <summary>What was written under <c>spec</c>.</summary>
    public required MappingSpec Spec { get; init; }
}

/// <summary>
/// The fields of a Mapping under their v3alpha1 names. Null means absent, so that "not set" and "set to the default" stay apart.
/// Durations ending in <c>Ms</c> are whole milliseconds.
/// </summary>
public sealed record MappingSpec
{
    public required string Prefix { get; init; }

    public bool? PrefixExact { get; init; }

    public bool? PrefixRegex { get; init; }

    public bool? CaseSensitive { get; init; }

    /// <summary>A host glob.</summary>
    public string? Hostname { get; init; }

    /// <summary>Deprecated: an exact host, or a regular expression with <see cref="HostRegex"/>.</summary>
    public string? Host { get; init; }

    public bool? HostRegex { get; init; }

    public string? Method { get; init; }

    public bool? MethodRegex { get; init; }

    public ValueMap<string>? Headers { get; init; }

    public ValueMap<string>? RegexHeaders { get; init; }

    public ValueMap<string>? QueryParameters { get; init; }

    public ValueMap<string>? RegexQueryParameters { get; init; }

    public long? Precedence { get; init; }

    public long? Weight { get; init; }

    /// <summary><c>[scheme://]host[:port]</c>.</summary>
    public required string Service { get; init; }

    public string? Resolver { get; init; }

    /// <summary>The TLSContext to originate TLS with.</summary>
    public string? Tls { get; init; }

    public string? DnsType { get; init; }

    public bool? RespectDnsTtl { get; init; }

    public bool? EnableIPv4 { get; init; }

    public bool? EnableIPv6 { get; init; }

    public bool? Grpc { get; init; }

    public LoadBalancerConfig? LoadBalancer { get; init; }

    public ValueList<CircuitBreakerConfig>? CircuitBreakers { get; init; }

    public KeepaliveConfig? Keepalive { get; init; }

    public long? ConnectTimeoutMs { get; init; }

    public long? TimeoutMs { get; init; }

    public long? IdleTimeoutMs { get; init; }

    public long? ClusterIdleTimeoutMs { get; init; }

    public long? ClusterMaxConnectionLifetimeMs { get; init; }

    public ValueList<HealthCheckConfig>? HealthChecks { get; init; }

    public string? ClusterTag { get; init; }

    public string? StatsName { get; init; }

    /// <summary>Not supported by anyone; its presence makes the Mapping invalid.</summary>
    public string? OutlierDetection { get; init; }

    /// <summary>Null: the default <c>/</c>; empty: no rewrite.</summary>
    public string? Rewrite { get; init; }

    public RegexSubstitution? RegexRewrite { get; init; }

    public string? HostRewrite { get; init; }

    public bool? AutoHostRewrite { get; init; }

    public ValueMap<AddedHeader>? AddRequestHeaders { get; init; }

    public ValueMap<AddedHeader>? AddResponseHeaders { get; init; }

    public ValueList<string>? RemoveRequestHeaders { get; init; }

    public ValueList<string>? RemoveResponseHeaders { get; init; }

    public bool? AddLinkerdHeaders { get; init; }

    public bool? HostRedirect { get; init; }

    public string? PathRedirect { get; init; }

    public string? PrefixRedirect { get; init; }

    public RegexSubstitution? RegexRedirect { get; init; }

    public int? RedirectResponseCode { get; init; }

    public bool? Shadow { get; init; }

    public CorsConfig? Cors { get; init; }

    public RetryPolicyConfig? RetryPolicy { get; init; }

    public ValueList<string>? AllowUpgrade { get; init; }

    /// <summary>Deprecated, meaning <c>allow_upgrade: [websocket]</c>.</summary>
    public bool? UseWebsocket { get; init; }

    public string? Priority { get; init; }

    public bool? BypassAuth { get; init; }

    public ValueMap<string>? AuthContextExtensions { get; init; }

    /// <summary>Rate-limit labels: domain to groups.</summary>
    public ValueMap<ValueList<LabelGroup>>? Labels { get; init; }

    /// <summary>Edge Stack; its presence makes the Mapping invalid in Emissary 4. Spec section 15.12.</summary>
    public ValueList<ErrorResponseOverride>? ErrorResponseOverrides { get; init; }

    public bool? BypassErrorResponseOverrides { get; init; }

    public MappingDocs? Docs { get; init; }
}

/// <summary>Developer-portal settings of a Mapping. Spec section 15.8.</summary>
public sealed record MappingDocs
{
    public string? Path { get; init; }

    public string? Url { get; init; }

    public bool? Ignored { get; init; }

    public string? DisplayName { get; init; }

    public long? TimeoutMs { get; init; }
}

/// <summary>A header that is added to a request or response.</summary>
/// <param name="Value">May hold Envoy's format operators; null is an empty value.</param>
/// <param name="Append">Null means true: kept beside a header of that name that is there already.</param>
public sealed record AddedHeader(string? Value, bool? Append);

/// <summary>An RE2 pattern and what replaces its matches (<c>\1</c> is a group).</summary>
public sealed record RegexSubstitution(string? Pattern, string? Substitution);

/// <summary>Spec section 15.12.</summary>
public sealed record ErrorResponseOverride
{
    /// <summary>400 to 599.</summary>
    public required int OnStatusCode { get; init; }

    public string? ContentType { get; init; }

    public string? TextFormat { get; init; }

    public ValueMap<string>? JsonFormat { get; init; }

    /// <summary>The file that holds the text format.</summary>
    public string? TextFormatFile { get; init; }
}
