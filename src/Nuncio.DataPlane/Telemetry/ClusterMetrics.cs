namespace Nuncio.DataPlane.Telemetry;

/// <summary>Statistics of one cluster, under Envoy's names, with the label <c>envoy_cluster_name</c>.</summary>
public sealed class ClusterMetrics
{
    private static readonly string[] ResponseNames =
        ["envoy_cluster_upstream_rq", "envoy_cluster_external_upstream_rq", "envoy_cluster_retry_upstream_rq", "envoy_cluster_internal_upstream_rq"];

    /// <summary>The series in <paramref name="registry"/>; the same ones after a reload.</summary>
    public ClusterMetrics(MetricsRegistry registry, string statName)
    {
        ArgumentNullException.ThrowIfNull(registry);
        var labels = MetricLabels.Of("envoy_cluster_name", statName);
        Http2 = Http2Metrics.OfCluster(registry, statName);
        SslHandshake = registry.Counter("envoy_cluster_ssl_handshake", labels);
        SslConnectionError = registry.Counter("envoy_cluster_ssl_connection_error", labels);
        ExternalRequestsTime = registry.Histogram("envoy_cluster_external_upstream_rq_time", labels);
        InternalRequestsTime = registry.Histogram("envoy_cluster_internal_upstream_rq_time", labels);
        ConnectionsTotal = registry.Counter("envoy_cluster_upstream_cx_total", labels);
        ConnectionsHttp1Total = registry.Counter("envoy_cluster_upstream_cx_http1_total", labels);
        ConnectionsHttp2Total = registry.Counter("envoy_cluster_upstream_cx_http2_total", labels);
        ConnectionsConnectFail = registry.Counter("envoy_cluster_upstream_cx_connect_fail", labels);
        ConnectionsConnectTimeout = registry.Counter("envoy_cluster_upstream_cx_connect_timeout", labels);
        ConnectionsOverflow = registry.Counter("envoy_cluster_upstream_cx_overflow", labels);
        ConnectionsDestroy = registry.Counter("envoy_cluster_upstream_cx_destroy", labels);
        ConnectionsDestroyLocal = registry.Counter("envoy_cluster_upstream_cx_destroy_local", labels);
        ConnectionsDestroyRemote = registry.Counter("envoy_cluster_upstream_cx_destroy_remote", labels);
        ConnectionsDestroyWithActiveRequest = registry.Counter("envoy_cluster_upstream_cx_destroy_with_active_rq", labels);
        ConnectionsDestroyLocalWithActiveRequest = registry.Counter("envoy_cluster_upstream_cx_destroy_local_with_active_rq", labels);
        ConnectionsDestroyRemoteWithActiveRequest = registry.Counter("envoy_cluster_upstream_cx_destroy_remote_with_active_rq", labels);
        FlowControlPausedReading = registry.Counter("envoy_cluster_upstream_flow_control_paused_reading_total", labels);
        FlowControlResumedReading = registry.Counter("envoy_cluster_upstream_flow_control_resumed_reading_total", labels);
        FlowControlBackedUp = registry.Counter("envoy_cluster_upstream_flow_control_backed_up_total", labels);
        FlowControlDrained = registry.Counter("envoy_cluster_upstream_flow_control_drained_total", labels);
        ConnectionsIdleTimeout = registry.Counter("envoy_cluster_upstream_cx_idle_timeout", labels);
        ConnectionsMaxRequests = registry.Counter("envoy_cluster_upstream_cx_max_requests", labels);
        ConnectionsMaxDurationReached = registry.Counter("envoy_cluster_upstream_cx_max_duration_reached", labels);
        ConnectionsNoneHealthy = registry.Counter("envoy_cluster_upstream_cx_none_healthy", labels);
        ConnectionsProtocolError = registry.Counter("envoy_cluster_upstream_cx_protocol_error", labels);
        ConnectionsReceivedBytesTotal = registry.Counter("envoy_cluster_upstream_cx_rx_bytes_total", labels);
        ConnectionsSentBytesTotal = registry.Counter("envoy_cluster_upstream_cx_tx_bytes_total", labels);
        RequestsTotal = registry.Counter("envoy_cluster_upstream_rq_total", labels);
        RequestsCompleted = registry.Counter("envoy_cluster_upstream_rq_completed", labels);
        RequestsPendingTotal = registry.Counter("envoy_cluster_upstream_rq_pending_total", labels);
        RequestsPendingOverflow = registry.Counter("envoy_cluster_upstream_rq_pending_overflow", labels);
        RequestsPendingFailureEject = registry.Counter("envoy_cluster_upstream_rq_pending_failure_eject", labels);
        RequestsActiveOverflow = registry.Counter("envoy_cluster_upstream_rq_active_overflow", labels);
        RequestsCancelled = registry.Counter("envoy_cluster_upstream_rq_cancelled", labels);
        RequestsTimeout = registry.Counter("envoy_cluster_upstream_rq_timeout", labels);
        RequestsPerTryTimeout = registry.Counter("envoy_cluster_upstream_rq_per_try_timeout", labels);
        RequestsPerTryIdleTimeout = registry.Counter("envoy_cluster_upstream_rq_per_try_idle_timeout", labels);
        RequestsMaxDurationReached = registry.Counter("envoy_cluster_upstream_rq_max_duration_reached", labels);
        RequestsReceivedReset = registry.Counter("envoy_cluster_upstream_rq_rx_reset", labels);
        RequestsSentReset = registry.Counter("envoy_cluster_upstream_rq_tx_reset", labels);
        RequestsRetry = registry.Counter("envoy_cluster_upstream_rq_retry", labels);
        RequestsRetrySuccess = registry.Counter("envoy_cluster_upstream_rq_retry_success", labels);
        RequestsRetryLimitExceeded = registry.Counter("envoy_cluster_upstream_rq_retry_limit_exceeded", labels);
        RequestsRetryOverflow = registry.Counter("envoy_cluster_upstream_rq_retry_overflow", labels);
        RequestsRetryBackoffRateLimited = registry.Counter("envoy_cluster_upstream_rq_retry_backoff_ratelimited", labels);
        RequestsRetryBackoffExponential = registry.Counter("envoy_cluster_upstream_rq_retry_backoff_exponential", labels);
        RequestsMaintenanceMode = registry.Counter("envoy_cluster_upstream_rq_maintenance_mode", labels);
        RetryOrShadowAbandoned = registry.Counter("envoy_cluster_retry_or_shadow_abandoned", labels);
        MembershipChange = registry.Counter("envoy_cluster_membership_change", labels);
        UpdateAttempt = registry.Counter("envoy_cluster_update_attempt", labels);
        UpdateSuccess = registry.Counter("envoy_cluster_update_success", labels);
        UpdateFailure = registry.Counter("envoy_cluster_update_failure", labels);
        UpdateEmpty = registry.Counter("envoy_cluster_update_empty", labels);
        UpdateNoRebuild = registry.Counter("envoy_cluster_update_no_rebuild", labels);
        LbHealthyPanic = registry.Counter("envoy_cluster_lb_healthy_panic", labels);
        HealthCheckAttempts = registry.Counter("envoy_cluster_health_check_attempt", labels);
        HealthCheckSuccesses = registry.Counter("envoy_cluster_health_check_success", labels);
        HealthCheckFailures = registry.Counter("envoy_cluster_health_check_failure", labels);
        HealthCheckNetworkFailures = registry.Counter("envoy_cluster_health_check_network_failure", labels);
        HealthCheckPassiveFailures = registry.Counter("envoy_cluster_health_check_passive_failure", labels);
        HealthCheckHealthy = registry.Gauge("envoy_cluster_health_check_healthy", labels);
        HealthCheckDegraded = registry.Gauge("envoy_cluster_health_check_degraded", labels);
        ConnectionsActive = registry.Gauge("envoy_cluster_upstream_cx_active", labels);
        RequestsActive = registry.Gauge("envoy_cluster_upstream_rq_active", labels);
        RequestsPendingActive = registry.Gauge("envoy_cluster_upstream_rq_pending_active", labels);
        MembershipTotal = registry.Gauge("envoy_cluster_membership_total", labels);
        MembershipHealthy = registry.Gauge("envoy_cluster_membership_healthy", labels);
        MembershipDegraded = registry.Gauge("envoy_cluster_membership_degraded", labels);
        MembershipExcluded = registry.Gauge("envoy_cluster_membership_excluded", labels);
        MaxHostWeight = registry.Gauge("envoy_cluster_max_host_weight", labels);
        ConnectionsConnectMilliseconds = registry.Histogram("envoy_cluster_upstream_cx_connect_ms", labels);
        ConnectionsLengthMilliseconds = registry.Histogram("envoy_cluster_upstream_cx_length_ms", labels);
        RequestsTime = registry.Histogram("envoy_cluster_upstream_rq_time", labels);
        Responses = new ResponseCodeCounters(registry, "envoy_cluster_upstream_rq", labels, perCode: true);
        ExternalResponses = new ResponseCodeCounters(registry, "envoy_cluster_external_upstream_rq", labels, perCode: true);
        RetriedResponses = new ResponseCodeCounters(registry, "envoy_cluster_retry_upstream_rq", labels, perCode: true);
        InternalResponses = new ResponseCodeCounters(registry, "envoy_cluster_internal_upstream_rq", labels, perCode: true);
    }

    /// <summary>
    /// Lets go of the series of clusters that are gone. What HTTP filters count for clusters stays: they keep those series as long as they live themselves.
    /// </summary>
    internal static void Forget(MetricsRegistry registry, IEnumerable<string> statNames)
    {
        var labels = statNames.Select(static name => MetricLabels.Of("envoy_cluster_name", name).Text).ToHashSet(StringComparer.Ordinal);
        if (labels.Count == 0)
        {
            return;
        }

        registry.Forget("envoy_cluster_", labels, "envoy_cluster_ext_authz_", "envoy_cluster_ratelimit_", "envoy_cluster_grpc_");
        foreach (var name in ResponseNames)
        {
            ResponseCodeCounters.Forget(registry, name, labels);
        }
    }

    /// <summary>The cluster is gone: its requests that still run make no series again.</summary>
    internal void Retire()
    {
        Responses.Retire();
        ExternalResponses.Retire();
        RetriedResponses.Retire();
        InternalResponses.Retire();
    }

    /// <summary>A connection has closed.</summary>
    internal void CountClosed(bool byPeer, bool inRequest)
    {
        ConnectionsActive.Decrement();
        ConnectionsDestroy.Increment();
        (byPeer ? ConnectionsDestroyRemote : ConnectionsDestroyLocal).Increment();
        if (inRequest)
        {
            ConnectionsDestroyWithActiveRequest.Increment();
            (byPeer ? ConnectionsDestroyRemoteWithActiveRequest : ConnectionsDestroyLocalWithActiveRequest).Increment();
        }
    }

    /// <summary>Of the HTTP/2 codec.</summary>
    public Http2Metrics Http2 { get; }

    /// <summary><c>envoy_cluster_ssl_handshake</c>: TLS handshakes completed.</summary>
    public MetricCounter SslHandshake { get; }

    /// <summary><c>envoy_cluster_ssl_connection_error</c>: TLS handshakes failed.</summary>
    public MetricCounter SslConnectionError { get; }

    /// <summary><c>envoy_cluster_external_upstream_rq_time</c>: <see cref="RequestsTime"/> of requests from outside.</summary>
    public MetricHistogram ExternalRequestsTime { get; }

    /// <summary><c>envoy_cluster_internal_upstream_rq_time</c>: <see cref="RequestsTime"/> of internal requests.</summary>
    public MetricHistogram InternalRequestsTime { get; }

    /// <summary><c>envoy_cluster_upstream_cx_total</c>: connections made.</summary>
    public MetricCounter ConnectionsTotal { get; }

    /// <summary><c>envoy_cluster_upstream_cx_http1_total</c>: of these with HTTP/1.1.</summary>
    public MetricCounter ConnectionsHttp1Total { get; }

    /// <summary><c>envoy_cluster_upstream_cx_http2_total</c>: of these with HTTP/2.</summary>
    public MetricCounter ConnectionsHttp2Total { get; }

    /// <summary><c>envoy_cluster_upstream_cx_connect_fail</c>: connections that could not be made.</summary>
    public MetricCounter ConnectionsConnectFail { get; }

    /// <summary><c>envoy_cluster_upstream_cx_connect_timeout</c>: of these in time.</summary>
    public MetricCounter ConnectionsConnectTimeout { get; }

    /// <summary><c>envoy_cluster_upstream_cx_overflow</c>: times the connection limit held one back.</summary>
    public MetricCounter ConnectionsOverflow { get; }

    /// <summary><c>envoy_cluster_upstream_cx_destroy</c>: connections closed.</summary>
    public MetricCounter ConnectionsDestroy { get; }

    /// <summary><c>envoy_cluster_upstream_cx_destroy_local</c>: of these by us.</summary>
    public MetricCounter ConnectionsDestroyLocal { get; }

    /// <summary><c>envoy_cluster_upstream_cx_destroy_remote</c>: of these by the upstream.</summary>
    public MetricCounter ConnectionsDestroyRemote { get; }

    /// <summary><c>envoy_cluster_upstream_cx_destroy_with_active_rq</c>: connections that closed while a request was under way.</summary>
    public MetricCounter ConnectionsDestroyWithActiveRequest { get; }

    /// <summary><c>envoy_cluster_upstream_cx_destroy_local_with_active_rq</c>: of these by us.</summary>
    public MetricCounter ConnectionsDestroyLocalWithActiveRequest { get; }

    /// <summary><c>envoy_cluster_upstream_cx_destroy_remote_with_active_rq</c>: of these by the upstream.</summary>
    public MetricCounter ConnectionsDestroyRemoteWithActiveRequest { get; }

    /// <summary><c>envoy_cluster_upstream_flow_control_paused_reading_total</c>: times a response was not read because the client took no more.</summary>
    public MetricCounter FlowControlPausedReading { get; }

    /// <summary><c>envoy_cluster_upstream_flow_control_resumed_reading_total</c>: times reading went on after that.</summary>
    public MetricCounter FlowControlResumedReading { get; }

    /// <summary><c>envoy_cluster_upstream_flow_control_backed_up_total</c>: times an upstream took no more of a request.</summary>
    public MetricCounter FlowControlBackedUp { get; }

    /// <summary><c>envoy_cluster_upstream_flow_control_drained_total</c>: times it took more after that.</summary>
    public MetricCounter FlowControlDrained { get; }

    /// <summary><c>envoy_cluster_upstream_cx_idle_timeout</c>: closed for being idle.</summary>
    public MetricCounter ConnectionsIdleTimeout { get; }

    /// <summary><c>envoy_cluster_upstream_cx_max_requests</c>: closed after their last allowed request.</summary>
    public MetricCounter ConnectionsMaxRequests { get; }

    /// <summary><c>envoy_cluster_upstream_cx_max_duration_reached</c>: closed for age.</summary>
    public MetricCounter ConnectionsMaxDurationReached { get; }

    /// <summary><c>envoy_cluster_upstream_cx_none_healthy</c>: requests without an endpoint to go to.</summary>
    public MetricCounter ConnectionsNoneHealthy { get; }

    /// <summary><c>envoy_cluster_upstream_cx_protocol_error</c>: connections whose peer broke the protocol.</summary>
    public MetricCounter ConnectionsProtocolError { get; }

    /// <summary><c>envoy_cluster_upstream_cx_rx_bytes_total</c>: bytes received.</summary>
    public MetricCounter ConnectionsReceivedBytesTotal { get; }

    /// <summary><c>envoy_cluster_upstream_cx_tx_bytes_total</c>: bytes sent.</summary>
    public MetricCounter ConnectionsSentBytesTotal { get; }

    /// <summary><c>envoy_cluster_upstream_rq_total</c>: requests sent.</summary>
    public MetricCounter RequestsTotal { get; }

    /// <summary><c>envoy_cluster_upstream_rq_completed</c>: responses received.</summary>
    public MetricCounter RequestsCompleted { get; }

    /// <summary><c>envoy_cluster_upstream_rq_pending_total</c>: requests that waited for a connection.</summary>
    public MetricCounter RequestsPendingTotal { get; }

    /// <summary><c>envoy_cluster_upstream_rq_pending_overflow</c>: requests refused by a limit.</summary>
    public MetricCounter RequestsPendingOverflow { get; }

    /// <summary><c>envoy_cluster_upstream_rq_pending_failure_eject</c>: waiting requests whose connection failed.</summary>
    public MetricCounter RequestsPendingFailureEject { get; }

    /// <summary><c>envoy_cluster_upstream_rq_active_overflow</c>: requests refused by max_requests.</summary>
    public MetricCounter RequestsActiveOverflow { get; }

    /// <summary><c>envoy_cluster_upstream_rq_cancelled</c>: requests given up before a connection was there.</summary>
    public MetricCounter RequestsCancelled { get; }

    /// <summary><c>envoy_cluster_upstream_rq_timeout</c>: requests that took too long.</summary>
    public MetricCounter RequestsTimeout { get; }

    /// <summary><c>envoy_cluster_upstream_rq_per_try_timeout</c>: attempts that took too long.</summary>
    public MetricCounter RequestsPerTryTimeout { get; }

    /// <summary><c>envoy_cluster_upstream_rq_per_try_idle_timeout</c>: tries in which nothing moved for too long.</summary>
    public MetricCounter RequestsPerTryIdleTimeout { get; }

    /// <summary><c>envoy_cluster_upstream_rq_retry_backoff_ratelimited</c>: retries whose pause the upstream said.</summary>
    public MetricCounter RequestsRetryBackoffRateLimited { get; }

    /// <summary><c>envoy_cluster_upstream_rq_max_duration_reached</c>: requests that reached max_stream_duration.</summary>
    public MetricCounter RequestsMaxDurationReached { get; }

    /// <summary><c>envoy_cluster_upstream_rq_rx_reset</c>: requests reset by the upstream.</summary>
    public MetricCounter RequestsReceivedReset { get; }

    /// <summary><c>envoy_cluster_upstream_rq_tx_reset</c>: requests reset by us.</summary>
    public MetricCounter RequestsSentReset { get; }

    /// <summary><c>envoy_cluster_upstream_rq_retry</c>: retries.</summary>
    public MetricCounter RequestsRetry { get; }

    /// <summary><c>envoy_cluster_upstream_rq_retry_success</c>: retries that helped.</summary>
    public MetricCounter RequestsRetrySuccess { get; }

    /// <summary><c>envoy_cluster_upstream_rq_retry_limit_exceeded</c>: requests out of retries.</summary>
    public MetricCounter RequestsRetryLimitExceeded { get; }

    /// <summary><c>envoy_cluster_upstream_rq_retry_overflow</c>: retries refused by max_retries.</summary>
    public MetricCounter RequestsRetryOverflow { get; }

    /// <summary><c>envoy_cluster_upstream_rq_retry_backoff_exponential</c>: retries after a back-off.</summary>
    public MetricCounter RequestsRetryBackoffExponential { get; }

    /// <summary><c>envoy_cluster_upstream_rq_maintenance_mode</c>: always 0 here.</summary>
    public MetricCounter RequestsMaintenanceMode { get; }

    /// <summary><c>envoy_cluster_retry_or_shadow_abandoned</c>: requests too large to be kept for a retry.</summary>
    public MetricCounter RetryOrShadowAbandoned { get; }

    /// <summary><c>envoy_cluster_membership_change</c>: changes of the set of endpoints.</summary>
    public MetricCounter MembershipChange { get; }

    /// <summary><c>envoy_cluster_update_attempt</c>: name resolutions begun.</summary>
    public MetricCounter UpdateAttempt { get; }

    /// <summary><c>envoy_cluster_update_success</c>: resolutions that worked.</summary>
    public MetricCounter UpdateSuccess { get; }

    /// <summary><c>envoy_cluster_update_failure</c>: resolutions that failed.</summary>
    public MetricCounter UpdateFailure { get; }

    /// <summary><c>envoy_cluster_update_empty</c>: resolutions without an address.</summary>
    public MetricCounter UpdateEmpty { get; }

    /// <summary><c>envoy_cluster_update_no_rebuild</c>: resolutions that changed nothing.</summary>
    public MetricCounter UpdateNoRebuild { get; }

    /// <summary><c>envoy_cluster_lb_healthy_panic</c>: requests balanced over all endpoints since too few were healthy.</summary>
    public MetricCounter LbHealthyPanic { get; }

    /// <summary><c>envoy_cluster_health_check_attempt</c>: active checks.</summary>
    public MetricCounter HealthCheckAttempts { get; }

    /// <summary><c>envoy_cluster_health_check_success</c>: passed.</summary>
    public MetricCounter HealthCheckSuccesses { get; }

    /// <summary><c>envoy_cluster_health_check_failure</c>: failed.</summary>
    public MetricCounter HealthCheckFailures { get; }

    /// <summary><c>envoy_cluster_health_check_network_failure</c>: failed for want of a connection.</summary>
    public MetricCounter HealthCheckNetworkFailures { get; }

    /// <summary><c>envoy_cluster_health_check_passive_failure</c>: endpoints that said so in an answer to a client.</summary>
    public MetricCounter HealthCheckPassiveFailures { get; }

    /// <summary><c>envoy_cluster_health_check_healthy</c>: endpoints that pass now.</summary>
    public MetricGauge HealthCheckHealthy { get; }

    /// <summary><c>envoy_cluster_health_check_degraded</c>: endpoints that say that they are degraded.</summary>
    public MetricGauge HealthCheckDegraded { get; }

    /// <summary><c>envoy_cluster_upstream_cx_active</c>: connections open.</summary>
    public MetricGauge ConnectionsActive { get; }

    /// <summary><c>envoy_cluster_upstream_rq_active</c>: requests under way.</summary>
    public MetricGauge RequestsActive { get; }

    /// <summary><c>envoy_cluster_upstream_rq_pending_active</c>: requests waiting for a connection.</summary>
    public MetricGauge RequestsPendingActive { get; }

    /// <summary><c>envoy_cluster_membership_total</c>: endpoints.</summary>
    public MetricGauge MembershipTotal { get; }

    /// <summary><c>envoy_cluster_membership_healthy</c>: of these healthy.</summary>
    public MetricGauge MembershipHealthy { get; }

    /// <summary><c>envoy_cluster_membership_degraded</c>: of these degraded.</summary>
    public MetricGauge MembershipDegraded { get; }

    /// <summary><c>envoy_cluster_membership_excluded</c>: of these not yet counted.</summary>
    public MetricGauge MembershipExcluded { get; }

    /// <summary><c>envoy_cluster_max_host_weight</c>: the largest weight.</summary>
    public MetricGauge MaxHostWeight { get; }

    /// <summary><c>envoy_cluster_upstream_cx_connect_ms</c>: how long connecting took.</summary>
    public MetricHistogram ConnectionsConnectMilliseconds { get; }

    /// <summary><c>envoy_cluster_upstream_cx_length_ms</c>: how long connections lasted.</summary>
    public MetricHistogram ConnectionsLengthMilliseconds { get; }

    /// <summary><c>envoy_cluster_upstream_rq_time</c>: from the request's end to the response's, milliseconds.</summary>
    public MetricHistogram RequestsTime { get; }

    /// <summary>Responses by code and class.</summary>
    public ResponseCodeCounters Responses { get; }

    /// <summary>Of these, to requests from outside.</summary>
    public ResponseCodeCounters ExternalResponses { get; }

    /// <summary><c>envoy_cluster_retry_upstream_rq</c>: responses that were not passed on, but tried again for.</summary>
    public ResponseCodeCounters RetriedResponses { get; }

    /// <summary>Of these, to internal requests.</summary>
    public ResponseCodeCounters InternalResponses { get; }
}
