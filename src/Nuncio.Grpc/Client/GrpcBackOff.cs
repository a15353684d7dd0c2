namespace Nuncio.Grpc.Client;

/// <summary>
/// How long to wait before the next attempt: random between nothing and a bound that doubles from attempt to attempt, so that many clients of a lost
/// server do not return at the same moment (as Envoy's jittered exponential back-off).
/// </summary>
public sealed class GrpcBackOff
{
    private readonly TimeSpan _first;
    private readonly TimeSpan _maximum;
    private readonly Random _random;
    private TimeSpan _bound;

    /// <summary>Between two bounds.</summary>
    /// <param name="first">The bound of the first wait.</param>
    /// <param name="maximum">What the bound grows to.</param>
    /// <param name="random">Where chance comes from.</param>
    public GrpcBackOff(TimeSpan first, TimeSpan maximum, Random random)
    {
        ArgumentNullException.ThrowIfNull(random);
        _first = first;
        _maximum = maximum;
        _random = random;
        _bound = first;
    }

    /// <summary>From half a second to 30 seconds.</summary>
    public GrpcBackOff()
        : this(TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(30), Random.Shared)
    {
    }

    /// <summary>The next wait.</summary>
    public TimeSpan Next()
    {
        var wait = _bound * _random.NextDouble();
        _bound = _bound * 2 < _maximum ? _bound * 2 : _maximum;
        return wait;
    }

    /// <summary>Begins anew: an attempt succeeded.</summary>
    public void Reset() => _bound = _first;
}
