namespace Nuncio.DataPlane.Health;

/// <summary>What passive checks count of one endpoint; the outlier detector owns them.</summary>
internal sealed class OutlierCounters
{
    public int Consecutive5xx;
    public int ConsecutiveGatewayFailure;
    public int ConsecutiveLocalOriginFailure;
    public SuccessCount Answers;
    public SuccessCount Connections;

    /// <summary>By how many times the base time it is ejected next; grows with each ejection and shrinks with each quiet interval.</summary>
    public int Ejections;

    public long EjectedUntil;

    /// <summary>Its endpoint has left the cluster; what still comes of it counts no more.</summary>
    public bool IsGone;
}

/// <summary>Successes of all since the last evaluation.</summary>
internal struct SuccessCount
{
    private long _all;
    private long _successes;

    public void Add(bool success)
    {
        Interlocked.Increment(ref _all);
        if (success)
        {
            Interlocked.Increment(ref _successes);
        }
    }

    /// <summary>Takes both and begins anew.</summary>
    public (long All, long Successes) Take() => (Interlocked.Exchange(ref _all, 0), Interlocked.Exchange(ref _successes, 0));
}
