using Nuncio.DataPlane.Model;
using TcpProxyV3 = Envoy.Extensions.Filters.Network.TcpProxy.V3.TcpProxy;

namespace Nuncio.DataPlane.Binding;

/// <summary>Makes a <see cref="TcpProxyModel"/> of Envoy's TcpProxy message.</summary>
internal static class TcpProxyBinder
{
    /// <summary>Binds a message; null with errors when it cannot be used.</summary>
    public static TcpProxyModel? Bind(TcpProxyV3 message, string path, AccessLogBinder logs, BindErrors errors)
    {
        var before = errors.Count;
        SupportedFields.Check(
            message, path, errors,
            "stat_prefix", "cluster", "weighted_clusters", "idle_timeout", "access_log", "max_connect_attempts", "max_downstream_connection_duration",
            "hash_policy");
        var clusters = Clusters(message, path, errors);
        foreach (var policy in message.HashPolicy)
        {
            if (policy.SourceIp is null)
            {
                errors.Add(BindErrors.Path(path, "hash_policy"), "Only source_ip is supported.");
            }
        }

        return errors.Count > before && errors.Any && clusters.Count == 0 ? null : new TcpProxyModel
        {
            StatPrefix = message.StatPrefix,
            Clusters = clusters,
            IdleTimeout = ValueBinder.Duration(message.IdleTimeout, BindErrors.Path(path, "idle_timeout"), errors) ?? TimeSpan.FromHours(1),
            MaxDuration = ValueBinder.Duration(message.MaxDownstreamConnectionDuration, BindErrors.Path(path, "max_downstream_connection_duration"), errors)
                ?? TimeSpan.Zero,
            MaxConnectAttempts = (int)Math.Clamp(message.MaxConnectAttempts ?? 1, 1, 1000),
            HashSource = message.HashPolicy.Count > 0,
            AccessLogs = logs.Bind(message.AccessLog, path, errors),
        };
    }

    private static List<TcpClusterModel> Clusters(TcpProxyV3 message, string path, BindErrors errors)
    {
        var clusters = new List<TcpClusterModel>();
        switch (message.ClusterSpecifierCase)
        {
            case TcpProxyV3.ClusterSpecifierOneofCase.Cluster:
                clusters.Add(new TcpClusterModel(message.Cluster, 1));
                break;
            case TcpProxyV3.ClusterSpecifierOneofCase.WeightedClusters:
                foreach (var cluster in message.WeightedClusters.Clusters)
                {
                    if (cluster.Weight == 0)
                    {
                        errors.Add(BindErrors.Path(path, "weighted_clusters.clusters"), $"The weight of {cluster.Name} must be at least 1.");
                    }

                    clusters.Add(new TcpClusterModel(cluster.Name, cluster.Weight));
                }

                break;
            default:
                break;
        }

        if (clusters.Count == 0)
        {
            errors.Add(BindErrors.Path(path, "cluster_specifier"), "A TCP proxy needs a cluster.");
        }

        return clusters;
    }
}
