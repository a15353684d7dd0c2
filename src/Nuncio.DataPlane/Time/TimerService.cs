namespace Nuncio.DataPlane.Time;

/// <summary>
/// Deadlines for everything on the request path. Coarse (10 ms) and cheap: most timeouts never happen, so a timer that is started and cancelled
/// per request stays in the wheel and costs nothing but a look when its old place comes by. Nothing ticks while no timer is linked.
/// </summary>
public sealed class TimerService : IDisposable
{
    /// <summary>The length of a tick.</summary>
    public const int TickMilliseconds = 10;

    private const int Buckets = 1024;

    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly TimerEntry?[] _wheel = new TimerEntry?[Buckets];
    private readonly long _start;
    private readonly long _coarseStart = Environment.TickCount64;
    private readonly bool _isSystem;
    private readonly ITimer _ticker;
    private long _current;
    private int _linked;
    private bool _ticking;
    private bool _disposed;

    /// <summary>A wheel with its own ticker.</summary>
    public TimerService(TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        _time = time;
        _start = time.GetTimestamp();
        _isSystem = ReferenceEquals(time, TimeProvider.System);
        _ticker = time.CreateTimer(static state => ((TimerService)state!).OnTick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The clock behind it.</summary>
    public TimeProvider Time => _time;

    /// <summary>Milliseconds since the service was made: a monotonic clock for durations.</summary>
    public long NowMilliseconds => (long)_time.GetElapsedTime(_start).TotalMilliseconds;

    /// <summary>
    /// The same clock, some milliseconds (at most half a tick) behind or ahead, at a fraction of the cost: for what is set per request and hardly ever looked
    /// at.
    /// </summary>
    public long CoarseMilliseconds => _isSystem ? Environment.TickCount64 - _coarseStart : NowMilliseconds;

    /// <summary>A timer that calls back; for things that live long. What is needed per request derives from <see cref="TimerEntry"/>.</summary>
    public CallbackTimer Create(Action callback) => new(this, callback);

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
        }

        _ticker.Dispose();
    }

    // Rounded up, plus one for the part of the present tick that is already over and for what the coarse clock may be behind: never early.
    internal long DeadlineAfter(TimeSpan delay)
    {
        var milliseconds = delay.Ticks <= 0 ? 0 : (long)Math.Min(delay.TotalMilliseconds, 1e12);
        return ((CoarseMilliseconds + milliseconds + TickMilliseconds - 1) / TickMilliseconds) + 1;
    }

    internal void Link(TimerEntry entry, long tick)
    {
        lock (_gate)
        {
            if (_disposed || tick >= entry.LinkedTick)
            {
                return;
            }

            if (entry.LinkedTick != long.MaxValue)
            {
                Unlink(entry);
            }

            if (!_ticking)
            {
                // Nothing was linked: the wheel need not turn through the time that passed.
                _current = NowMilliseconds / TickMilliseconds;
                _ticking = true;
                _ticker.Change(TimeSpan.FromMilliseconds(TickMilliseconds), TimeSpan.FromMilliseconds(TickMilliseconds));
            }

            Insert(entry, tick);
        }
    }

    /// <summary>Takes an entry out of the wheel at once, so that the wheel no longer holds its owner.</summary>
    internal void Remove(TimerEntry entry)
    {
        lock (_gate)
        {
            // 0 is an entry that is about to fire, which is in no bucket any more.
            if (entry.LinkedTick is not (long.MaxValue or 0))
            {
                Unlink(entry);
            }
        }
    }

    private void Insert(TimerEntry entry, long tick)
    {
        // Further than one turn: looked at when the turn is over, and linked again.
        var at = Math.Clamp(tick, _current + 1, _current + Buckets - 1);
        ref var head = ref _wheel[at & (Buckets - 1)];
        entry.Next = head;
        entry.Previous = null;
        if (head != null)
        {
            head.Previous = entry;
        }

        head = entry;
        Volatile.Write(ref entry.LinkedTick, at);
        _linked++;
    }

    private void Unlink(TimerEntry entry)
    {
        if (entry.Next != null)
        {
            entry.Next.Previous = entry.Previous;
        }

        if (entry.Previous != null)
        {
            entry.Previous.Next = entry.Next;
        }
        else
        {
            _wheel[entry.LinkedTick & (Buckets - 1)] = entry.Next;
        }

        entry.Next = entry.Previous = null;
        Volatile.Write(ref entry.LinkedTick, long.MaxValue);
        _linked--;
    }

    private void OnTick()
    {
        TimerEntry? due = null;
        long now;
        lock (_gate)
        {
            now = NowMilliseconds / TickMilliseconds;
            while (_current < now)
            {
                _current++;
                var entry = _wheel[_current & (Buckets - 1)];
                _wheel[_current & (Buckets - 1)] = null;
                while (entry != null)
                {
                    var next = entry.Next;
                    entry.Next = entry.Previous = null;
                    _linked--;
                    Volatile.Write(ref entry.LinkedTick, long.MaxValue);

                    // The full fence pairs with the one of Start: either it sees that nothing is linked, or the new deadline is seen here.
                    Interlocked.MemoryBarrier();
                    if (entry.DeadlineTick <= now)
                    {
                        entry.Next = due;
                        due = entry;
                        Volatile.Write(ref entry.LinkedTick, 0);
                    }
                    else if (entry.IsRunning)
                    {
                        Insert(entry, entry.DeadlineTick);
                    }

                    entry = next;
                }
            }

            if (_linked == 0 && due == null && _ticking)
            {
                _ticking = false;
                _ticker.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }
        }

        while (due != null)
        {
            var entry = due;
            due = entry.Next;
            entry.Next = null;
            Volatile.Write(ref entry.LinkedTick, long.MaxValue);
            Interlocked.MemoryBarrier();
            if (!entry.TryFire(now) && entry.IsRunning)
            {
                Link(entry, entry.DeadlineTick);
            }
        }
    }
}
