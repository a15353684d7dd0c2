using System.Collections.Concurrent;

namespace Nuncio.DataPlane.Telemetry;

/// <summary>
/// All statistics of the proxy under Envoy's names. A series is made at its first use: whoever asks again after a reload gets the same one, so counters
/// never jump. It lives as long as the process, but for a cluster's, which goes with the cluster as in Envoy. Looking up is for binding; the request path
/// keeps the series it needs.
/// </summary>
public sealed class MetricsRegistry
{
    private readonly ConcurrentDictionary<string, MetricFamily> _families = new(StringComparer.Ordinal);

    /// <summary>Somebody is about to read all series: those that are looked up rather than counted are to be set.</summary>
    internal event Action? Collecting;

    /// <summary>Before all series are read.</summary>
    internal void Collect() => Collecting?.Invoke();

    /// <summary>The families, in no particular order.</summary>
    internal ICollection<MetricFamily> Families => _families.Values;

    /// <summary>The counter of that name and labels.</summary>
    /// <param name="name">In Prometheus form, such as <c>envoy_cluster_upstream_rq_total</c>.</param>
    /// <param name="labels">Its labels.</param>
    public MetricCounter Counter(string name, MetricLabels labels) => (MetricCounter)Series(name, MetricKind.Counter, labels, static () => new MetricCounter());

    /// <summary>The gauge of that name and labels.</summary>
    public MetricGauge Gauge(string name, MetricLabels labels) => (MetricGauge)Series(name, MetricKind.Gauge, labels, static () => new MetricGauge());

    /// <summary>The histogram of that name and labels.</summary>
    public MetricHistogram Histogram(string name, MetricLabels labels) =>
        (MetricHistogram)Series(name, MetricKind.Histogram, labels, static () => new MetricHistogram());

    /// <summary>The value of a counter or gauge, or null where there is none; for tests and diagnostics.</summary>
    public long? Find(string name, MetricLabels labels) =>
        !_families.TryGetValue(name, out var family) || !family.Series.TryGetValue(labels.Text, out var series) ? null
        : series switch { MetricCounter c => c.Value, MetricGauge g => g.Value, _ => null };

    /// <summary>Lets go of the series of one family.</summary>
    internal void Forget(string name, MetricLabels labels)
    {
        if (_families.TryGetValue(name, out var family))
        {
            family.Series.TryRemove(labels.Text, out _);
        }
    }

    /// <summary>
    /// Lets go of the series with one of these labels in the families whose names begin so, but for those with one of the other beginnings. One walk for all:
    /// a change may remove thousands of clusters.
    /// </summary>
    internal void Forget(string prefix, HashSet<string> labels, params ReadOnlySpan<string> except)
    {
        foreach (var (name, family) in _families)
        {
            if (name.StartsWith(prefix, StringComparison.Ordinal) && !BeginsWithAny(name, except))
            {
                foreach (var text in labels)
                {
                    family.Series.TryRemove(text, out _);
                }
            }
        }
    }

    /// <summary>Lets go of the series of one family that have one of these labels behind their first one.</summary>
    internal void ForgetBehindFirst(string name, HashSet<string> labels)
    {
        if (!_families.TryGetValue(name, out var family))
        {
            return;
        }

        foreach (var (text, _) in family.Series)
        {
            if (text.IndexOf(',', StringComparison.Ordinal) is > 0 and var comma && labels.Contains(text[(comma + 1)..]))
            {
                family.Series.TryRemove(text, out _);
            }
        }
    }

    private static bool BeginsWithAny(string name, ReadOnlySpan<string> prefixes)
    {
        foreach (var prefix in prefixes)
        {
            if (name.StartsWith(prefix, StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }

    private object Series(string name, MetricKind kind, MetricLabels labels, Func<object> create)
    {
        var family = _families.GetOrAdd(name, static (n, k) => new MetricFamily(n, k), kind);
        return family.Kind == kind
            ? family.Series.GetOrAdd(labels.Text, static (_, make) => make(), create)
            : throw new InvalidOperationException($"'{name}' is a {family.Kind} and was asked for as a {kind}.");
    }
}

internal enum MetricKind : byte
{
    Counter,
    Gauge,
    Histogram,
}

internal sealed record MetricFamily(string Name, MetricKind Kind)
{
    public ConcurrentDictionary<string, object> Series { get; } = new(StringComparer.Ordinal);
}
