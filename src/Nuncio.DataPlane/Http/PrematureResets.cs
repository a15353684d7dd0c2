namespace Nuncio.DataPlane.Http;

/// <summary>
/// Finds out a connection whose client resets its requests as soon as it has sent them (rapid reset, CVE-2023-44487), by Envoy's rule: at least half of its
/// requests, of no fewer than 500, are reset within a second and before a response.
/// </summary>
internal sealed class PrematureResets
{
    /// <summary>
    /// Envoy's runtime defaults <c>overload.premature_reset_total_stream_count</c> and <c>overload.premature_reset_min_stream_lifetime_seconds</c>.
    /// </summary>
    private const long StreamCount = 500;

    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(1);

    private readonly TimeProvider _time;
    private long _requests;
    private long _resets;

    public PrematureResets(TimeProvider time) => _time = time;

    /// <summary>A request is over.</summary>
    public void CountRequest() => Interlocked.Increment(ref _requests);

    /// <summary>A client has reset a request; true when its connection shall end for it.</summary>
    /// <param name="isAnswered">A response had begun.</param>
    /// <param name="started">When the request came.</param>
    public bool IsAttack(bool isAnswered, long started)
    {
        if (!isAnswered && _time.GetElapsedTime(started) <= Lifetime)
        {
            Interlocked.Increment(ref _resets);
        }

        return Interlocked.Read(ref _resets) * 2 >= Math.Max(Interlocked.Read(ref _requests), StreamCount);
    }
}
