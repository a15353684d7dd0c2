using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Matching;
using Nuncio.DataPlane.Telemetry;

namespace Nuncio.DataPlane.Model;

/// <summary>Requests of a virtual host that are counted together (RouteV3.VirtualCluster).</summary>
/// <param name="Headers">All of these must match; empty matches every request.</param>
/// <param name="Metrics">What they are counted in.</param>
public sealed record VirtualClusterModel(IReadOnlyList<HeaderMatcher> Headers, VirtualClusterMetrics Metrics)
{
    /// <summary>What it is called.</summary>
    public required string Name { get; init; }

    /// <summary>A request belongs to it.</summary>
    public bool Includes(HeaderMap headers)
    {
        for (var i = 0; i < Headers.Count; i++)
        {
            if (!Headers[i].IsMatch(headers))
            {
                return false;
            }
        }

        return true;
    }
}
