using System.Runtime.InteropServices;

namespace Nuncio.DataPlane.Transport.Epoll;

/// <summary>
/// A thread that waits for its sockets and lets whoever waits for one go on, inline. Edge-triggered: each socket is registered once, and a socket is
/// asked for more only when the kernel has said that there is some. Listening sockets are watched by all loops instead, as long as something waits there.
/// </summary>
/// <remarks>
/// Sockets that we connected are watched by an instance of their own, within the other, and come before those that we accepted: few requests, then the
/// answers that are there. A thousand busy clients would otherwise be a thousand requests under way, where some dozens do, and the memory of each would be
/// gone from the processor's cache before it is needed next.
/// </remarks>
internal sealed class EpollLoop
{
    // Of each kind at once. What is flushed together waits for the others; not for too many.
    private const int BatchSize = 64;

    // What upstreams send without end must leave clients their turn.
    private const int ConnectedBatches = 4;

    // A millisecond's worth, in which the processor's cache stays warm for them and the kernel need not be asked for each.
    private const int DeferredPerTurn = 4;
    private const long WakeData = -1;
    private const long ConnectedData = -2;

    [ThreadStatic]
    private static EpollLoop? current;

    private readonly int _epoll;
    private readonly int _connected;
    private readonly int _wake;
    private readonly byte[] _events = new byte[BatchSize * LinuxSockets.EventSize];
    private readonly Lock _gate = new();
    private readonly Stack<int> _free = new();
    private IEpollTarget?[] _targets = new IEpollTarget?[64];
    private int _used;
    private List<IEpollTarget> _posted = [];
    private List<IEpollTarget> _taken = [];

    // Of the loop's thread alone.
    private readonly Queue<Action> _deferred = new();

    private EpollLoop(int epoll, int connected, int wake)
    {
        _epoll = epoll;
        _connected = connected;
        _wake = wake;
    }

    /// <summary>The loop whose thread this is; null elsewhere.</summary>
    public static EpollLoop? Current => current;

    /// <summary>A running loop; null where the system gives none.</summary>
    public static EpollLoop? Start(int number)
    {
        var epoll = LinuxSockets.CreateEpoll();
        var connected = epoll < 0 ? -1 : LinuxSockets.CreateEpoll();
        var wake = connected < 0 ? -1 : LinuxSockets.CreateEvent();
        if (wake < 0 || LinuxSockets.Watch(epoll, wake, LinuxSockets.EventIn, WakeData) < 0
            || LinuxSockets.Watch(epoll, connected, LinuxSockets.EventIn, ConnectedData) < 0)
        {
            LinuxSockets.Close(wake);
            LinuxSockets.Close(connected);
            LinuxSockets.Close(epoll);
            return null;
        }

        var loop = new EpollLoop(epoll, connected, wake);
        new Thread(loop.Run) { IsBackground = true, Name = $"sockets {number}" }.Start();
        return loop;
    }

    /// <summary>Begins to watch a socket for <paramref name="events"/>. False when the system does not let us.</summary>
    /// <param name="target">Is told what is heard of it.</param>
    /// <param name="descriptor">The socket.</param>
    /// <param name="events">What is of interest.</param>
    /// <param name="connected">We connected it, and what it brings answers something: it has its turn among those.</param>
    /// <param name="slot">For <see cref="Remove"/>.</param>
    public bool TryAdd(IEpollTarget target, int descriptor, uint events, bool connected, out int slot)
    {
        lock (_gate)
        {
            if (!_free.TryPop(out slot))
            {
                slot = _used++;
                if (slot == _targets.Length)
                {
                    // The thread of the loop may be looking at the old one, which is as good for all that it knows of.
                    var bigger = new IEpollTarget?[slot * 2];
                    _targets.CopyTo(bigger, 0);
                    Volatile.Write(ref _targets, bigger);
                }
            }

            Volatile.Write(ref _targets[slot], target);
        }

        if (LinuxSockets.Watch(connected ? _connected : _epoll, descriptor, events, slot) == 0)
        {
            return true;
        }

        Remove(slot);
        return false;
    }

    /// <summary>
    /// Forgets a socket, which is closed next: that ends its registration. An event of it that is still on its way may meet the slot's next owner, who
    /// then looks once in vain.
    /// </summary>
    public void Remove(int slot)
    {
        lock (_gate)
        {
            _targets[slot] = null;
            _free.Push(slot);
        }
    }

    /// <summary>Forgets a socket that was not connected by us and stays open.</summary>
    public void RemoveWatched(int slot, int descriptor)
    {
        LinuxSockets.Unwatch(_epoll, descriptor);
        Remove(slot);
    }

    /// <summary>Has <see cref="IEpollTarget.OnPosted"/> called on the loop's thread, after the events that are there.</summary>
    public void Post(IEpollTarget target)
    {
        lock (_gate)
        {
            _posted.Add(target);
        }

        if (current != this)
        {
            LinuxSockets.Signal(_wake);
        }
    }

    /// <summary>
    /// Calls <paramref name="action"/>, which must not throw, when its turn comes: each turn of the loop ends with a few of those that were deferred, the oldest
    /// first. On the loop's thread only.
    /// </summary>
    public void Defer(Action action) => _deferred.Enqueue(action);

    private void Run()
    {
        current = this;
        var hasPosted = false;
        FlushBatch.Enter();
        while (true)
        {
            // Where more is waiting than was taken, connected sockets may be among it, or behind it.
            var count = LinuxSockets.Wait(_epoll, _events, hasPosted || _deferred.Count > 0 ? 0 : Timeout.Infinite);
            if (Dispatch(count) || count == BatchSize)
            {
                DispatchConnected();
            }

            RunPosted();
            FlushBatch.FlushAll();
            for (var left = Math.Min(_deferred.Count, DeferredPerTurn); left > 0; left--)
            {
                _deferred.Dequeue()();
                FlushBatch.FlushAll();
            }

            // Looked at last: what a flush posts to this loop is not signalled, for the loop is not asleep yet. Those that yield come after the events
            // that have arrived meanwhile.
            lock (_gate)
            {
                hasPosted = _posted.Count > 0;
            }
        }
    }

    // More answers than requests: with as many of each, the number of requests under way would stay at whatever it has ever been.
    private void DispatchConnected()
    {
        var count = BatchSize;
        for (var batches = 0; count == BatchSize && batches < ConnectedBatches; batches++)
        {
            FlushBatch.FlushAll();
            count = LinuxSockets.Wait(_connected, _events, 0);
            Dispatch(count);
        }
    }

    // True: connected sockets have something.
    private bool Dispatch(int count)
    {
        var connected = false;
        for (var i = 0; i < count; i++)
        {
            var record = _events.AsSpan(i * LinuxSockets.EventSize);
            var data = MemoryMarshal.Read<long>(record[LinuxSockets.EventDataOffset..]);
            if (data == WakeData)
            {
                LinuxSockets.Clear(_wake);
            }
            else if (data == ConnectedData)
            {
                connected = true;
            }
            else
            {
                Volatile.Read(ref Volatile.Read(ref _targets)[data])?.OnEvents(MemoryMarshal.Read<uint>(record));
            }
        }

        return connected;
    }

    private void RunPosted()
    {
        lock (_gate)
        {
            if (_posted.Count == 0)
            {
                return;
            }

            (_posted, _taken) = (_taken, _posted);
        }

        foreach (var target in _taken)
        {
            target.OnPosted();
        }

        _taken.Clear();
    }
}
