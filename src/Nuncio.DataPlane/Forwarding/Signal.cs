using System.Threading.Tasks.Sources;

namespace Nuncio.DataPlane.Forwarding;

/// <summary>Something one party waits for and another brings about, over and over. Setting it before the wait, or twice, is fine.</summary>
internal sealed class Signal : IValueTaskSource
{
    private const int Idle = 0;
    private const int Waiting = 1;
    private const int Set = 2;

    private ManualResetValueTaskSourceCore<bool> _source = new() { RunContinuationsAsynchronously = true };
    private int _state;

    /// <summary>Forgets an earlier <see cref="Raise"/>; nobody may be waiting.</summary>
    public void Clear() => Volatile.Write(ref _state, Idle);

    /// <summary>Completes at the next <see cref="Raise"/>, or at once after one that nobody has waited for.</summary>
    public ValueTask WaitAsync()
    {
        _source.Reset();
        if (Interlocked.CompareExchange(ref _state, Waiting, Idle) == Set)
        {
            Volatile.Write(ref _state, Idle);
            return default;
        }

        return new ValueTask(this, _source.Version);
    }

    /// <summary>Lets the waiting party go on.</summary>
    public void Raise()
    {
        if (Interlocked.Exchange(ref _state, Set) == Waiting)
        {
            Volatile.Write(ref _state, Idle);
            _source.SetResult(true);
        }
    }

    void IValueTaskSource.GetResult(short token) => _source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);
}
