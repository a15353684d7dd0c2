using System.Collections.Frozen;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf;

namespace Nuncio.XdsServer.Resources;

/// <summary>A type of resource that clients subscribe to, and where a snapshot has those of it.</summary>
internal abstract class XdsResourceType
{
    /// <summary>RTDS: limits that hold for the whole process, before anything else.</summary>
    public static XdsResourceType Runtime { get; } = new RuntimeResourceType();

    /// <summary>CDS.</summary>
    public static XdsResourceType Cluster { get; } = new TableType<Cluster>(
        Envoy.Config.Cluster.V3.Cluster.Descriptor.FullName, true, static snapshot => snapshot.Clusters);

    /// <summary>EDS.</summary>
    public static XdsResourceType Endpoints { get; } =
        new TableType<ClusterLoadAssignment>(ClusterLoadAssignment.Descriptor.FullName, false, static snapshot => snapshot.Endpoints);

    /// <summary>SDS.</summary>
    public static XdsResourceType Secret { get; } =
        new TableType<Secret>(Envoy.Extensions.TransportSockets.Tls.V3.Secret.Descriptor.FullName, false, static snapshot => snapshot.Secrets);

    /// <summary>LDS.</summary>
    public static XdsResourceType Listener { get; } = new TableType<Listener>(
        Envoy.Config.Listener.V3.Listener.Descriptor.FullName, true, static snapshot => snapshot.Listeners);

    /// <summary>RDS.</summary>
    public static XdsResourceType Routes { get; } =
        new TableType<RouteConfiguration>(RouteConfiguration.Descriptor.FullName, false, static snapshot => snapshot.RouteConfigurations);

    /// <summary>
    /// VHDS: a client is sent the virtual hosts of the route configurations that it has, one by one, without naming any: Envoy's first request has no names,
    /// and none follows. Here the resource is the route configuration; only the messages hold virtual hosts (<see cref="VirtualHostDelta"/>).
    /// </summary>
    public static XdsResourceType VirtualHosts { get; } =
        new TableType<RouteConfiguration>(Envoy.Config.Route.V3.VirtualHost.Descriptor.FullName, false, static snapshot => snapshot.RouteConfigurations);

    /// <summary>
    /// The order in which a change is sent: what is referred to goes before what refers to it (Envoy's xDS protocol, "eventual consistency considerations").
    /// </summary>
    public static ImmutableArray<XdsResourceType> InOrder { get; } = [Runtime, Cluster, Endpoints, Secret, Listener, Routes, VirtualHosts];

    /// <summary>What an <c>Any</c> and a request carry.</summary>
    public abstract string TypeUrl { get; }

    /// <summary>A first request without names asks for everything (LDS and CDS alone).</summary>
    public abstract bool HasWildcard { get; }

    /// <summary>The type of a URL; null where it is none of ours.</summary>
    public static XdsResourceType? Find(string typeUrl)
    {
        foreach (var type in InOrder)
        {
            if (type.TypeUrl == typeUrl) return type;
        }

        return null;
    }

    /// <summary>A resource of a snapshot by its name.</summary>
    public abstract IXdsResource? Find(XdsSnapshot snapshot, string name);

    /// <summary>All resources of a snapshot, in ordinal order of names.</summary>
    public abstract IEnumerable<IXdsResource> All(XdsSnapshot snapshot);

    /// <summary>An object that is another one when anything of this type may differ.</summary>
    public abstract object Content(XdsSnapshot snapshot);

    private sealed class TableType<T>(string name, bool hasWildcard, Func<XdsSnapshot, FrozenDictionary<string, XdsResource<T>>> table) : XdsResourceType
        where T : class, IMessage
    {
        public override string TypeUrl { get; } = XdsTypeRegistry.TypeUrlPrefix + name;

        public override bool HasWildcard => hasWildcard;

        public override IXdsResource? Find(XdsSnapshot snapshot, string name) => table(snapshot).GetValueOrDefault(name);

        public override IEnumerable<IXdsResource> All(XdsSnapshot snapshot) =>
            table(snapshot).Values.OrderBy(static resource => resource.Name, StringComparer.Ordinal);

        public override object Content(XdsSnapshot snapshot) => table(snapshot);
    }
}
