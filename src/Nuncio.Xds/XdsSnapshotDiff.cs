using System.Collections.Frozen;
using System.Collections.Immutable;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf;

namespace Nuncio.Xds;

/// <summary>What one snapshot has that another has not, by type. An equal version is no change, whichever objects hold it.</summary>
public sealed class XdsSnapshotDiff
{
    private XdsSnapshotDiff(XdsSnapshot from, XdsSnapshot to)
    {
        Listeners = XdsResourceDiff<Listener>.Between(from.Listeners, to.Listeners);
        RouteConfigurations = XdsResourceDiff<RouteConfiguration>.Between(from.RouteConfigurations, to.RouteConfigurations);
        Clusters = XdsResourceDiff<Cluster>.Between(from.Clusters, to.Clusters);
        Endpoints = XdsResourceDiff<ClusterLoadAssignment>.Between(from.Endpoints, to.Endpoints);
        Secrets = XdsResourceDiff<Secret>.Between(from.Secrets, to.Secrets);
    }

    /// <summary>LDS.</summary>
    public XdsResourceDiff<Listener> Listeners { get; }

    /// <summary>RDS.</summary>
    public XdsResourceDiff<RouteConfiguration> RouteConfigurations { get; }

    /// <summary>CDS.</summary>
    public XdsResourceDiff<Cluster> Clusters { get; }

    /// <summary>EDS.</summary>
    public XdsResourceDiff<ClusterLoadAssignment> Endpoints { get; }

    /// <summary>SDS.</summary>
    public XdsResourceDiff<Secret> Secrets { get; }

    /// <summary>Nothing differs.</summary>
    public bool IsEmpty => Listeners.IsEmpty && RouteConfigurations.IsEmpty && Clusters.IsEmpty && Endpoints.IsEmpty && Secrets.IsEmpty;

    /// <summary>What leads from one snapshot to another.</summary>
    public static XdsSnapshotDiff Between(XdsSnapshot from, XdsSnapshot to)
    {
        ArgumentNullException.ThrowIfNull(from);
        ArgumentNullException.ThrowIfNull(to);
        return new XdsSnapshotDiff(from, to);
    }
}

/// <summary>The difference of the resources of one type; each list in ordinal order of names.</summary>
/// <param name="Added">In the second only.</param>
/// <param name="Changed">In both, with another version; as in the second.</param>
/// <param name="Removed">Names in the first only.</param>
public sealed record XdsResourceDiff<T>(ImmutableArray<XdsResource<T>> Added, ImmutableArray<XdsResource<T>> Changed, ImmutableArray<string> Removed)
    where T : class, IMessage
{
    /// <summary>Nothing differs.</summary>
    public bool IsEmpty => Added.IsEmpty && Changed.IsEmpty && Removed.IsEmpty;

    internal static XdsResourceDiff<T> Between(FrozenDictionary<string, XdsResource<T>> from, FrozenDictionary<string, XdsResource<T>> to)
    {
        if (ReferenceEquals(from, to)) return new([], [], []);
        List<XdsResource<T>> added = [], changed = [];
        List<string> removed = [];
        foreach (var (name, resource) in to)
        {
            if (!from.TryGetValue(name, out var before)) added.Add(resource);
            else if (!ReferenceEquals(before, resource) && before.Version != resource.Version) changed.Add(resource);
        }

        foreach (var name in from.Keys)
        {
            if (!to.ContainsKey(name)) removed.Add(name);
        }

        added.Sort(static (a, b) => string.CompareOrdinal(a.Name, b.Name));
        changed.Sort(static (a, b) => string.CompareOrdinal(a.Name, b.Name));
        removed.Sort(StringComparer.Ordinal);
        return new([.. added], [.. changed], [.. removed]);
    }
}
