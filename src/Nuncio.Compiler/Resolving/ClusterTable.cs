using System.Runtime.CompilerServices;
using Nuncio.Compiler.Naming;
using Nuncio.Compiler.Planning;

namespace Nuncio.Compiler.Resolving;

/// <summary>
/// Gives the clusters of one compilation their names. Emissary's names are not unique (<c>foo-bar</c> and <c>foo.bar</c>; one service with two timeouts): the
/// first to ask gets the plain name, the others a name of their own.
/// </summary>
public sealed class ClusterTable
{
    private readonly CompilerContext _context;
    private readonly Dictionary<string, ClusterPlan> _before;
    private readonly Dictionary<string, ClusterPlan> _now = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ImmutableArray<ResourceKey>.Builder> _owners = new(StringComparer.Ordinal);
    private readonly Dictionary<UpstreamPlan, ClusterPlan> _plans = new(ReferenceComparer.Instance);
    private readonly Dictionary<string, UpstreamPlan> _names = new(StringComparer.Ordinal);
    private readonly ImmutableArray<ClusterPlan>.Builder _ordered = ImmutableArray.CreateBuilder<ClusterPlan>();

    internal ClusterTable(CompilerContext context)
    {
        _context = context;
        var memo = context.Memo<State>();
        _before = memo.Plans;
        memo.Plans = _now;
    }

    /// <summary>All clusters so far, in the order in which they were asked for.</summary>
    public ImmutableArray<ClusterPlan> Plans => _ordered.ToImmutable();

    /// <summary>How many clusters were asked for so far.</summary>
    internal int Count => _ordered.Count;

    /// <summary>The resources besides Mappings that asked for a cluster, by its name.</summary>
    internal ImmutableArray<KeyValuePair<string, ImmutableArray<ResourceKey>>> Owners =>
        [.. _owners.Select(pair => KeyValuePair.Create(pair.Key, pair.Value.ToImmutable()))];

    /// <summary>Plans the upstream of a resource that is not a Mapping and gives it its cluster; null when the resource has to be left out.</summary>
    public ClusterPlan? Request(UpstreamSpec spec)
    {
        var planner = UpstreamPlanners.Of(_context);
        if (planner.Plan(spec, _context.Findings) is not { } upstream)
            return null;
        var plan = Assign(upstream, spec.Owner, spec.FieldPrefix);
        if (spec.Owner is { } owner)
        {
            if (!_owners.TryGetValue(plan.Name, out var owners))
                _owners.Add(plan.Name, owners = ImmutableArray.CreateBuilder<ResourceKey>());
            owners.Add(owner.Key);
        }

        return plan;
    }

    /// <summary>The cluster of an upstream.</summary>
    /// <param name="upstream">The upstream, as the planner gave it.</param>
    /// <param name="owner">The resource that asks, for a finding about its TLSContext.</param>
    /// <param name="fieldPrefix">Where the resource's fields are.</param>
    public ClusterPlan Assign(UpstreamPlan upstream, Resource? owner, string fieldPrefix)
    {
        UpstreamTlsPlan? tls = null;
        var missing = upstream.TlsContext is { } name && !_context.UpstreamTls.TryGetValue(name, out tls);
        if (missing)
        {
            _context.Findings.Error(
                owner, FindingCodes.TlsContextNotFound, fieldPrefix + "tls",
                $"there is no TLSContext '{upstream.TlsContext}' that can be used; requests get 503");
        }

        if (_plans.TryGetValue(upstream, out var known))
            return known;
        var plan = Keep(new ClusterPlan(FreeName(upstream), upstream, tls, missing));
        _plans.Add(upstream, plan);
        _ordered.Add(plan);
        return plan;
    }

    private string FreeName(UpstreamPlan upstream)
    {
        var name = XdsNames.ShortCluster(upstream.Name);
        if (_names.TryAdd(name, upstream))
            return name;
        name = XdsNames.DistinctCluster(upstream.Name, upstream.ToString());
        for (var i = 2; !_names.TryAdd(name, upstream); i++)
            name = XdsNames.DistinctCluster(upstream.Name, $"{upstream}{i}");
        return name;
    }

    private ClusterPlan Keep(ClusterPlan plan)
    {
        var same = _before.TryGetValue(plan.Name, out var before)
            && ReferenceEquals(before.Upstream, plan.Upstream)
            && ReferenceEquals(before.Tls, plan.Tls)
            && before.TlsMissing == plan.TlsMissing;
        var kept = same ? before! : plan;
        _now.Add(kept.Name, kept);
        return kept;
    }

    private sealed class State
    {
        public Dictionary<string, ClusterPlan> Plans { get; set; } = new(StringComparer.Ordinal);
    }

    private sealed class ReferenceComparer : IEqualityComparer<UpstreamPlan>
    {
        public static ReferenceComparer Instance { get; } = new();

        public bool Equals(UpstreamPlan? x, UpstreamPlan? y) => ReferenceEquals(x, y);

        public int GetHashCode(UpstreamPlan obj) => RuntimeHelpers.GetHashCode(obj);
    }
}
