using System.Collections.Frozen;
using Nuncio.Compiler.Naming;
using Nuncio.Compiler.Planning;

namespace Nuncio.Compiler;

/// <summary>Which resource each message comes from, for <c>explain</c>, diagnostics and for giving a data plane's refusal back to its resource.</summary>
public sealed class Provenance
{
    private readonly Lazy<FrozenDictionary<string, ImmutableArray<ResourceKey>>> _clusters;
    private readonly FrozenDictionary<string, ResourceKey> _listeners;

    internal Provenance(
        ImmutableArray<RouteGroupPlan> groups, ImmutableArray<KeyValuePair<string, ImmutableArray<ResourceKey>>> clusters,
        Dictionary<string, ResourceKey> listeners)
    {
        _listeners = listeners.ToFrozenDictionary(StringComparer.Ordinal);
        _clusters = new(() => OwnersOf(groups, clusters));
    }

    /// <summary>That of messages which no resource was compiled to.</summary>
    public static Provenance None { get; } = new([], [], []);

    /// <summary>The resource a listener was made for.</summary>
    public ResourceKey? OfListener(string name) => _listeners.TryGetValue(name, out var key) ? key : null;

    /// <summary>The resources that use a cluster, in the order they were read; empty for an unknown name.</summary>
    public ImmutableArray<ResourceKey> OfCluster(string name) => _clusters.Value.TryGetValue(name, out var keys) ? keys : [];

    /// <summary>The resource a route was made for, which its name says; null for a route that belongs to no single resource.</summary>
    public static ResourceKey? OfRoute(string routeName) => XdsNames.ResourceOfRoute(routeName);

    /// <summary>The Secret that a TLS secret was made of, which its name says; null for another name.</summary>
    public static ResourceKey? OfSecret(string name) => XdsNames.ResourceOfSecret(name);

    private static FrozenDictionary<string, ImmutableArray<ResourceKey>> OwnersOf(
        ImmutableArray<RouteGroupPlan> groups, ImmutableArray<KeyValuePair<string, ImmutableArray<ResourceKey>>> clusters)
    {
        var owners = new Dictionary<string, ImmutableArray<ResourceKey>.Builder>(StringComparer.Ordinal);
        foreach (var (name, keys) in clusters)
            foreach (var key in keys)
                Add(name, key);
        foreach (var group in groups)
        {
            foreach (var member in group.Members)
                AddMember(member);
            if (group.Shadow is { } shadow)
                AddMember(shadow);
        }

        return owners.ToFrozenDictionary(pair => pair.Key, pair => pair.Value.ToImmutable(), StringComparer.Ordinal);

        void AddMember(RouteGroupMember member)
        {
            if (member.Cluster is { } cluster)
                Add(cluster.Name, member.Mapping.Key);
        }

        void Add(string cluster, ResourceKey owner)
        {
            if (!owners.TryGetValue(cluster, out var list))
                owners.Add(cluster, list = ImmutableArray.CreateBuilder<ResourceKey>());
            if (!list.Contains(owner))
                list.Add(owner);
        }
    }
}
