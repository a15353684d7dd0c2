using System.Collections.Frozen;

namespace Nuncio.DataPlane.State;

/// <summary>
/// The clusters at one moment, immutable. A request takes it before it looks at any route, and finds there every cluster that a route of its configuration
/// can name, for as long as it lasts: whatever leaves the configuration meanwhile, it holds.
/// </summary>
public sealed class ClusterGeneration
{
    private readonly FrozenDictionary<string, ClusterState> _clusters;

    internal ClusterGeneration(IReadOnlyDictionary<string, ClusterState> clusters) => _clusters = clusters.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>None.</summary>
    public static ClusterGeneration Empty { get; } = new(new Dictionary<string, ClusterState>());

    /// <summary>All of them.</summary>
    public IReadOnlyCollection<ClusterState> All => _clusters.Values;

    /// <summary>The cluster of that name, or null.</summary>
    public ClusterState? Find(string name) => _clusters.GetValueOrDefault(name);
}
