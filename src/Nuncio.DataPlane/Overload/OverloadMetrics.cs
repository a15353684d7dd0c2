using Nuncio.DataPlane.Telemetry;

namespace Nuncio.DataPlane.Overload;

/// <summary>Statistics of overload, under the names of Envoy's overload manager. Pressures are in percent; an action is 1 while it is in effect.</summary>
public sealed class OverloadMetrics
{
    private const string Actions = "envoy_overload_envoy_overload_actions_";
    private const string Monitors = "envoy_overload_envoy_resource_monitors_";

    /// <summary>The series in <paramref name="registry"/>.</summary>
    public OverloadMetrics(MetricsRegistry registry)
    {
        ArgumentNullException.ThrowIfNull(registry);
        MemoryPressure = registry.Gauge(Monitors + "cgroup_memory_pressure", MetricLabels.None);
        ConnectionPressure = registry.Gauge(Monitors + "global_downstream_max_connections_pressure", MetricLabels.None);
        InjectedPressure = registry.Gauge(Monitors + "injected_resource_pressure", MetricLabels.None);
        ShrinkHeapCount = registry.Counter(Actions + "shrink_heap_shrink_count", MetricLabels.None);
        DisableKeepAliveActive = registry.Gauge(Actions + "disable_http_keepalive_active", MetricLabels.None);
        StopAcceptingRequestsActive = registry.Gauge(Actions + "stop_accepting_requests_active", MetricLabels.None);
        RejectConnectionsActive = registry.Gauge(Actions + "reject_incoming_connections_active", MetricLabels.None);
    }

    /// <summary>Memory used, of the limit.</summary>
    public MetricGauge MemoryPressure { get; }

    /// <summary>Connections open, of those that there may be.</summary>
    public MetricGauge ConnectionPressure { get; }

    /// <summary>What the file says.</summary>
    public MetricGauge InjectedPressure { get; }

    /// <summary>How often the heap was shrunk.</summary>
    public MetricCounter ShrinkHeapCount { get; }

    /// <summary><c>disable_http_keepalive</c>.</summary>
    public MetricGauge DisableKeepAliveActive { get; }

    /// <summary><c>stop_accepting_requests</c>.</summary>
    public MetricGauge StopAcceptingRequestsActive { get; }

    /// <summary><c>reject_incoming_connections</c>.</summary>
    public MetricGauge RejectConnectionsActive { get; }
}
