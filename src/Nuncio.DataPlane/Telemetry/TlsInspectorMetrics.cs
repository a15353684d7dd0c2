namespace Nuncio.DataPlane.Telemetry;

/// <summary>What the first bytes of connections were where TLS was looked for, of all listeners together, as Envoy counts it.</summary>
internal sealed class TlsInspectorMetrics(MetricsRegistry registry)
{
    /// <summary><c>envoy_tls_inspector_tls_found</c>: connections that began with a ClientHello.</summary>
    public MetricCounter TlsFound { get; } = registry.Counter("envoy_tls_inspector_tls_found", MetricLabels.None);

    /// <summary><c>envoy_tls_inspector_tls_not_found</c>: connections that began otherwise.</summary>
    public MetricCounter TlsNotFound { get; } = registry.Counter("envoy_tls_inspector_tls_not_found", MetricLabels.None);

    /// <summary><c>envoy_tls_inspector_client_hello_too_large</c>: connections closed because theirs was longer than is read.</summary>
    public MetricCounter ClientHelloTooLarge { get; } = registry.Counter("envoy_tls_inspector_client_hello_too_large", MetricLabels.None);

    /// <summary><c>envoy_tls_inspector_sni_found</c>: ClientHellos with a server name.</summary>
    public MetricCounter SniFound { get; } = registry.Counter("envoy_tls_inspector_sni_found", MetricLabels.None);

    /// <summary><c>envoy_tls_inspector_sni_not_found</c>: those without.</summary>
    public MetricCounter SniNotFound { get; } = registry.Counter("envoy_tls_inspector_sni_not_found", MetricLabels.None);

    /// <summary><c>envoy_tls_inspector_alpn_found</c>: ClientHellos that offer application protocols.</summary>
    public MetricCounter AlpnFound { get; } = registry.Counter("envoy_tls_inspector_alpn_found", MetricLabels.None);

    /// <summary><c>envoy_tls_inspector_alpn_not_found</c>: those that do not.</summary>
    public MetricCounter AlpnNotFound { get; } = registry.Counter("envoy_tls_inspector_alpn_not_found", MetricLabels.None);

    /// <summary>Counts a ClientHello.</summary>
    public void CountHello(bool hasServerName, bool offersProtocols)
    {
        TlsFound.Increment();
        (hasServerName ? SniFound : SniNotFound).Increment();
        (offersProtocols ? AlpnFound : AlpnNotFound).Increment();
    }
}
