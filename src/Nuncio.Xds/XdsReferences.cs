using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Envoy.Extensions.TransportSockets.Quic.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;

namespace Nuncio.Xds;

/// <summary>The names that resources refer to by RDS, EDS and SDS: what a client of xDS has to ask for next. Names may repeat.</summary>
public static class XdsReferences
{
    /// <summary>The EDS resource of a cluster; null for clusters that find their endpoints otherwise.</summary>
    public static string? EndpointsOf(Cluster cluster)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        if (cluster.ClusterDiscoveryTypeCase != Cluster.ClusterDiscoveryTypeOneofCase.Type || cluster.Type != Cluster.Types.DiscoveryType.Eds) return null;
        return cluster.EdsClusterConfig?.ServiceName is { Length: > 0 } service ? service : cluster.Name;
    }

    /// <summary>The RDS resources of a listener.</summary>
    public static IEnumerable<string> RoutesOf(Listener listener)
    {
        foreach (var filter in ChainsOf(listener).SelectMany(chain => chain.Filters))
        {
            if (filter.TypedConfig is { } config && config.Is(HttpConnectionManager.Descriptor) && config.Unpack<HttpConnectionManager>().Rds is { } rds)
                yield return rds.RouteConfigName;
        }
    }

    /// <summary>The SDS resources of a listener.</summary>
    public static IEnumerable<string> SecretsOf(Listener listener) => ChainsOf(listener).SelectMany(chain => SecretsOf(chain.TransportSocket));

    /// <summary>The SDS resources of a cluster.</summary>
    public static IEnumerable<string> SecretsOf(Cluster cluster)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        return SecretsOf(cluster.TransportSocket);
    }

    private static IEnumerable<FilterChain> ChainsOf(Listener listener)
    {
        ArgumentNullException.ThrowIfNull(listener);
        return listener.DefaultFilterChain is { } last ? listener.FilterChains.Append(last) : listener.FilterChains;
    }

    private static IEnumerable<string> SecretsOf(TransportSocket? socket)
    {
        if (socket?.TypedConfig is not { } config) return [];
        return config.Is(DownstreamTlsContext.Descriptor) ? SecretsOf(config.Unpack<DownstreamTlsContext>().CommonTlsContext)
            : config.Is(UpstreamTlsContext.Descriptor) ? SecretsOf(config.Unpack<UpstreamTlsContext>().CommonTlsContext)
            : config.Is(QuicDownstreamTransport.Descriptor) ? SecretsOf(config.Unpack<QuicDownstreamTransport>().DownstreamTlsContext?.CommonTlsContext)
            : [];
    }

    private static IEnumerable<string> SecretsOf(CommonTlsContext? context)
    {
        if (context is null) yield break;
        foreach (var certificate in context.TlsCertificateSdsSecretConfigs)
        {
            if (certificate.SdsConfig is not null) yield return certificate.Name;
        }

        if (context.ValidationContextSdsSecretConfig is { SdsConfig: not null } validation) yield return validation.Name;
        if (context.CombinedValidationContext?.ValidationContextSdsSecretConfig is { SdsConfig: not null } combined) yield return combined.Name;
    }
}
