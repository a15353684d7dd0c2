using Nuncio.DataPlane.Listening;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Time;

namespace Nuncio.DataPlane.Telemetry;

/// <summary>What is looked up when somebody asks for statistics, rather than counted all the time.</summary>
internal sealed class ProcessMetrics
{
    private readonly ClusterTable _clusters;
    private readonly ListenerTable _listeners;
    private readonly ConnectionCount _connections;
    private readonly TimerService _timers;
    private readonly MetricGauge _activeClusters;
    private readonly MetricGauge _activeListeners;
    private readonly MetricGauge _openConnections;
    private readonly MetricGauge _uptime;
    private readonly MetricGauge _live;

    public ProcessMetrics(MetricsRegistry registry, ClusterTable clusters, ListenerTable listeners, ConnectionCount connections, TimerService timers)
    {
        _clusters = clusters;
        _listeners = listeners;
        _connections = connections;
        _timers = timers;
        _activeClusters = registry.Gauge("envoy_cluster_manager_active_clusters", MetricLabels.None);
        _activeListeners = registry.Gauge("envoy_listener_manager_total_listeners_active", MetricLabels.None);
        _openConnections = registry.Gauge("envoy_server_total_connections", MetricLabels.None);
        _uptime = registry.Gauge("envoy_server_uptime", MetricLabels.None);
        _live = registry.Gauge("envoy_server_live", MetricLabels.None);
        registry.Collecting += Update;
    }

    private void Update()
    {
        _activeClusters.Set(_clusters.All.Count);
        _activeListeners.Set(_listeners.Count);
        _openConnections.Set(_connections.Open);
        _uptime.Set(_timers.NowMilliseconds / 1000);
        _live.Set(1);
        foreach (var cluster in _clusters.All)
        {
            cluster.UpdateMetrics();
        }
    }
}
