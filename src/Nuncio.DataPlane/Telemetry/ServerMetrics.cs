namespace Nuncio.DataPlane.Telemetry;

/// <summary>What the process as a whole uses, under the names of Envoy's server statistics. Brought up to date by whoever reads them.</summary>
public sealed class ServerMetrics
{
    /// <summary>The series in <paramref name="registry"/>.</summary>
    public ServerMetrics(MetricsRegistry registry)
    {
        ArgumentNullException.ThrowIfNull(registry);
        MemoryAllocated = registry.Gauge("envoy_server_memory_allocated", MetricLabels.None);
        MemoryHeapSize = registry.Gauge("envoy_server_memory_heap_size", MetricLabels.None);
        MemoryPhysicalSize = registry.Gauge("envoy_server_memory_physical_size", MetricLabels.None);
    }

    /// <summary><c>envoy_server_memory_allocated</c>: bytes of objects that the last garbage collection kept; before the first one, all that were allocated.</summary>
    public MetricGauge MemoryAllocated { get; }

    /// <summary><c>envoy_server_memory_heap_size</c>: bytes that the garbage collector has of the system.</summary>
    public MetricGauge MemoryHeapSize { get; }

    /// <summary><c>envoy_server_memory_physical_size</c>: bytes of the process that are in memory, of whatever kind.</summary>
    public MetricGauge MemoryPhysicalSize { get; }

    /// <summary>Takes the numbers as they are now.</summary>
    public void Update()
    {
        var collection = GC.GetGCMemoryInfo(GCKind.Any);
        MemoryAllocated.Set(collection.Index == 0 ? GC.GetTotalMemory(forceFullCollection: false) : collection.HeapSizeBytes - collection.FragmentedBytes);
        MemoryHeapSize.Set(collection.TotalCommittedBytes);
        MemoryPhysicalSize.Set(Environment.WorkingSet);
    }
}
