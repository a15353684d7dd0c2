namespace Nuncio.DataPlane.Telemetry;

/// <summary>Statistics of the TCP proxies with one <c>stat_prefix</c>, label <c>envoy_tcp_prefix</c>.</summary>
public sealed class TcpProxyMetrics
{
    /// <summary>The series in <paramref name="registry"/>; the same ones after a reload.</summary>
    public TcpProxyMetrics(MetricsRegistry registry, string statPrefix)
    {
        ArgumentNullException.ThrowIfNull(registry);
        var labels = MetricLabels.Of("envoy_tcp_prefix", statPrefix);
        DownstreamConnectionsTotal = registry.Counter("envoy_tcp_downstream_cx_total", labels);
        DownstreamConnectionsNoRoute = registry.Counter("envoy_tcp_downstream_cx_no_route", labels);
        DownstreamReceivedBytesTotal = registry.Counter("envoy_tcp_downstream_cx_rx_bytes_total", labels);
        DownstreamSentBytesTotal = registry.Counter("envoy_tcp_downstream_cx_tx_bytes_total", labels);
        FlowControlPausedReading = registry.Counter("envoy_tcp_downstream_flow_control_paused_reading_total", labels);
        FlowControlResumedReading = registry.Counter("envoy_tcp_downstream_flow_control_resumed_reading_total", labels);
        IdleTimeout = registry.Counter("envoy_tcp_idle_timeout", labels);
        MaxConnectionDuration = registry.Counter("envoy_tcp_max_downstream_connection_duration", labels);
    }

    /// <summary><c>envoy_tcp_downstream_cx_total</c>: connections.</summary>
    public MetricCounter DownstreamConnectionsTotal { get; }

    /// <summary><c>envoy_tcp_downstream_cx_no_route</c>: connections whose cluster is not known.</summary>
    public MetricCounter DownstreamConnectionsNoRoute { get; }

    /// <summary><c>envoy_tcp_downstream_cx_rx_bytes_total</c>: bytes from clients.</summary>
    public MetricCounter DownstreamReceivedBytesTotal { get; }

    /// <summary><c>envoy_tcp_downstream_cx_tx_bytes_total</c>: bytes to clients.</summary>
    public MetricCounter DownstreamSentBytesTotal { get; }

    /// <summary><c>envoy_tcp_downstream_flow_control_paused_reading_total</c>: times a client was not read because its upstream took no more.</summary>
    public MetricCounter FlowControlPausedReading { get; }

    /// <summary><c>envoy_tcp_downstream_flow_control_resumed_reading_total</c>: times reading went on after that.</summary>
    public MetricCounter FlowControlResumedReading { get; }

    /// <summary><c>envoy_tcp_idle_timeout</c>: connections closed because nothing moved.</summary>
    public MetricCounter IdleTimeout { get; }

    /// <summary><c>envoy_tcp_max_downstream_connection_duration</c>: connections closed for their age.</summary>
    public MetricCounter MaxConnectionDuration { get; }
}
