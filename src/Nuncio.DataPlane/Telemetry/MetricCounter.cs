namespace Nuncio.DataPlane.Telemetry;

/// <summary>A count that only grows. Obtained from <see cref="MetricsRegistry"/>; survives reloads.</summary>
public sealed class MetricCounter
{
    private long _value;

    /// <summary>The count.</summary>
    public long Value => Volatile.Read(ref _value);

    /// <summary>One more.</summary>
    public void Increment() => Interlocked.Increment(ref _value);

    /// <summary>Some more.</summary>
    public void Add(long count)
    {
        if (count != 0)
        {
            Interlocked.Add(ref _value, count);
        }
    }
}

/// <summary>A number that goes up and down.</summary>
public sealed class MetricGauge
{
    private long _value;

    /// <summary>The number now.</summary>
    public long Value => Volatile.Read(ref _value);

    /// <summary>One more; returns the new number.</summary>
    public long Increment() => Interlocked.Increment(ref _value);

    /// <summary>One less.</summary>
    public long Decrement() => Interlocked.Decrement(ref _value);

    /// <summary>Sets it.</summary>
    public void Set(long value) => Volatile.Write(ref _value, value);

    /// <summary>By so much more, or less.</summary>
    public void Add(long change) => Interlocked.Add(ref _value, change);
}
