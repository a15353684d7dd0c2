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
    private readonly MetricGauge _memoryAllocated;
    private readonly MetricGauge _memoryHeapSize;
    private readonly MetricGauge _memoryPhysicalSize;

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
        _memoryAllocated = registry.Gauge("envoy_server_memory_allocated", MetricLabels.None);
        _memoryHeapSize = registry.Gauge("envoy_server_memory_heap_size", MetricLabels.None);
        _memoryPhysicalSize = registry.Gauge("envoy_server_memory_physical_size", MetricLabels.None);
        registry.Collecting += Update;
    }

    private void Update()
    {
        _activeClusters.Set(_clusters.All.Count);
        _activeListeners.Set(_listeners.Count);
        _openConnections.Set(_connections.Open);
        _uptime.Set(_timers.NowMilliseconds / 1000);
        _live.Set(1);

        // Of objects, what the last garbage collection kept; before the first one, all that were allocated.
        var collection = GC.GetGCMemoryInfo(GCKind.Any);
        _memoryAllocated.Set(collection.Index == 0 ? GC.GetTotalMemory(forceFullCollection: false) : collection.HeapSizeBytes - collection.FragmentedBytes);
        _memoryHeapSize.Set(collection.TotalCommittedBytes);
        _memoryPhysicalSize.Set(Environment.WorkingSet);
        foreach (var cluster in _clusters.All)
        {
            cluster.UpdateMetrics();
        }
    }
}
