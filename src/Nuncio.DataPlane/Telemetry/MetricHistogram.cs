namespace Nuncio.DataPlane.Telemetry;

/// <summary>A distribution in Envoy's default buckets (for milliseconds; other units use the same bounds there too).</summary>
public sealed class MetricHistogram
{
    private static readonly double[] DefaultBounds =
        [0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 300000, 600000, 1800000, 3600000];

    private readonly long[] _counts = new long[DefaultBounds.Length + 1];
    private long _sum;

    /// <summary>Upper bounds, inclusive, without the infinite one.</summary>
    public static ReadOnlySpan<double> Bounds => DefaultBounds;

    /// <summary>The sum of all recorded values.</summary>
    public long Sum => Volatile.Read(ref _sum);

    /// <summary>Values in one bucket (not cumulative); the last bucket has no bound.</summary>
    public long CountIn(int bucket) => Volatile.Read(ref _counts[bucket]);

    /// <summary>Records a value.</summary>
    public void Record(long value)
    {
        var bucket = 0;
        while (bucket < DefaultBounds.Length && value > DefaultBounds[bucket])
        {
            bucket++;
        }

        Interlocked.Increment(ref _counts[bucket]);
        if (value > 0)
        {
            Interlocked.Add(ref _sum, value);
        }
    }
}
