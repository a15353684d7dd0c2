using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text;
using Google.Protobuf;
using Nuncio.Xds;

namespace Nuncio.Host;

/// <summary>
/// What is in effect of a snapshot of which a data plane refuses something: a resource that is refused has the content that was accepted before, as it has in
/// the data plane. Routes that are refused one by one stay: they are refused again, and nothing else of their route configuration goes back in time.
/// </summary>
internal static class AcceptedSnapshot
{
    /// <summary>The snapshot without what is refused.</summary>
    /// <param name="snapshot">What was offered.</param>
    /// <param name="before">What was in effect before it; null for nothing.</param>
    /// <param name="rejections">What is refused of it now.</param>
    public static XdsSnapshot Of(XdsSnapshot snapshot, XdsSnapshot? before, ImmutableArray<XdsRejection> rejections)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        var refused = rejections.Where(IsWhole).Select(rejection => (rejection.TypeUrl, rejection.Name)).ToHashSet();
        if (refused.Count == 0) return snapshot;
        var retained = new List<byte[]>();
        var listeners = Without(snapshot.Listeners, before?.Listeners, refused, retained);
        var routes = Without(snapshot.RouteConfigurations, before?.RouteConfigurations, refused, retained);
        var clusters = Without(snapshot.Clusters, before?.Clusters, refused, retained);
        var endpoints = Without(snapshot.Endpoints, before?.Endpoints, refused, retained);
        var secrets = Without(snapshot.Secrets, before?.Secrets, refused, retained);

        // In the order of references: what comes back may name more.
        BringBack(routes, before?.RouteConfigurations, retained);
        BringBack(clusters, before?.Clusters, retained);
        BringBack(endpoints, before?.Endpoints, retained);
        BringBack(secrets, before?.Secrets, retained);
        return new XdsSnapshot
        {
            Revision = snapshot.Revision,
            Listeners = listeners.ToFrozenDictionary(StringComparer.Ordinal),
            RouteConfigurations = routes.ToFrozenDictionary(StringComparer.Ordinal),
            Clusters = clusters.ToFrozenDictionary(StringComparer.Ordinal),
            Endpoints = endpoints.ToFrozenDictionary(StringComparer.Ordinal),
            Secrets = secrets.ToFrozenDictionary(StringComparer.Ordinal),
            Runtime = snapshot.Runtime,
        };
    }

    /// <summary>The rejections that stand against another snapshot too: the resource is there, and the same.</summary>
    /// <param name="rejections">What was refused.</param>
    /// <param name="refused">Of what.</param>
    /// <param name="now">The other one.</param>
    public static ImmutableArray<XdsRejection> StillRefused(ImmutableArray<XdsRejection> rejections, XdsSnapshot refused, XdsSnapshot now) =>
        [.. rejections.Where(rejection => VersionOf(rejection, refused) is { } version && VersionOf(rejection, now) == version)];

    private static XdsVersion? VersionOf(XdsRejection rejection, XdsSnapshot snapshot)
    {
        return In(snapshot.Listeners) ?? In(snapshot.RouteConfigurations) ?? In(snapshot.Clusters) ?? In(snapshot.Endpoints) ?? In(snapshot.Secrets);

        XdsVersion? In<T>(FrozenDictionary<string, XdsResource<T>> resources)
            where T : class, IMessage, new() =>
            resources.TryGetValue(rejection.Name, out var resource)
            && XdsTypeRegistry.TypeUrlOf(resource.Message.Descriptor) == rejection.TypeUrl ? resource.Version : null;
    }

    /// <summary>All of the resource is refused, rather than a field of it or one of its routes.</summary>
    private static bool IsWhole(XdsRejection rejection) => !rejection.IsPartial && !rejection.FieldPath.StartsWith("virtual_hosts[", StringComparison.Ordinal);

    private static Dictionary<string, XdsResource<T>> Without<T>(
        FrozenDictionary<string, XdsResource<T>> offered, FrozenDictionary<string, XdsResource<T>>? before, HashSet<(string TypeUrl, string Name)> refused,
        List<byte[]> retained)
        where T : class, IMessage, new()
    {
        var type = XdsTypeRegistry.TypeUrlOf(new T().Descriptor);
        var left = new Dictionary<string, XdsResource<T>>(offered, StringComparer.Ordinal);
        foreach (var (url, name) in refused)
        {
            if (url != type) continue;
            left.Remove(name);
            if (before is null || !before.TryGetValue(name, out var old)) continue;
            left.Add(name, old);
            retained.Add(XdsBytes.Serialize(old.Message));
        }

        return left;
    }

    /// <summary>Adds what is in the snapshot before alone and what a retained resource names: the name stands in its bytes.</summary>
    private static void BringBack<T>(Dictionary<string, XdsResource<T>> left, FrozenDictionary<string, XdsResource<T>>? before, List<byte[]> retained)
        where T : class, IMessage
    {
        if (before is null) return;
        foreach (var (name, resource) in before)
        {
            if (left.ContainsKey(name)) continue;
            var octets = Encoding.UTF8.GetBytes(name);
            if (!retained.Exists(bytes => bytes.AsSpan().IndexOf(octets) >= 0)) continue;
            left.Add(name, resource);
            retained.Add(XdsBytes.Serialize(resource.Message));
        }
    }
}
