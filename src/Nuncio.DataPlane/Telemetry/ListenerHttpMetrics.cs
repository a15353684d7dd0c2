namespace Nuncio.DataPlane.Telemetry;

/// <summary>Requests by listener and connection manager: <c>envoy_listener_http_downstream_rq_xx</c> and <c>..._completed</c>.</summary>
public sealed class ListenerHttpMetrics
{
    /// <summary>The series in <paramref name="registry"/>.</summary>
    public ListenerHttpMetrics(MetricsRegistry registry, string statPrefix, string listenerAddress)
    {
        ArgumentNullException.ThrowIfNull(registry);
        var labels = MetricLabels.Of("envoy_http_conn_manager_prefix", statPrefix).And("envoy_listener_address", listenerAddress);
        Completed = registry.Counter("envoy_listener_http_downstream_rq_completed", labels);
        Responses = new ResponseCodeCounters(registry, "envoy_listener_http_downstream_rq", labels, perCode: false);
    }

    /// <summary>Complete responses.</summary>
    public MetricCounter Completed { get; }

    /// <summary>Responses by class.</summary>
    public ResponseCodeCounters Responses { get; }
}
