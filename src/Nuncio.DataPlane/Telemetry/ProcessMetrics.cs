using System.Runtime.CompilerServices;
using Nuncio.DataPlane.Listening;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Time;
using Nuncio.DataPlane.Tls;

namespace Nuncio.DataPlane.Telemetry;

/// <summary>What is looked up when somebody asks for statistics, rather than counted all the time.</summary>
internal sealed class ProcessMetrics
{
    // Envoy's server states, and what it says where nothing can expire.
    private const long Live = 0;
    private const long Draining = 1;
    private const long NoCertificate = uint.MaxValue;
    private const string ListenerExpiry = "envoy_listener_ssl_certificate_expiration_unix_time_seconds";
    private const string ClusterExpiry = "envoy_cluster_ssl_certificate_expiration_unix_time_seconds";

    private readonly ClusterTable _clusters;
    private readonly ListenerTable _listeners;
    private readonly ConnectionCount _connections;
    private readonly TimerService _timers;
    private readonly MetricGauge _activeClusters;
    private readonly MetricGauge _activeListeners;
    private readonly MetricGauge _drainingListeners;
    private readonly MetricGauge _openConnections;
    private readonly MetricGauge _uptime;
    private readonly MetricGauge _live;
    private readonly MetricGauge _memoryAllocated;
    private readonly MetricGauge _memoryHeapSize;
    private readonly MetricGauge _memoryPhysicalSize;
    private readonly MetricGauge _state;
    private readonly MetricGauge _concurrency;
    private readonly MetricGauge _daysUntilExpiry;
    private readonly MetricsRegistry _registry;
    private HashSet<(string Name, MetricLabels Labels)> _expiries = [];
    private volatile bool _isDraining;
    private volatile StrongBox<DateTime>? _firstExpiry;

    public ProcessMetrics(MetricsRegistry registry, ClusterTable clusters, ListenerTable listeners, ConnectionCount connections, TimerService timers)
    {
        _registry = registry;
        _clusters = clusters;
        _listeners = listeners;
        _connections = connections;
        _timers = timers;
        _activeClusters = registry.Gauge("envoy_cluster_manager_active_clusters", MetricLabels.None);
        _activeListeners = registry.Gauge("envoy_listener_manager_total_listeners_active", MetricLabels.None);
        _drainingListeners = registry.Gauge("envoy_listener_manager_total_listeners_draining", MetricLabels.None);
        _openConnections = registry.Gauge("envoy_server_total_connections", MetricLabels.None);
        _uptime = registry.Gauge("envoy_server_uptime", MetricLabels.None);
        _live = registry.Gauge("envoy_server_live", MetricLabels.None);
        _memoryAllocated = registry.Gauge("envoy_server_memory_allocated", MetricLabels.None);
        _memoryHeapSize = registry.Gauge("envoy_server_memory_heap_size", MetricLabels.None);
        _memoryPhysicalSize = registry.Gauge("envoy_server_memory_physical_size", MetricLabels.None);
        _state = registry.Gauge("envoy_server_state", MetricLabels.None);
        _concurrency = registry.Gauge("envoy_server_concurrency", MetricLabels.None);
        _daysUntilExpiry = registry.Gauge("envoy_server_days_until_first_cert_expiring", MetricLabels.None);
        registry.Collecting += Update;
    }

    /// <summary>It has been told to take no new work.</summary>
    public bool IsDraining => _isDraining;

    /// <summary>A configuration has come into effect: when which certificate expires is looked up again.</summary>
    public void OnApplied()
    {
        DateTime? first = null;
        var told = new HashSet<(string Name, MetricLabels Labels)>();
        foreach (var listener in _listeners.Models)
        {
            foreach (var chain in listener.AllChains)
            {
                if (chain.Transport is { } transport)
                {
                    first = Earlier(first, transport.FirstExpiry);
                    Tell(told, ListenerExpiry, "envoy_listener_address", listener.StatPrefix, transport.OwnCertificates);
                }
            }
        }

        foreach (var cluster in _clusters.All)
        {
            if (cluster.Model.Transport is UpstreamTlsModel transport)
            {
                first = Earlier(first, transport.FirstExpiry);
                Tell(told, ClusterExpiry, "envoy_cluster_name", cluster.Model.StatName, transport.OwnCertificates);
            }
        }

        // A certificate that serves no more expires without harm, and nobody wants to be warned of it.
        foreach (var (name, labels) in _expiries)
        {
            if (!told.Contains((name, labels)))
            {
                _registry.Forget(name, labels);
            }
        }

        _expiries = told;
        _firstExpiry = first is { } found ? new StrongBox<DateTime>(found) : null;
    }

    /// <summary>The process takes no new work: it is not live any more, and says so.</summary>
    public void Drain() => _isDraining = true;

    private void Update()
    {
        _activeClusters.Set(_clusters.All.Count);
        var listeners = _listeners.Models;
        _activeListeners.Set(listeners.Count);
        _drainingListeners.Set(_listeners.Draining);
        _openConnections.Set(_connections.Open);
        _uptime.Set(_timers.NowMilliseconds / 1000);
        _live.Set(_isDraining ? 0 : 1);
        _state.Set(_isDraining ? Draining : Live);
        _concurrency.Set(Environment.ProcessorCount);

        // Of objects, what the last garbage collection kept; before the first one, all that were allocated.
        var collection = GC.GetGCMemoryInfo(GCKind.Any);
        _memoryAllocated.Set(collection.Index == 0 ? GC.GetTotalMemory(forceFullCollection: false) : collection.HeapSizeBytes - collection.FragmentedBytes);
        _memoryHeapSize.Set(collection.TotalCommittedBytes);
        _memoryPhysicalSize.Set(Environment.WorkingSet);

        foreach (var cluster in _clusters.All)
        {
            cluster.UpdateMetrics();
        }

        var expiry = _firstExpiry?.Value;
        _daysUntilExpiry.Set(expiry is { } first ? Math.Max(0, (long)(first - _timers.Time.GetUtcNow().UtcDateTime).TotalDays) : NoCertificate);
    }

    private void Tell(
        HashSet<(string Name, MetricLabels Labels)> told,
        string series,
        string label,
        string value,
        IEnumerable<(string Name, TlsCertificateModel Certificate)> certificates)
    {
        foreach (var (name, certificate) in certificates)
        {
            if (name.Length > 0)
            {
                var seconds = new DateTimeOffset(certificate.Leaf.NotAfter.ToUniversalTime()).ToUnixTimeSeconds();
                var labels = MetricLabels.Of("envoy_tls_certificate", name).And(label, value);
                _registry.Gauge(series, labels).Set(seconds);
                told.Add((series, labels));
            }
        }
    }

    private static DateTime? Earlier(DateTime? a, DateTime? b) => !(b < a) && a is not null ? a : b;
}
