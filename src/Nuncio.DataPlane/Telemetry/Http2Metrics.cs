namespace Nuncio.DataPlane.Telemetry;

/// <summary>
/// Statistics of the HTTP/2 codec under Envoy's names: <c>envoy_http2_*</c> of all connections with clients, <c>envoy_cluster_http2_*</c> of one cluster's.
/// What counts floods tells that somebody tries to exhaust the proxy.
/// </summary>
public sealed class Http2Metrics
{
    private Http2Metrics(MetricsRegistry registry, string prefix, MetricLabels labels)
    {
        StreamsActive = registry.Gauge(prefix + "streams_active", labels);
        ReceivedReset = Counter("rx_reset");
        SentReset = Counter("tx_reset");
        ReceivedMessagingError = Counter("rx_messaging_error");
        HeaderOverflow = Counter("header_overflow");
        OutboundFlood = Counter("outbound_flood");
        OutboundControlFlood = Counter("outbound_control_flood");
        InboundEmptyFramesFlood = Counter("inbound_empty_frames_flood");
        InboundPriorityFramesFlood = Counter("inbound_priority_frames_flood");
        InboundWindowUpdateFramesFlood = Counter("inbound_window_update_frames_flood");
        KeepaliveTimeout = Counter("keepalive_timeout");
        GoAwaySent = Counter("goaway_sent");
        Trailers = Counter("trailers");
        RejectedWithUnderscores = Counter("requests_rejected_with_underscores_in_headers");

        MetricCounter Counter(string name) => registry.Counter(prefix + name, labels);
    }

    /// <summary><c>streams_active</c>: open streams.</summary>
    public MetricGauge StreamsActive { get; }

    /// <summary><c>rx_reset</c>: RST_STREAM received.</summary>
    public MetricCounter ReceivedReset { get; }

    /// <summary><c>tx_reset</c>: RST_STREAM sent.</summary>
    public MetricCounter SentReset { get; }

    /// <summary><c>rx_messaging_error</c>: messages that break the rules of HTTP.</summary>
    public MetricCounter ReceivedMessagingError { get; }

    /// <summary><c>header_overflow</c>: messages with more headers than are taken.</summary>
    public MetricCounter HeaderOverflow { get; }

    /// <summary><c>outbound_flood</c>: connections whose peer does not read the frames that it causes.</summary>
    public MetricCounter OutboundFlood { get; }

    /// <summary><c>outbound_control_flood</c>: the same for PING, SETTINGS and RST_STREAM.</summary>
    public MetricCounter OutboundControlFlood { get; }

    /// <summary><c>inbound_empty_frames_flood</c>: connections with too many frames without content.</summary>
    public MetricCounter InboundEmptyFramesFlood { get; }

    /// <summary><c>inbound_priority_frames_flood</c>: connections with too many PRIORITY frames.</summary>
    public MetricCounter InboundPriorityFramesFlood { get; }

    /// <summary><c>inbound_window_update_frames_flood</c>: connections with too many WINDOW_UPDATE frames.</summary>
    public MetricCounter InboundWindowUpdateFramesFlood { get; }

    /// <summary><c>keepalive_timeout</c>: connections whose peer did not answer a PING in time.</summary>
    public MetricCounter KeepaliveTimeout { get; }

    /// <summary><c>goaway_sent</c>: GOAWAY sent.</summary>
    public MetricCounter GoAwaySent { get; }

    /// <summary><c>trailers</c>: trailers received.</summary>
    public MetricCounter Trailers { get; }

    /// <summary><c>requests_rejected_with_underscores_in_headers</c>: requests refused for that.</summary>
    public MetricCounter RejectedWithUnderscores { get; }

    /// <summary>Of all connections with clients.</summary>
    public static Http2Metrics OfClients(MetricsRegistry registry) => new(registry, "envoy_http2_", MetricLabels.None);

    /// <summary>Of a cluster's connections.</summary>
    public static Http2Metrics OfCluster(MetricsRegistry registry, string statName) =>
        new(registry, "envoy_cluster_http2_", MetricLabels.Of("envoy_cluster_name", statName));
}
