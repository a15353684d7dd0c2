namespace Nuncio.DataPlane.Telemetry;

/// <summary>Statistics of one virtual cluster, labels <c>envoy_virtual_cluster</c> and <c>envoy_virtual_host</c>.</summary>
public sealed class VirtualClusterMetrics
{
    /// <summary>The series in <paramref name="registry"/>; the same ones after a reload.</summary>
    public VirtualClusterMetrics(MetricsRegistry registry, string virtualHost, string name)
    {
        ArgumentNullException.ThrowIfNull(registry);
        var labels = MetricLabels.Of("envoy_virtual_cluster", name).And("envoy_virtual_host", virtualHost);
        RequestsTotal = registry.Counter("envoy_vhost_vcluster_upstream_rq_total", labels);
        RequestsRetry = registry.Counter("envoy_vhost_vcluster_upstream_rq_retry", labels);
        RequestsRetryLimitExceeded = registry.Counter("envoy_vhost_vcluster_upstream_rq_retry_limit_exceeded", labels);
        RequestsRetryOverflow = registry.Counter("envoy_vhost_vcluster_upstream_rq_retry_overflow", labels);
        RequestsRetrySuccess = registry.Counter("envoy_vhost_vcluster_upstream_rq_retry_success", labels);
        RequestsTimeout = registry.Counter("envoy_vhost_vcluster_upstream_rq_timeout", labels);
        RequestsTime = registry.Histogram("envoy_vhost_vcluster_upstream_rq_time", labels);
        Responses = new ResponseCodeCounters(registry, "envoy_vhost_vcluster_upstream_rq", labels, perCode: true);
    }

    /// <summary><c>envoy_vhost_vcluster_upstream_rq_total</c>: requests.</summary>
    public MetricCounter RequestsTotal { get; }

    /// <summary><c>envoy_vhost_vcluster_upstream_rq_retry</c>: retries.</summary>
    public MetricCounter RequestsRetry { get; }

    /// <summary><c>envoy_vhost_vcluster_upstream_rq_retry_limit_exceeded</c>: retries that were one too many.</summary>
    public MetricCounter RequestsRetryLimitExceeded { get; }

    /// <summary><c>envoy_vhost_vcluster_upstream_rq_retry_overflow</c>: retries that the cluster's limits forbade.</summary>
    public MetricCounter RequestsRetryOverflow { get; }

    /// <summary><c>envoy_vhost_vcluster_upstream_rq_retry_success</c>: requests that succeeded after a retry.</summary>
    public MetricCounter RequestsRetrySuccess { get; }

    /// <summary><c>envoy_vhost_vcluster_upstream_rq_timeout</c>: requests that ran out of time.</summary>
    public MetricCounter RequestsTimeout { get; }

    /// <summary><c>envoy_vhost_vcluster_upstream_rq_time</c>: how long they took, milliseconds.</summary>
    public MetricHistogram RequestsTime { get; }

    /// <summary>By class and code.</summary>
    public ResponseCodeCounters Responses { get; }
}
