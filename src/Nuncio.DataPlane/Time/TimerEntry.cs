namespace Nuncio.DataPlane.Time;

/// <summary>
/// One deadline that is set and lifted over and over, such as a request's timeout. Embedded in its pooled owner for good: starting, moving and
/// cancelling are one atomic write each, since <see cref="TimerService"/> forgets a lifted deadline only when it comes by.
/// </summary>
/// <remarks>
/// A timer may have begun to fire while its owner cancels it. <see cref="OnTimer"/> therefore gets the number that <see cref="Start"/> returned; the
/// owner compares it, under whatever guards its state, with <see cref="Version"/> (which every start and cancel changes).
/// </remarks>
public abstract class TimerEntry
{
    private const int VersionBits = 24;
    private const long VersionMask = (1L << VersionBits) - 1;
    private const long NeverTick = long.MaxValue >> VersionBits;

    private readonly TimerService _service;

    // Deadline in ticks of the service in the upper bits, version in the lower ones: fire, start and cancel race for this one word.
    private long _state = NeverTick << VersionBits;

    /// <summary>A timer that is not running.</summary>
    protected TimerEntry(TimerService service) => _service = service;

    // The wheel's own, guarded by its lock.
    internal TimerEntry? Next;
    internal TimerEntry? Previous;
    internal long LinkedTick = long.MaxValue;

    /// <summary>The number of the last start or cancel.</summary>
    public int Version => (int)(Volatile.Read(ref _state) & VersionMask);

    /// <summary>It will fire unless cancelled.</summary>
    public bool IsRunning => Volatile.Read(ref _state) >> VersionBits != NeverTick;

    internal long DeadlineTick => Volatile.Read(ref _state) >> VersionBits;

    /// <summary>Fires once after <paramref name="delay"/>, up to two ticks (20 ms) late and never early. A running timer is moved.</summary>
    /// <returns>What <see cref="OnTimer"/> will get.</returns>
    public int Start(TimeSpan delay)
    {
        var tick = _service.DeadlineAfter(delay);
        var version = Replace(tick);
        if (tick < Volatile.Read(ref LinkedTick))
        {
            _service.Link(this, tick);
        }

        return version;
    }

    /// <summary>It will not fire; one that is firing just now gets a number that is no longer <see cref="Version"/>.</summary>
    public void Cancel() => Replace(NeverTick);

    /// <summary>The owner is done with it for good: unlike after <see cref="Cancel"/>, nothing refers to it any longer. No start may be under way.</summary>
    public void End()
    {
        Cancel();
        _service.Remove(this);
    }

    /// <summary>The time is up. On a thread of the pool; must not block and not throw.</summary>
    /// <param name="version">See the remarks of the type.</param>
    protected abstract void OnTimer(int version);

    internal bool TryFire(long now)
    {
        var state = Volatile.Read(ref _state);
        if (state >> VersionBits > now)
        {
            return false;
        }

        // The version stays: the owner can tell this firing from a later start.
        if (Interlocked.CompareExchange(ref _state, (NeverTick << VersionBits) | (state & VersionMask), state) != state)
        {
            return false;
        }

        OnTimer((int)(state & VersionMask));
        return true;
    }

    private int Replace(long tick)
    {
        while (true)
        {
            var state = Volatile.Read(ref _state);
            var version = (state + 1) & VersionMask;
            if (Interlocked.CompareExchange(ref _state, (tick << VersionBits) | version, state) == state)
            {
                return (int)version;
            }
        }
    }
}
