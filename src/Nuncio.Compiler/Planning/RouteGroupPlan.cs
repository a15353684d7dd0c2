namespace Nuncio.Compiler.Planning;

/// <summary>A Mapping in its group.</summary>
/// <param name="Mapping">The Mapping.</param>
/// <param name="Cluster">Where its traffic goes; null for a redirect.</param>
public readonly record struct RouteGroupMember(MappingPlan Mapping, ClusterPlan? Cluster);

/// <summary>
/// Mappings that match the same requests and share them by weight (SPEC 5.6). The same object as in the compilation before while no member, cluster or
/// setting of it changes, so virtual hosts may be memoised by references to groups.
/// </summary>
public sealed class RouteGroupPlan
{
    /// <summary>The members that take requests, in the order of their thresholds; a redirect is the only member.</summary>
    public required ImmutableArray<RouteGroupMember> Members { get; init; }

    /// <summary>For each member the share of requests, in percent, up to and including it: 100 takes all that is left.</summary>
    public required ImmutableArray<int> Thresholds { get; init; }

    /// <summary>The Mapping that gets copies of the requests; null when there is none.</summary>
    public RouteGroupMember? Shadow { get; init; }

    /// <summary>The Mapping that defines what the members agree on: the first in load order.</summary>
    public required MappingPlan First { get; init; }

    /// <summary>Its place in the order of routes.</summary>
    public required RouteRank Rank { get; init; }

    /// <summary>The exact host or host glob that a Host must be compatible with; null when it has none.</summary>
    public string? HostGlob => First.HostGlob;

    /// <summary>A regular expression for the host: compatible with every Host.</summary>
    public bool HostIsRegex => First.HostIsRegex;

    /// <summary>A probe or the diagnostics: belongs to every Host.</summary>
    public bool Internal => First.Internal;

    /// <summary>The labels of all members, which Host selectors look at.</summary>
    public required ValueMap<string> Labels { get; init; }

    /// <summary>Requests for ACME challenges are routed even where insecure requests are redirected or rejected (SPEC 5.3).</summary>
    public bool IsAcmeChallenge => First is { Path: PathKind.Prefix, Prefix: "/.well-known/acme-challenge/" };

    /// <summary>Where the defaults come from.</summary>
    public required ModulePlan Module { get; init; }

    /// <summary>What the routes have to know of the filters.</summary>
    public required RouteSettings Settings { get; init; }

    /// <summary>The last compilation that had it.</summary>
    internal int Stamp { get; set; }

    /// <summary>Whether it has its place in the order of that compilation.</summary>
    internal bool IsOrdered { get; set; }

    /// <summary>The routes that were emitted, by variant.</summary>
    internal ImmutableArray<EmittedRoute>[] Emitted { get; } = new ImmutableArray<EmittedRoute>[9];
}
