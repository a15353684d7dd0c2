using System.Collections.Concurrent;
using Nuncio.DataPlane.Telemetry;

namespace Nuncio.DataPlane.HttpFilters;

/// <summary>What a ratelimit filter counts for the clusters that requests were for: <c>envoy_cluster_ratelimit_*</c>.</summary>
internal sealed class RateLimitStatistics(MetricsRegistry registry, string statPrefix)
{
    private readonly string _prefix = "envoy_cluster_ratelimit_" + (statPrefix.Length == 0 ? "" : statPrefix.Replace('.', '_') + "_");
    private readonly ConcurrentDictionary<string, Counters> _byCluster = new(StringComparer.Ordinal);

    /// <summary>Of a cluster.</summary>
    public Counters OfCluster(string statName) => _byCluster.TryGetValue(statName, out var counters) ? counters
        : _byCluster.GetOrAdd(statName, new Counters(registry, _prefix, MetricLabels.Of("envoy_cluster_name", statName)));

    /// <summary>One set.</summary>
    internal sealed class Counters(MetricsRegistry registry, string prefix, MetricLabels labels)
    {
        /// <summary>Within the limit.</summary>
        public MetricCounter Ok { get; } = registry.Counter(prefix + "ok", labels);

        /// <summary>Over it.</summary>
        public MetricCounter OverLimit { get; } = registry.Counter(prefix + "over_limit", labels);

        /// <summary>Failures of the service.</summary>
        public MetricCounter Error { get; } = registry.Counter(prefix + "error", labels);

        /// <summary>Requests that passed although the service failed.</summary>
        public MetricCounter FailureModeAllowed { get; } = registry.Counter(prefix + "failure_mode_allowed", labels);
    }
}
