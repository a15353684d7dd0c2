namespace Nuncio.DataPlane.Time;

/// <summary>Is told that a <see cref="LazyDeadline"/> has passed.</summary>
public interface IDeadlineOwner
{
    /// <summary>On a thread of the pool; must not block. The deadline may have been moved in this very moment: check the state it stands for.</summary>
    void OnDeadline();
}

/// <summary>
/// A deadline that moves all the time and is hardly ever met, such as a connection's idle timeout. Moving it further away only writes a number; the
/// timer behind it looks at the number when it fires and goes on with what is left.
/// </summary>
public sealed class LazyDeadline : TimerEntry
{
    private readonly TimerService _service;
    private readonly IDeadlineOwner _owner;
    private long _deadline = long.MaxValue;
    private long _timerAt = long.MaxValue;

    /// <summary>No deadline yet.</summary>
    public LazyDeadline(TimerService service, IDeadlineOwner owner)
        : base(service)
    {
        ArgumentNullException.ThrowIfNull(service);
        _service = service;
        _owner = owner;
    }

    /// <summary>Moves it to <paramref name="delay"/> from now.</summary>
    public void Set(TimeSpan delay)
    {
        var deadline = _service.CoarseMilliseconds + (long)delay.TotalMilliseconds;

        // A full fence on both sides: either the timer sees the new deadline, or this sees that the timer no longer runs.
        Interlocked.Exchange(ref _deadline, deadline);
        if (deadline < Volatile.Read(ref _timerAt))
        {
            Volatile.Write(ref _timerAt, deadline);
            Start(delay);
        }
    }

    /// <summary>No deadline; the timer may still look in once.</summary>
    public void Clear() => Volatile.Write(ref _deadline, long.MaxValue);

    /// <inheritdoc/>
    protected override void OnTimer(int version)
    {
        Interlocked.Exchange(ref _timerAt, long.MaxValue);
        var deadline = Volatile.Read(ref _deadline);
        if (deadline == long.MaxValue)
        {
            return;
        }

        var left = deadline - _service.NowMilliseconds;
        if (left > 0)
        {
            Volatile.Write(ref _timerAt, deadline);
            Start(TimeSpan.FromMilliseconds(left));
            return;
        }

        _owner.OnDeadline();
    }
}
