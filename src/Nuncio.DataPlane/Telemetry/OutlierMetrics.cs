using Nuncio.DataPlane.Health;

namespace Nuncio.DataPlane.Telemetry;

/// <summary>Statistics of a cluster's outlier detection, under Envoy's names; only clusters that have it have these.</summary>
internal sealed class OutlierMetrics
{
    private const string Prefix = "envoy_cluster_outlier_detection_ejections_";

    private static readonly string[] Names =
    [
        "consecutive_5xx", "consecutive_gateway_failure", "consecutive_local_origin_failure", "success_rate", "local_origin_success_rate",
        "failure_percentage", "local_origin_failure_percentage",
    ];

    private readonly MetricCounter[] _detected;
    private readonly MetricCounter[] _enforced;
    private readonly MetricCounter _enforcedTotal;
    private readonly MetricCounter _total;
    private readonly MetricCounter _consecutive5xx;
    private readonly MetricCounter _successRate;

    /// <summary>The series in <paramref name="registry"/>; the same ones after a reload.</summary>
    public OutlierMetrics(MetricsRegistry registry, string statName)
    {
        var labels = MetricLabels.Of("envoy_cluster_name", statName);
        Active = registry.Gauge(Prefix + "active", labels);
        Overflow = registry.Counter(Prefix + "overflow", labels);
        _enforcedTotal = registry.Counter(Prefix + "enforced_total", labels);
        _total = registry.Counter(Prefix + "total", labels);
        _consecutive5xx = registry.Counter(Prefix + "consecutive_5xx", labels);
        _successRate = registry.Counter(Prefix + "success_rate", labels);
        _detected = [.. Names.Select(name => registry.Counter($"{Prefix}detected_{name}", labels))];
        _enforced = [.. Names.Select(name => registry.Counter($"{Prefix}enforced_{name}", labels))];
    }

    /// <summary><c>..._active</c>: endpoints that are ejected now.</summary>
    public MetricGauge Active { get; }

    /// <summary><c>..._overflow</c>: not ejected since too many are.</summary>
    public MetricCounter Overflow { get; }

    /// <summary>There is a reason to eject an endpoint.</summary>
    public void OnDetected(OutlierKind kind)
    {
        _detected[(int)kind].Increment();
        if (kind == OutlierKind.Consecutive5xx)
        {
            _consecutive5xx.Increment();
        }
        else if (kind is OutlierKind.SuccessRate or OutlierKind.LocalOriginSuccessRate)
        {
            _successRate.Increment();
        }
    }

    /// <summary>There is room to eject it, whether it is or not: what Envoy's older counter goes by.</summary>
    public void OnAllowed(OutlierKind kind)
    {
        if (kind is OutlierKind.Consecutive5xx or OutlierKind.SuccessRate)
        {
            _total.Increment();
        }
    }

    /// <summary>It is ejected.</summary>
    public void OnEjected(OutlierKind kind)
    {
        Active.Increment();
        _enforcedTotal.Increment();
        _enforced[(int)kind].Increment();
    }
}
