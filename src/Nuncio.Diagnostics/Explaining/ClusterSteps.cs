using Envoy.Extensions.Filters.Network.TcpProxy.V3;
using Nuncio.Compiler;

namespace Nuncio.Diagnostics.Explaining;

/// <summary>Describes clusters with their endpoints.</summary>
internal sealed class ClusterSteps(CompilationResult compilation)
{
    public ImmutableArray<ClusterStep> Of(RouteV3.RouteAction action)
    {
        switch (action.ClusterSpecifierCase)
        {
            case RouteV3.RouteAction.ClusterSpecifierOneofCase.Cluster:
                return [Of(action.Cluster, 100)];
            case RouteV3.RouteAction.ClusterSpecifierOneofCase.WeightedClusters:
                var total = action.WeightedClusters.Clusters.Sum(cluster => (double)(cluster.Weight ?? 0));
                return [.. action.WeightedClusters.Clusters.Select(cluster => Of(cluster.Name, total > 0 ? (cluster.Weight ?? 0) * 100 / total : 0))];
            default:
                return [];
        }
    }

    public ImmutableArray<ClusterStep> Of(TcpProxy proxy)
    {
        if (proxy.WeightedClusters is not { } weighted)
            return [Of(proxy.Cluster, 100)];
        var total = weighted.Clusters.Sum(cluster => (double)cluster.Weight);
        return [.. weighted.Clusters.Select(cluster => Of(cluster.Name, total > 0 ? cluster.Weight * 100 / total : 0))];
    }

    public ClusterStep Of(string name, double percent)
    {
        var owners = compilation.Provenance.OfCluster(name);
        if (!compilation.Snapshot.Clusters.TryGetValue(name, out var resource))
            return new ClusterStep(name, percent, "unknown", false, [], owners);
        var cluster = resource.Message;
        var isTls = cluster.TransportSocket is not null;
        return new ClusterStep(name, percent, Discovery(cluster), isTls, Endpoints(cluster), owners);
    }

    private static string Discovery(ClusterV3.Cluster cluster) => cluster.Type switch
    {
        ClusterV3.Cluster.Types.DiscoveryType.Eds => "endpoints of the input",
        ClusterV3.Cluster.Types.DiscoveryType.StrictDns => "DNS, all addresses",
        ClusterV3.Cluster.Types.DiscoveryType.LogicalDns => "DNS, one address at a time",
        ClusterV3.Cluster.Types.DiscoveryType.Static => "fixed addresses",
        _ => cluster.Type.ToString(),
    };

    private ImmutableArray<string> Endpoints(ClusterV3.Cluster cluster)
    {
        var assignment = cluster.LoadAssignment;
        if (cluster.Type == ClusterV3.Cluster.Types.DiscoveryType.Eds)
        {
            var service = cluster.EdsClusterConfig?.ServiceName is { Length: > 0 } named ? named : cluster.Name;
            assignment = compilation.Snapshot.Endpoints.GetValueOrDefault(service)?.Message;
        }

        return assignment is null
            ? []
            : [.. assignment.Endpoints.SelectMany(locality => locality.LbEndpoints).Select(endpoint => Text(endpoint.Endpoint?.Address))];
    }

    private static string Text(CoreV3.Address? address) => address?.SocketAddress is not { } socket
        ? "(no socket address)"
        : socket.Address.Contains(':', StringComparison.Ordinal) ? $"[{socket.Address}]:{socket.PortValue}" : $"{socket.Address}:{socket.PortValue}";
}
