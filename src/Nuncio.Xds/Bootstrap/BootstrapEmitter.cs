using System.Collections.Frozen;
using Envoy.Config.Bootstrap.V3;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Envoy.Extensions.TransportSockets.Quic.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using BootstrapMessage = Envoy.Config.Bootstrap.V3.Bootstrap;

namespace Nuncio.Xds.Bootstrap;

/// <summary>
/// Folds a snapshot into one bootstrap with static resources only, which <c>envoy -c</c> runs without a control plane: routes stand in
/// their listeners, endpoints in their clusters, and TLS contexts name the secrets of the same file.
/// </summary>
public static class BootstrapEmitter
{
    /// <summary>The bootstrap. Holds private keys where the snapshot does. The snapshot's messages are not changed.</summary>
    public static BootstrapMessage Emit(XdsSnapshot snapshot, BootstrapOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        options ??= new BootstrapOptions();
        var resources = new BootstrapMessage.Types.StaticResources();
        foreach (var listener in Ordered(snapshot.Listeners))
        {
            resources.Listeners.Add(Fold(listener.Message, snapshot));
        }
        foreach (var cluster in Ordered(snapshot.Clusters))
        {
            resources.Clusters.Add(Fold(cluster.Message, snapshot));
        }
        foreach (var secret in Ordered(snapshot.Secrets))
        {
            resources.Secrets.Add(secret.Message);
        }
        var bootstrap = new BootstrapMessage
        {
            Node = new Node { Id = options.NodeName, Cluster = options.NodeName },
            StaticResources = resources,
        };
        if (snapshot.Runtime is { } runtime)
        {
            bootstrap.LayeredRuntime = new LayeredRuntime { Layers = { new RuntimeLayer { Name = "static_layer", StaticLayer = runtime } } };
        }
        if (options.AdminAddress is { } address)
        {
            bootstrap.Admin = new Admin
            {
                Address = new Address { SocketAddress = new SocketAddress { Address = address, PortValue = options.AdminPort } },
            };
        }
        return bootstrap;
    }

    private static IEnumerable<XdsResource<T>> Ordered<T>(FrozenDictionary<string, XdsResource<T>> resources)
        where T : class, IMessage =>
        resources.Values.OrderBy(resource => resource.Name, StringComparer.Ordinal);

    private static Listener Fold(Listener listener, XdsSnapshot snapshot)
    {
        var folded = listener.Clone();
        MergeChains(folded);
        foreach (var chain in folded.FilterChains)
        {
            Fold(chain, snapshot);
        }
        if (folded.DefaultFilterChain is { } last) Fold(last, snapshot);
        return folded;
    }

    /// <summary>
    /// Chains that differ in their server names alone become one: their routes would otherwise stand in the file once for each name. Over xDS they stay apart,
    /// so that a new name disturbs no connection.
    /// </summary>
    private static void MergeChains(Listener listener)
    {
        var merged = new Dictionary<ByteString, FilterChain>();
        var chains = new List<FilterChain>(listener.FilterChains.Count);
        foreach (var chain in listener.FilterChains)
        {
            if (chain.FilterChainMatch is not { ServerNames.Count: > 0 } match)
            {
                chains.Add(chain);
                continue;
            }
            var rest = chain.Clone();
            rest.Name = "";
            rest.FilterChainMatch.ServerNames.Clear();
            var key = UnsafeByteOperations.UnsafeWrap(XdsBytes.Serialize(rest));
            if (merged.TryGetValue(key, out var first))
            {
                first.FilterChainMatch.ServerNames.AddRange(match.ServerNames);
                continue;
            }
            merged.Add(key, chain);
            chains.Add(chain);
        }
        listener.FilterChains.Clear();
        listener.FilterChains.AddRange(chains);
    }

    private static void Fold(FilterChain chain, XdsSnapshot snapshot)
    {
        foreach (var filter in chain.Filters)
        {
            if (filter.TypedConfig is not { } config || !config.Is(HttpConnectionManager.Descriptor)) continue;
            var manager = config.Unpack<HttpConnectionManager>();
            if (manager.Rds is not { } rds) continue;
            manager.RouteConfig = snapshot.RouteConfigurations.TryGetValue(rds.RouteConfigName, out var routes)
                ? routes.Message
                : new RouteConfiguration { Name = rds.RouteConfigName };
            filter.TypedConfig = Pack(manager);
        }
        if (chain.TransportSocket is { } socket) Fold(socket);
    }

    private static Cluster Fold(Cluster cluster, XdsSnapshot snapshot)
    {
        var folded = cluster.Clone();
        if (folded.ClusterDiscoveryTypeCase == Cluster.ClusterDiscoveryTypeOneofCase.Type && folded.Type == Cluster.Types.DiscoveryType.Eds)
        {
            var service = folded.EdsClusterConfig?.ServiceName is { Length: > 0 } name ? name : folded.Name;
            folded.EdsClusterConfig = null;
            folded.Type = Cluster.Types.DiscoveryType.Static;
            folded.LoadAssignment = snapshot.Endpoints.TryGetValue(service, out var endpoints) ? endpoints.Message.Clone() : new();
            folded.LoadAssignment.ClusterName = folded.Name;
        }
        if (folded.TransportSocket is { } socket) Fold(socket);
        return folded;
    }

    /// <summary>An SDS name without a source is one of the static secrets (Envoy, <c>SdsSecretConfig</c>).</summary>
    private static void Fold(TransportSocket socket)
    {
        if (socket.TypedConfig is not { } config) return;
        if (config.Is(DownstreamTlsContext.Descriptor))
        {
            var downstream = config.Unpack<DownstreamTlsContext>();
            Fold(downstream.CommonTlsContext);
            socket.TypedConfig = Pack(downstream);
        }
        else if (config.Is(UpstreamTlsContext.Descriptor))
        {
            var upstream = config.Unpack<UpstreamTlsContext>();
            Fold(upstream.CommonTlsContext);
            socket.TypedConfig = Pack(upstream);
        }
        else if (config.Is(QuicDownstreamTransport.Descriptor))
        {
            var quic = config.Unpack<QuicDownstreamTransport>();
            Fold(quic.DownstreamTlsContext?.CommonTlsContext);
            socket.TypedConfig = Pack(quic);
        }
    }

    private static void Fold(CommonTlsContext? context)
    {
        if (context is null) return;
        foreach (var certificate in context.TlsCertificateSdsSecretConfigs)
        {
            certificate.SdsConfig = null;
        }
        if (context.ValidationContextSdsSecretConfig is { } validation) validation.SdsConfig = null;
        if (context.CombinedValidationContext?.ValidationContextSdsSecretConfig is { } combined) combined.SdsConfig = null;
    }

    private static Any Pack(IMessage message) => new()
    {
        TypeUrl = "type.googleapis.com/" + message.Descriptor.FullName,
        Value = UnsafeByteOperations.UnsafeWrap(XdsBytes.Serialize(message)),
    };
}
