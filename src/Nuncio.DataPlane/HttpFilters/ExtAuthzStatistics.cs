using System.Collections.Concurrent;
using Nuncio.DataPlane.Telemetry;

namespace Nuncio.DataPlane.HttpFilters;

/// <summary>What an ext_authz filter counts, for itself and for the clusters that requests were for.</summary>
internal sealed class ExtAuthzStatistics(MetricsRegistry registry, string statPrefix)
{
    private readonly ConcurrentDictionary<string, Counters> _byManager = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Counters> _byCluster = new(StringComparer.Ordinal);

    /// <summary><c>envoy_http_ext_authz_*</c> of a connection manager.</summary>
    public Counters OfManager(string prefix) => _byManager.TryGetValue(prefix, out var counters) ? counters
        : _byManager.GetOrAdd(prefix, new Counters(registry, "envoy_http_ext_authz_", Labels("envoy_http_conn_manager_prefix", prefix)));

    /// <summary><c>envoy_cluster_ext_authz_*</c> of a cluster.</summary>
    public Counters OfCluster(string statName) => _byCluster.TryGetValue(statName, out var counters) ? counters
        : _byCluster.GetOrAdd(statName, new Counters(registry, "envoy_cluster_ext_authz_", Labels("envoy_cluster_name", statName)));

    private MetricLabels Labels(string name, string value) =>
        statPrefix.Length == 0 ? MetricLabels.Of(name, value) : MetricLabels.Of("envoy_ext_authz_prefix", statPrefix).And(name, value);

    /// <summary>One set.</summary>
    internal sealed class Counters(MetricsRegistry registry, string prefix, MetricLabels labels)
    {
        /// <summary>Requests that may go on.</summary>
        public MetricCounter Ok { get; } = registry.Counter(prefix + "ok", labels);

        /// <summary>Refused ones.</summary>
        public MetricCounter Denied { get; } = registry.Counter(prefix + "denied", labels);

        /// <summary>Failures of the service.</summary>
        public MetricCounter Error { get; } = registry.Counter(prefix + "error", labels);

        /// <summary>Answers that cannot be followed.</summary>
        public MetricCounter Invalid { get; } = registry.Counter(prefix + "invalid", labels);

        /// <summary>Requests that were not checked.</summary>
        public MetricCounter Disabled { get; } = registry.Counter(prefix + "disabled", labels);

        /// <summary>Requests that passed although the service failed.</summary>
        public MetricCounter FailureModeAllowed { get; } = registry.Counter(prefix + "failure_mode_allowed", labels);
    }
}
