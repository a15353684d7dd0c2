using Google.Protobuf.WellKnownTypes;

namespace Nuncio.Compiler.Planning;

/// <summary>How a path is matched.</summary>
public enum PathKind
{
    Regex,
    Prefix,
    Exact,
}

/// <summary>One Mapping, read and checked. Kept while the Mapping, the Module and the resolvers do not change.</summary>
public sealed record MappingPlan
{
    public required ResourceKey Key { get; init; }

    /// <summary>Where it is in the order in which Mappings are read.</summary>
    internal LoadPlace Place { get; init; }

    /// <summary>The Mapping; null for the internal ones of the Module.</summary>
    public required MappingResource? Resource { get; init; }

    /// <summary>The probe and diagnostics Mappings match every Host (SPEC 4.5).</summary>
    public bool Internal { get; init; }

    /// <summary>The exact host, or host glob; null when it has none or only a regular expression.</summary>
    public string? HostGlob { get; init; }

    /// <summary>Whether it has a regular expression for the host, which is compatible with every Host.</summary>
    public bool HostIsRegex { get; init; }

    public required ValueMap<string> Labels { get; init; }

    public required PathKind Path { get; init; }

    public required string Prefix { get; init; }

    /// <summary>Null: not set, which is case-sensitive.</summary>
    public bool? CaseSensitive { get; init; }

    public required ImmutableArray<RouteV3.HeaderMatcher> Headers { get; init; }

    public required ImmutableArray<RouteV3.QueryParameterMatcher> QueryParameters { get; init; }

    /// <summary>What it has in common with the other Mappings of its group, but for the labels of Host selectors.</summary>
    public required string GroupKey { get; init; }

    /// <summary>Its place among the groups.</summary>
    public required RouteRank Rank { get; init; }

    /// <summary>What the members of a group have to agree on, by field.</summary>
    public required ImmutableArray<KeyValuePair<string, string>> CoreFields { get; init; }

    /// <summary>The share as written.</summary>
    public int? Weight { get; init; }

    public bool IsShadow { get; init; }

    /// <summary>Where its traffic goes; null for a redirect.</summary>
    public UpstreamPlan? Upstream { get; init; }

    /// <summary>The redirect that it answers with; null for one that routes.</summary>
    public RouteV3.RedirectAction? Redirect { get; init; }

    /// <summary>0: none.</summary>
    public required long TimeoutMs { get; init; }

    public long? IdleTimeoutMs { get; init; }

    public string PrefixRewrite { get; init; } = "";

    public MatcherV3.RegexMatchAndSubstitute? RegexRewrite { get; init; }

    public string? HostRewrite { get; init; }

    public bool AutoHostRewrite { get; init; }

    public CoreV3.RoutingPriority? Priority { get; init; }

    public ValueMap<AddedHeader> AddRequestHeaders { get; init; } = ValueMap<AddedHeader>.Empty;

    public ValueMap<AddedHeader> AddResponseHeaders { get; init; } = ValueMap<AddedHeader>.Empty;

    /// <summary>Null: not set.</summary>
    public ValueList<string>? RemoveRequestHeaders { get; init; }

    /// <summary>Null: not set.</summary>
    public ValueList<string>? RemoveResponseHeaders { get; init; }

    public Any? Cors { get; init; }

    public RouteV3.RetryPolicy? RetryPolicy { get; init; }

    /// <summary>Null: not set.</summary>
    public ValueList<string>? Upgrades { get; init; }

    public LoadBalancerConfig? LoadBalancer { get; init; }

    public bool BypassAuth { get; init; }

    public ValueMap<string>? AuthContextExtensions { get; init; }

    /// <summary>Null: not set.</summary>
    public ValueMap<ValueList<LabelGroup>>? RateLimitLabels { get; init; }

    /// <summary>The bodies of its error responses; null for the Module's.</summary>
    public ErrorResponsePlan? ErrorResponses { get; init; }

    /// <summary>The place of its <see cref="GroupKey"/>, once it was looked up.</summary>
    internal Dialects.Mappings.GroupSlot? Slot { get; set; }

    /// <summary>An object, not a value: plans are compared by reference, which is what makes memoising cheap.</summary>
    public bool Equals(MappingPlan? other) => ReferenceEquals(this, other);

    /// <inheritdoc/>
    public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);
}
