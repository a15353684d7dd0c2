using System.Collections.Concurrent;

namespace Nuncio.DataPlane.Telemetry;

/// <summary>Statistics of one listener, label <c>envoy_listener_address</c> (<c>0.0.0.0_8080</c>).</summary>
public sealed class ListenerMetrics
{
    private readonly MetricsRegistry _registry;
    private readonly string _address;
    private readonly ConcurrentDictionary<string, ListenerHttpMetrics> _http = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(string Name, string Value), MetricCounter> _ssl = new();

    /// <summary>The series in <paramref name="registry"/>; the same ones after a reload.</summary>
    public ListenerMetrics(MetricsRegistry registry, string address)
    {
        ArgumentNullException.ThrowIfNull(registry);
        _registry = registry;
        _address = address;
        var labels = MetricLabels.Of("envoy_listener_address", address);
        DownstreamConnectionsTotal = registry.Counter("envoy_listener_downstream_cx_total", labels);
        DownstreamConnectionsDestroy = registry.Counter("envoy_listener_downstream_cx_destroy", labels);
        DownstreamConnectionsOverflow = registry.Counter("envoy_listener_downstream_cx_overflow", labels);
        DownstreamGlobalConnectionsOverflow = registry.Counter("envoy_listener_downstream_global_cx_overflow", labels);
        DownstreamConnectionsOverloadReject = registry.Counter("envoy_listener_downstream_cx_overload_reject", labels);
        DownstreamPreConnectionsTimeout = registry.Counter("envoy_listener_downstream_pre_cx_timeout", labels);
        NoFilterChainMatch = registry.Counter("envoy_listener_no_filter_chain_match", labels);
        HandshakeTimeout = registry.Counter("envoy_listener_downstream_cx_transport_socket_connect_timeout", labels);
        ListenerFilterRemoteClose = registry.Counter("envoy_listener_downstream_listener_filter_remote_close", labels);
        TlsInspector = new TlsInspectorMetrics(registry);
        SslHandshake = registry.Counter("envoy_listener_ssl_handshake", labels);
        SslConnectionError = registry.Counter("envoy_listener_ssl_connection_error", labels);
        SslFailVerifyError = registry.Counter("envoy_listener_ssl_fail_verify_error", labels);
        SslFailVerifyNoCert = registry.Counter("envoy_listener_ssl_fail_verify_no_cert", labels);
        SslFailVerifySan = registry.Counter("envoy_listener_ssl_fail_verify_san", labels);
        SslFailVerifyCertHash = registry.Counter("envoy_listener_ssl_fail_verify_cert_hash", labels);
        SslSessionReused = registry.Counter("envoy_listener_ssl_session_reused", labels);
        SslNoCertificate = registry.Counter("envoy_listener_ssl_no_certificate", labels);
        DownstreamConnectionsActive = registry.Gauge("envoy_listener_downstream_cx_active", labels);
        DownstreamPreConnectionsActive = registry.Gauge("envoy_listener_downstream_pre_cx_active", labels);
        DownstreamConnectionsLengthMilliseconds = registry.Histogram("envoy_listener_downstream_cx_length_ms", labels);
    }

    /// <summary>Of the requests that come by this listener to a connection manager.</summary>
    internal ListenerHttpMetrics Http(string statPrefix) => _http.GetOrAdd(statPrefix, prefix => new ListenerHttpMetrics(_registry, prefix, _address));

    /// <summary>
    /// Counts what a handshake agreed on: <c>envoy_listener_ssl_versions</c>, <c>envoy_listener_ssl_ciphers</c>, <c>envoy_listener_ssl_curves</c>,
    /// <c>envoy_listener_ssl_sigalgs</c>.
    /// </summary>
    internal void CountHandshake(Tls.TlsTransportConnection connection)
    {
        CountHandshake(connection.Version, connection.Cipher, connection.PeerCertificate is not null);
        if (connection.Curve.Length > 0)
        {
            Counter("envoy_listener_ssl_curves", "envoy_ssl_curve", connection.Curve).Increment();
        }

        if (connection.PeerSignature.Length > 0)
        {
            Counter("envoy_listener_ssl_sigalgs", "envoy_ssl_sigalg", connection.PeerSignature).Increment();
        }

        if (connection.IsResumed)
        {
            SslSessionReused.Increment();
        }
    }

    /// <summary>Counts a handshake of which no more is known.</summary>
    internal void CountHandshake(string version, string cipher, bool hasPeerCertificate)
    {
        SslHandshake.Increment();
        Counter("envoy_listener_ssl_versions", "envoy_ssl_version", version).Increment();
        Counter("envoy_listener_ssl_ciphers", "envoy_ssl_cipher", cipher).Increment();
        if (!hasPeerCertificate)
        {
            SslNoCertificate.Increment();
        }
    }

    /// <summary>What listeners found where they looked for TLS.</summary>
    internal TlsInspectorMetrics TlsInspector { get; }

    private MetricCounter Counter(string name, string label, string value) =>
        _ssl.GetOrAdd((name, value), key => _registry.Counter(key.Name, MetricLabels.Of(label, key.Value).And("envoy_listener_address", _address)));

    /// <summary><c>envoy_listener_downstream_cx_total</c>: connections accepted.</summary>
    public MetricCounter DownstreamConnectionsTotal { get; }

    /// <summary><c>envoy_listener_downstream_cx_destroy</c>: connections closed.</summary>
    public MetricCounter DownstreamConnectionsDestroy { get; }

    /// <summary><c>envoy_listener_downstream_global_cx_overflow</c>: connections refused because the process has as many as it may.</summary>
    public MetricCounter DownstreamGlobalConnectionsOverflow { get; }

    /// <summary><c>envoy_listener_downstream_cx_overload_reject</c>: connections refused because a resource runs short.</summary>
    public MetricCounter DownstreamConnectionsOverloadReject { get; }

    /// <summary><c>envoy_listener_downstream_cx_overflow</c>: connections refused by a limit of the listener; there is none, so it stays 0.</summary>
    public MetricCounter DownstreamConnectionsOverflow { get; }

    /// <summary><c>envoy_listener_downstream_pre_cx_timeout</c>: connections that did not say in time what they are.</summary>
    public MetricCounter DownstreamPreConnectionsTimeout { get; }

    /// <summary><c>envoy_listener_downstream_cx_transport_socket_connect_timeout</c>: TLS handshakes that were not over in time.</summary>
    public MetricCounter HandshakeTimeout { get; }

    /// <summary><c>envoy_listener_downstream_listener_filter_remote_close</c>: connections that their clients ended before they had said what they are.</summary>
    public MetricCounter ListenerFilterRemoteClose { get; }

    /// <summary><c>envoy_listener_no_filter_chain_match</c>: connections that no filter chain takes.</summary>
    public MetricCounter NoFilterChainMatch { get; }

    /// <summary><c>envoy_listener_ssl_session_reused</c>: of these the ones that went on with an earlier session, where OpenSSL is used directly.</summary>
    public MetricCounter SslSessionReused { get; }

    /// <summary><c>envoy_listener_ssl_handshake</c>: TLS handshakes completed.</summary>
    public MetricCounter SslHandshake { get; }

    /// <summary><c>envoy_listener_ssl_connection_error</c>: TLS handshakes failed.</summary>
    public MetricCounter SslConnectionError { get; }

    /// <summary><c>envoy_listener_ssl_fail_verify_error</c>: client certificates refused.</summary>
    public MetricCounter SslFailVerifyError { get; }

    /// <summary><c>envoy_listener_ssl_fail_verify_no_cert</c>: clients without the certificate they need.</summary>
    public MetricCounter SslFailVerifyNoCert { get; }

    /// <summary><c>envoy_listener_ssl_fail_verify_san</c>: client certificates without a name that is wanted.</summary>
    public MetricCounter SslFailVerifySan { get; }

    /// <summary><c>envoy_listener_ssl_fail_verify_cert_hash</c>: client certificates that are none of those pinned.</summary>
    public MetricCounter SslFailVerifyCertHash { get; }

    /// <summary><c>envoy_listener_ssl_no_certificate</c>: handshakes without a client certificate.</summary>
    public MetricCounter SslNoCertificate { get; }

    /// <summary><c>envoy_listener_downstream_cx_active</c>: connections open.</summary>
    public MetricGauge DownstreamConnectionsActive { get; }

    /// <summary><c>envoy_listener_downstream_pre_cx_active</c>: connections not yet given to a filter chain.</summary>
    public MetricGauge DownstreamPreConnectionsActive { get; }

    /// <summary><c>envoy_listener_downstream_cx_length_ms</c>: how long connections lasted.</summary>
    public MetricHistogram DownstreamConnectionsLengthMilliseconds { get; }
}
