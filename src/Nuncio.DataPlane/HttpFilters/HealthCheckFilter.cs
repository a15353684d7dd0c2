using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Matching;
using Nuncio.DataPlane.Pipeline;
using Nuncio.DataPlane.State;

namespace Nuncio.DataPlane.HttpFilters;

/// <summary>Answers health checks of the proxy itself (envoy.filters.http.health_check): 200, or 503 where clusters have too few healthy endpoints.</summary>
internal sealed class HealthCheckFilter : HttpFilter
{
    /// <summary>All must hold for a request to be a health check.</summary>
    public required HeaderMatcher[] Headers { get; init; }

    /// <summary>Health checks go on to the upstream.</summary>
    public bool PassThrough { get; init; }

    /// <summary>Clusters with the healthy part that they need, in per cent.</summary>
    public IReadOnlyList<(string Cluster, double Percent)> Needs { get; init; } = [];

    /// <summary>All clusters.</summary>
    public required ClusterTable Clusters { get; init; }

    /// <inheritdoc/>
    public override ValueTask<FilterOutcome> OnRequestAsync(HttpExchange exchange)
    {
        if (PassThrough || !IsCheck(exchange))
        {
            return new ValueTask<FilterOutcome>(FilterOutcome.Continue);
        }

        var extra = new HeaderMap();
        exchange.IsHealthCheck = true;
        extra.Add("x-envoy-upstream-healthchecked-cluster"u8, "ambassador-default"u8);
        return IsHealthy(exchange) ? exchange.RespondAsync(200, default, "health_check_ok", extra)
            : exchange.RespondAsync(503, default, "health_check_failed", extra);
    }

    private bool IsCheck(HttpExchange exchange)
    {
        for (var i = 0; i < Headers.Length; i++)
        {
            if (!Headers[i].IsMatch(exchange.RequestHeaders))
            {
                return false;
            }
        }

        return true;
    }

    private bool IsHealthy(HttpExchange exchange)
    {
        for (var i = 0; i < Needs.Count; i++)
        {
            var (name, percent) = Needs[i];
            if (exchange.FindCluster(name, Clusters) is not { } cluster)
            {
                if (percent > 0)
                {
                    return false;
                }

                continue;
            }

            var total = cluster.Metrics.MembershipTotal.Value;
            if (total == 0 ? percent > 0 : cluster.Metrics.MembershipHealthy.Value * 100.0 / total < percent)
            {
                return false;
            }
        }

        return true;
    }
}
