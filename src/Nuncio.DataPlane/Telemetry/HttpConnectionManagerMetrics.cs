namespace Nuncio.DataPlane.Telemetry;

/// <summary>Statistics of the connection managers with one <c>stat_prefix</c>, label <c>envoy_http_conn_manager_prefix</c>.</summary>
public sealed class HttpConnectionManagerMetrics
{
    /// <summary>The series in <paramref name="registry"/>; the same ones after a reload.</summary>
    public HttpConnectionManagerMetrics(MetricsRegistry registry, string statPrefix)
    {
        ArgumentNullException.ThrowIfNull(registry);
        var labels = MetricLabels.Of("envoy_http_conn_manager_prefix", statPrefix);
        Http2 = Http2Metrics.OfClients(registry);
        Http3 = Http3Metrics.OfClients(registry);
        DownstreamConnectionsTotal = registry.Counter("envoy_http_downstream_cx_total", labels);
        DownstreamConnectionsHttp1Total = registry.Counter("envoy_http_downstream_cx_http1_total", labels);
        DownstreamConnectionsHttp2Total = registry.Counter("envoy_http_downstream_cx_http2_total", labels);
        DownstreamConnectionsHttp3Total = registry.Counter("envoy_http_downstream_cx_http3_total", labels);
        DownstreamConnectionsSslTotal = registry.Counter("envoy_http_downstream_cx_ssl_total", labels);
        DownstreamConnectionsUpgradesTotal = registry.Counter("envoy_http_downstream_cx_upgrades_total", labels);
        DownstreamConnectionsDestroy = registry.Counter("envoy_http_downstream_cx_destroy", labels);
        DownstreamConnectionsDestroyLocal = registry.Counter("envoy_http_downstream_cx_destroy_local", labels);
        DownstreamConnectionsDestroyRemote = registry.Counter("envoy_http_downstream_cx_destroy_remote", labels);
        DownstreamConnectionsDestroyActiveRequest = registry.Counter("envoy_http_downstream_cx_destroy_active_rq", labels);
        DownstreamConnectionsDestroyLocalActiveRequest = registry.Counter("envoy_http_downstream_cx_destroy_local_active_rq", labels);
        DownstreamConnectionsDestroyRemoteActiveRequest = registry.Counter("envoy_http_downstream_cx_destroy_remote_active_rq", labels);
        DownstreamConnectionsIdleTimeout = registry.Counter("envoy_http_downstream_cx_idle_timeout", labels);
        DownstreamConnectionsMaxDurationReached = registry.Counter("envoy_http_downstream_cx_max_duration_reached", labels);
        DownstreamConnectionsMaxRequestsReached = registry.Counter("envoy_http_downstream_cx_max_requests_reached", labels);
        DownstreamConnectionsDrainClose = registry.Counter("envoy_http_downstream_cx_drain_close", labels);
        DownstreamConnectionsProtocolError = registry.Counter("envoy_http_downstream_cx_protocol_error", labels);
        DownstreamConnectionsReceivedBytesTotal = registry.Counter("envoy_http_downstream_cx_rx_bytes_total", labels);
        DownstreamConnectionsSentBytesTotal = registry.Counter("envoy_http_downstream_cx_tx_bytes_total", labels);
        DownstreamRequestsTotal = registry.Counter("envoy_http_downstream_rq_total", labels);
        DownstreamRequestsHttp1Total = registry.Counter("envoy_http_downstream_rq_http1_total", labels);
        DownstreamRequestsHttp2Total = registry.Counter("envoy_http_downstream_rq_http2_total", labels);
        DownstreamRequestsHttp3Total = registry.Counter("envoy_http_downstream_rq_http3_total", labels);
        DownstreamRequestsCompleted = registry.Counter("envoy_http_downstream_rq_completed", labels);
        DownstreamRequestsReceivedReset = registry.Counter("envoy_http_downstream_rq_rx_reset", labels);
        DownstreamRequestsSentReset = registry.Counter("envoy_http_downstream_rq_tx_reset", labels);
        DownstreamRequestsIdleTimeout = registry.Counter("envoy_http_downstream_rq_idle_timeout", labels);
        DownstreamRequestsTimeout = registry.Counter("envoy_http_downstream_rq_timeout", labels);
        DownstreamRequestsHeaderTimeout = registry.Counter("envoy_http_downstream_rq_header_timeout", labels);
        DownstreamRequestsMaxDurationReached = registry.Counter("envoy_http_downstream_rq_max_duration_reached", labels);
        DownstreamRequestsNonRelativePath = registry.Counter("envoy_http_downstream_rq_non_relative_path", labels);
        DownstreamRequestsOverloadClose = registry.Counter("envoy_http_downstream_rq_overload_close", labels);
        DownstreamConnectionsOverloadDisableKeepAlive = registry.Counter("envoy_http_downstream_cx_overload_disable_keepalive", labels);
        DownstreamRequestsTooLarge = registry.Counter("envoy_http_downstream_rq_too_large", labels);
        DownstreamRequestsFailedPathNormalization = registry.Counter("envoy_http_downstream_rq_failed_path_normalization", labels);
        DownstreamRequestsRedirectedWithNormalizedPath = registry.Counter("envoy_http_downstream_rq_redirected_with_normalized_path", labels);
        DownstreamRequestsWsOnNonWsRoute = registry.Counter("envoy_http_downstream_rq_ws_on_non_ws_route", labels);
        NoRoute = registry.Counter("envoy_http_no_route", labels);
        NoCluster = registry.Counter("envoy_http_no_cluster", labels);
        RequestsTotal = registry.Counter("envoy_http_rq_total", labels);
        RequestsDirectResponse = registry.Counter("envoy_http_rq_direct_response", labels);
        RequestsRedirect = registry.Counter("envoy_http_rq_redirect", labels);
        RequestsResetAfterDownstreamResponseStarted = registry.Counter("envoy_http_rq_reset_after_downstream_response_started", labels);
        CorsOriginValid = registry.Counter("envoy_http_cors_origin_valid", labels);
        CorsOriginInvalid = registry.Counter("envoy_http_cors_origin_invalid", labels);
        FlowControlPausedReading = registry.Counter("envoy_http_downstream_flow_control_paused_reading_total", labels);
        FlowControlResumedReading = registry.Counter("envoy_http_downstream_flow_control_resumed_reading_total", labels);
        DownstreamConnectionsActive = registry.Gauge("envoy_http_downstream_cx_active", labels);
        DownstreamConnectionsHttp1Active = registry.Gauge("envoy_http_downstream_cx_http1_active", labels);
        DownstreamConnectionsHttp2Active = registry.Gauge("envoy_http_downstream_cx_http2_active", labels);
        DownstreamConnectionsHttp3Active = registry.Gauge("envoy_http_downstream_cx_http3_active", labels);
        DownstreamConnectionsSslActive = registry.Gauge("envoy_http_downstream_cx_ssl_active", labels);
        DownstreamConnectionsUpgradesActive = registry.Gauge("envoy_http_downstream_cx_upgrades_active", labels);
        DownstreamRequestsActive = registry.Gauge("envoy_http_downstream_rq_active", labels);
        DownstreamConnectionsLengthMilliseconds = registry.Histogram("envoy_http_downstream_cx_length_ms", labels);
        DownstreamRequestsTime = registry.Histogram("envoy_http_downstream_rq_time", labels);
        DownstreamResponses = new ResponseCodeCounters(registry, "envoy_http_downstream_rq", labels, perCode: false);
    }

    /// <summary>A response was given, also one of 100 that another follows; for the listener too.</summary>
    internal void CountResponse(int status, ListenerHttpMetrics? listener)
    {
        DownstreamRequestsCompleted.Increment();
        DownstreamResponses.Count(status);
        if (listener is not null)
        {
            listener.Completed.Increment();
            listener.Responses.Count(status);
        }
    }

    /// <summary>A connection was given to the connection manager; as in Envoy before its TLS handshake, which may fail.</summary>
    internal void CountOpened(bool isTls)
    {
        DownstreamConnectionsTotal.Increment();
        DownstreamConnectionsActive.Increment();
        if (isTls)
        {
            DownstreamConnectionsSslTotal.Increment();
            DownstreamConnectionsSslActive.Increment();
        }
    }

    /// <summary>The same connection has ended.</summary>
    internal void CountClosed(bool isTls, bool byPeer, bool inRequest, long milliseconds)
    {
        DownstreamConnectionsActive.Decrement();
        if (isTls)
        {
            DownstreamConnectionsSslActive.Decrement();
        }

        DownstreamConnectionsDestroy.Increment();
        (byPeer ? DownstreamConnectionsDestroyRemote : DownstreamConnectionsDestroyLocal).Increment();
        if (inRequest)
        {
            DownstreamConnectionsDestroyActiveRequest.Increment();
            (byPeer ? DownstreamConnectionsDestroyRemoteActiveRequest : DownstreamConnectionsDestroyLocalActiveRequest).Increment();
        }

        DownstreamConnectionsLengthMilliseconds.Record(milliseconds);
    }

    /// <summary>Of the HTTP/2 codec, the same for all connection managers.</summary>
    public Http2Metrics Http2 { get; }

    /// <summary>Of the HTTP/3 codec, likewise.</summary>
    public Http3Metrics Http3 { get; }

    /// <summary><c>envoy_http_downstream_cx_total</c>: connections.</summary>
    public MetricCounter DownstreamConnectionsTotal { get; }

    /// <summary><c>envoy_http_downstream_cx_http1_total</c>: of these with HTTP/1.1.</summary>
    public MetricCounter DownstreamConnectionsHttp1Total { get; }

    /// <summary><c>envoy_http_downstream_cx_http2_total</c>: of these with HTTP/2.</summary>
    public MetricCounter DownstreamConnectionsHttp2Total { get; }

    /// <summary><c>envoy_http_downstream_cx_http3_total</c>: of these with HTTP/3.</summary>
    public MetricCounter DownstreamConnectionsHttp3Total { get; }

    /// <summary><c>envoy_http_downstream_cx_ssl_total</c>: of these with TLS.</summary>
    public MetricCounter DownstreamConnectionsSslTotal { get; }

    /// <summary><c>envoy_http_downstream_cx_upgrades_total</c>: upgrades made.</summary>
    public MetricCounter DownstreamConnectionsUpgradesTotal { get; }

    /// <summary><c>envoy_http_downstream_cx_destroy</c>: connections closed.</summary>
    public MetricCounter DownstreamConnectionsDestroy { get; }

    /// <summary><c>envoy_http_downstream_cx_destroy_local</c>: of these by us.</summary>
    public MetricCounter DownstreamConnectionsDestroyLocal { get; }

    /// <summary><c>envoy_http_downstream_cx_destroy_remote</c>: of these by the client.</summary>
    public MetricCounter DownstreamConnectionsDestroyRemote { get; }

    /// <summary><c>envoy_http_downstream_cx_destroy_active_rq</c>: connections that closed while a request was under way.</summary>
    public MetricCounter DownstreamConnectionsDestroyActiveRequest { get; }

    /// <summary><c>envoy_http_downstream_cx_destroy_local_active_rq</c>: of these by us.</summary>
    public MetricCounter DownstreamConnectionsDestroyLocalActiveRequest { get; }

    /// <summary><c>envoy_http_downstream_cx_destroy_remote_active_rq</c>: of these by the client.</summary>
    public MetricCounter DownstreamConnectionsDestroyRemoteActiveRequest { get; }

    /// <summary><c>envoy_http_cors_origin_valid</c>: requests of an origin that is allowed.</summary>
    public MetricCounter CorsOriginValid { get; }

    /// <summary><c>envoy_http_cors_origin_invalid</c>: requests of an origin that is not.</summary>
    public MetricCounter CorsOriginInvalid { get; }

    /// <summary><c>envoy_http_downstream_cx_idle_timeout</c>: closed for being idle.</summary>
    public MetricCounter DownstreamConnectionsIdleTimeout { get; }

    /// <summary><c>envoy_http_downstream_cx_max_duration_reached</c>: closed for age.</summary>
    public MetricCounter DownstreamConnectionsMaxDurationReached { get; }

    /// <summary><c>envoy_http_downstream_cx_max_requests_reached</c>: closed after their last allowed request.</summary>
    public MetricCounter DownstreamConnectionsMaxRequestsReached { get; }

    /// <summary><c>envoy_http_downstream_cx_drain_close</c>: closed while draining.</summary>
    public MetricCounter DownstreamConnectionsDrainClose { get; }

    /// <summary><c>envoy_http_downstream_cx_protocol_error</c>: whose client broke the protocol.</summary>
    public MetricCounter DownstreamConnectionsProtocolError { get; }

    /// <summary><c>envoy_http_downstream_cx_rx_bytes_total</c>: bytes received.</summary>
    public MetricCounter DownstreamConnectionsReceivedBytesTotal { get; }

    /// <summary><c>envoy_http_downstream_cx_tx_bytes_total</c>: bytes sent.</summary>
    public MetricCounter DownstreamConnectionsSentBytesTotal { get; }

    /// <summary><c>envoy_http_downstream_rq_total</c>: requests.</summary>
    public MetricCounter DownstreamRequestsTotal { get; }

    /// <summary><c>envoy_http_downstream_rq_http1_total</c>: of these with HTTP/1.1.</summary>
    public MetricCounter DownstreamRequestsHttp1Total { get; }

    /// <summary><c>envoy_http_downstream_rq_http2_total</c>: of these with HTTP/2.</summary>
    public MetricCounter DownstreamRequestsHttp2Total { get; }

    /// <summary><c>envoy_http_downstream_rq_http3_total</c>: of these with HTTP/3.</summary>
    public MetricCounter DownstreamRequestsHttp3Total { get; }

    /// <summary><c>envoy_http_downstream_rq_completed</c>: requests with a complete response.</summary>
    public MetricCounter DownstreamRequestsCompleted { get; }

    /// <summary><c>envoy_http_downstream_rq_rx_reset</c>: requests given up by the client.</summary>
    public MetricCounter DownstreamRequestsReceivedReset { get; }

    /// <summary><c>envoy_http_downstream_rq_tx_reset</c>: requests reset by us.</summary>
    public MetricCounter DownstreamRequestsSentReset { get; }

    /// <summary><c>envoy_http_downstream_rq_idle_timeout</c>: requests on which nothing moved for too long.</summary>
    public MetricCounter DownstreamRequestsIdleTimeout { get; }

    /// <summary><c>envoy_http_downstream_rq_timeout</c>: requests that did not arrive in time.</summary>
    public MetricCounter DownstreamRequestsTimeout { get; }

    /// <summary><c>envoy_http_downstream_rq_header_timeout</c>: requests whose headers did not arrive in time.</summary>
    public MetricCounter DownstreamRequestsHeaderTimeout { get; }

    /// <summary><c>envoy_http_downstream_rq_max_duration_reached</c>: requests that reached max_stream_duration.</summary>
    public MetricCounter DownstreamRequestsMaxDurationReached { get; }

    /// <summary><c>envoy_http_downstream_rq_non_relative_path</c>: requests with an absolute path that is refused.</summary>
    public MetricCounter DownstreamRequestsNonRelativePath { get; }

    /// <summary><c>envoy_http_downstream_rq_overload_close</c>: requests refused because a resource runs short.</summary>
    public MetricCounter DownstreamRequestsOverloadClose { get; }

    /// <summary><c>envoy_http_downstream_cx_overload_disable_keepalive</c>: connections that close after their response because a resource runs short.</summary>
    public MetricCounter DownstreamConnectionsOverloadDisableKeepAlive { get; }

    /// <summary><c>envoy_http_downstream_rq_too_large</c>: requests too large to buffer.</summary>
    public MetricCounter DownstreamRequestsTooLarge { get; }

    /// <summary><c>envoy_http_downstream_rq_failed_path_normalization</c>: requests with a bad path.</summary>
    public MetricCounter DownstreamRequestsFailedPathNormalization { get; }

    /// <summary><c>envoy_http_downstream_rq_redirected_with_normalized_path</c>: requests redirected to their normalised path.</summary>
    public MetricCounter DownstreamRequestsRedirectedWithNormalizedPath { get; }

    /// <summary><c>envoy_http_downstream_rq_ws_on_non_ws_route</c>: upgrades where none is allowed.</summary>
    public MetricCounter DownstreamRequestsWsOnNonWsRoute { get; }

    /// <summary><c>envoy_http_no_route</c>: requests without a route.</summary>
    public MetricCounter NoRoute { get; }

    /// <summary><c>envoy_http_no_cluster</c>: requests to unknown clusters.</summary>
    public MetricCounter NoCluster { get; }

    /// <summary><c>envoy_http_rq_total</c>: requests that reached the router.</summary>
    public MetricCounter RequestsTotal { get; }

    /// <summary><c>envoy_http_rq_direct_response</c>: direct responses.</summary>
    public MetricCounter RequestsDirectResponse { get; }

    /// <summary><c>envoy_http_rq_redirect</c>: redirects.</summary>
    public MetricCounter RequestsRedirect { get; }

    /// <summary><c>envoy_http_rq_reset_after_downstream_response_started</c>: responses cut short.</summary>
    public MetricCounter RequestsResetAfterDownstreamResponseStarted { get; }

    /// <summary>
    /// <c>envoy_http_downstream_flow_control_paused_reading_total</c>: times a request's body was not read because its upstream took no more.
    /// </summary>
    public MetricCounter FlowControlPausedReading { get; }

    /// <summary><c>envoy_http_downstream_flow_control_resumed_reading_total</c>: times reading went on after that.</summary>
    public MetricCounter FlowControlResumedReading { get; }

    /// <summary><c>envoy_http_downstream_cx_active</c>: connections open.</summary>
    public MetricGauge DownstreamConnectionsActive { get; }

    /// <summary><c>envoy_http_downstream_cx_http1_active</c>: of these with HTTP/1.1.</summary>
    public MetricGauge DownstreamConnectionsHttp1Active { get; }

    /// <summary><c>envoy_http_downstream_cx_http2_active</c>: of these with HTTP/2.</summary>
    public MetricGauge DownstreamConnectionsHttp2Active { get; }

    /// <summary><c>envoy_http_downstream_cx_http3_active</c>: of these with HTTP/3.</summary>
    public MetricGauge DownstreamConnectionsHttp3Active { get; }

    /// <summary><c>envoy_http_downstream_cx_ssl_active</c>: of these with TLS.</summary>
    public MetricGauge DownstreamConnectionsSslActive { get; }

    /// <summary><c>envoy_http_downstream_cx_upgrades_active</c>: upgrades open.</summary>
    public MetricGauge DownstreamConnectionsUpgradesActive { get; }

    /// <summary><c>envoy_http_downstream_rq_active</c>: requests under way.</summary>
    public MetricGauge DownstreamRequestsActive { get; }

    /// <summary><c>envoy_http_downstream_cx_length_ms</c>: how long connections lasted.</summary>
    public MetricHistogram DownstreamConnectionsLengthMilliseconds { get; }

    /// <summary><c>envoy_http_downstream_rq_time</c>: how long requests took, milliseconds.</summary>
    public MetricHistogram DownstreamRequestsTime { get; }

    /// <summary><c>envoy_http_downstream_rq_xx</c>: responses by class.</summary>
    public ResponseCodeCounters DownstreamResponses { get; }
}
