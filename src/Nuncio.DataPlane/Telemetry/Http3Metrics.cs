namespace Nuncio.DataPlane.Telemetry;

/// <summary>Statistics of the HTTP/3 codec under Envoy's names, <c>envoy_http3_*</c>, of all connections with clients.</summary>
public sealed class Http3Metrics
{
    private Http3Metrics(MetricsRegistry registry)
    {
        ReceivedReset = Counter("rx_reset");
        SentReset = Counter("tx_reset");
        RejectedWithUnderscores = Counter("requests_rejected_with_underscores_in_headers");

        MetricCounter Counter(string name) => registry.Counter("envoy_http3_" + name, MetricLabels.None);
    }

    /// <summary><c>rx_reset</c>: streams that clients reset.</summary>
    public MetricCounter ReceivedReset { get; }

    /// <summary><c>tx_reset</c>: streams that were reset here.</summary>
    public MetricCounter SentReset { get; }

    /// <summary><c>requests_rejected_with_underscores_in_headers</c>: requests refused for a name with an underscore.</summary>
    public MetricCounter RejectedWithUnderscores { get; }

    /// <summary>Those of the connections with clients; the same ones after a reload.</summary>
    public static Http3Metrics OfClients(MetricsRegistry registry)
    {
        ArgumentNullException.ThrowIfNull(registry);
        return new Http3Metrics(registry);
    }
}
