using Nuncio.DataPlane.Telemetry;

namespace Nuncio.DataPlane.Listening;

/// <summary>How many connections a filter chain serves at once (envoy.filters.network.connection_limit). Lives as long as its message stays the same.</summary>
internal sealed class ConnectionLimit
{
    private readonly ulong _most;
    private readonly MetricCounter _limited;
    private readonly MetricGauge _active;
    private long _open;

    public ConnectionLimit(string statPrefix, ulong most, TimeSpan delay, MetricsRegistry metrics)
    {
        _most = most;
        Delay = delay;
        var labels = MetricLabels.Of("envoy_connection_limit_prefix", statPrefix);
        _limited = metrics.Counter("envoy_connection_limit_limited_connections", labels);
        _active = metrics.Gauge("envoy_connection_limit_active_connections", labels);
    }

    /// <summary>How long a connection too many is kept waiting before it is closed.</summary>
    public TimeSpan Delay { get; }

    /// <summary>One more; false when there are too many. Each success is followed by <see cref="Remove"/>.</summary>
    public bool TryAdd()
    {
        if ((ulong)Interlocked.Increment(ref _open) > _most)
        {
            Interlocked.Decrement(ref _open);
            _limited.Increment();
            return false;
        }

        _active.Increment();
        return true;
    }

    /// <summary>One less.</summary>
    public void Remove()
    {
        Interlocked.Decrement(ref _open);
        _active.Decrement();
    }
}
