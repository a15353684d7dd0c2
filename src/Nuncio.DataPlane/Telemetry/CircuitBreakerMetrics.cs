using Nuncio.DataPlane.State;

namespace Nuncio.DataPlane.Telemetry;

/// <summary>
/// Which limits of a cluster are reached, by priority: <c>envoy_cluster_circuit_breakers_default_rq_open</c> and the like, 1 where nothing more goes.
/// </summary>
internal sealed class CircuitBreakerMetrics
{
    private readonly MetricGauge _connections;
    private readonly MetricGauge _requests;
    private readonly MetricGauge _pending;
    private readonly MetricGauge _retries;

    public CircuitBreakerMetrics(MetricsRegistry registry, string statName, string priority)
    {
        var labels = MetricLabels.Of("envoy_cluster_name", statName);
        _connections = registry.Gauge($"envoy_cluster_circuit_breakers_{priority}_cx_open", labels);
        _requests = registry.Gauge($"envoy_cluster_circuit_breakers_{priority}_rq_open", labels);
        _pending = registry.Gauge($"envoy_cluster_circuit_breakers_{priority}_rq_pending_open", labels);
        _retries = registry.Gauge($"envoy_cluster_circuit_breakers_{priority}_rq_retry_open", labels);
    }

    /// <summary>Takes over what is so now.</summary>
    public void Update(ResourceState resources)
    {
        _connections.Set(resources.CanConnect ? 0 : 1);
        _requests.Set(resources.CanRequest ? 0 : 1);
        _pending.Set(resources.CanWait ? 0 : 1);
        _retries.Set(resources.CanRetry ? 0 : 1);
    }
}
