using System.Buffers.Text;
using System.Text;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;

namespace Nuncio.DataPlane.Routing;

/// <summary>Says which cluster a forwarding route means for a request.</summary>
internal static class Clusters
{
    /// <summary>The cluster's name; empty where a header should name it and is missing.</summary>
    public static string Choose(ForwardModel forward, HeaderMap headers, ulong random, out WeightedClusterModel? weighted)
    {
        weighted = null;
        if (forward.WeightedClusters is { } clusters)
        {
            weighted = Choose(clusters, headers, random);
            return weighted.ClusterHeader is null ? weighted.Cluster : FromHeader(headers, weighted.ClusterHeader);
        }

        return forward.ClusterHeader is null ? forward.Cluster : FromHeader(headers, forward.ClusterHeader);
    }

    private static WeightedClusterModel Choose(WeightedClustersModel clusters, HeaderMap headers, ulong random)
    {
        if (clusters.ValueHeader is { } header && headers.TryGet(header, out var text) && Utf8Parser.TryParse(text, out ulong value, out var used)
            && used == text.Length)
        {
            random = value;
        }

        var selected = random % clusters.TotalWeight;
        var sum = 0UL;
        for (var i = 0; i < clusters.Clusters.Count; i++)
        {
            sum += clusters.Clusters[i].Weight;
            if (selected < sum)
            {
                return clusters.Clusters[i];
            }
        }

        return clusters.Clusters[^1];
    }

    private static string FromHeader(HeaderMap headers, byte[] name) => headers.TryGet(name, out var value) ? Encoding.UTF8.GetString(value) : "";
}
