using System.Net.Sockets;

namespace Nuncio.DataPlane.Transport.Epoll;

/// <summary>
/// Accepts on the loops themselves: no thread in between, no socket object. Each loop watches the listening socket, the kernel wakes one of them for a
/// connection, and the connections go to the loops in turn, whichever accepts.
/// </summary>
internal sealed class EpollAcceptor
{
    // What else the loop has to do comes in between.
    private const int MaxInARow = 32;
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan TellDelay = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly SafeSocketHandle _handle;
    private readonly Action<IncomingSocket> _accepted;
    private readonly Action<int> _failed;
    private readonly TimeProvider _time;
    private readonly List<Watch> _watches = [];
    private volatile bool _closed;
    private long? _lastTold;

    private EpollAcceptor(Socket listening, Action<IncomingSocket> accepted, Action<int> failed, TimeProvider time)
    {
        _handle = listening.SafeHandle;
        _accepted = accepted;
        _failed = failed;
        _time = time;
    }

    /// <summary>Begins to accept. Null where no loop can watch the socket.</summary>
    /// <param name="listening">Listens already; stays the caller's.</param>
    /// <param name="accepted">Takes over what is accepted, on the thread of any loop, several at a time.</param>
    /// <param name="failed">Is told the error (&lt;errno.h&gt;) of an attempt that failed, once a second at most; the next is made a moment later.</param>
    /// <param name="time">Measures that moment.</param>
    public static EpollAcceptor? Start(Socket listening, Action<IncomingSocket> accepted, Action<int> failed, TimeProvider time)
    {
        listening.Blocking = false;
        var acceptor = new EpollAcceptor(listening, accepted, failed, time);
        lock (acceptor._gate)
        {
            foreach (var loop in EpollLoops.All)
            {
                var watch = new Watch(acceptor, loop);
                if (watch.TryBegin())
                {
                    acceptor._watches.Add(watch);
                }
            }

            return acceptor._watches.Count > 0 ? acceptor : null;
        }
    }

    /// <summary>Stops, once what waits in the kernel's queue is accepted. The listening socket can be closed then.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _closed = true;
            _watches.ForEach(static watch => watch.End());
        }

        while (TryAcceptSome(isClosing: true, out _))
        {
        }
    }

    // True: there may be more. The error of an attempt that failed, else 0.
    private bool TryAcceptSome(bool isClosing, out int error)
    {
        error = 0;
        var isHeld = false;
        try
        {
            // The descriptor of a socket that is closed may be somebody else's the next moment.
            _handle.DangerousAddRef(ref isHeld);
            var descriptor = (int)_handle.DangerousGetHandle();
            for (var i = 0; i < MaxInARow && (isClosing || !_closed); i++)
            {
                var result = LinuxSockets.Accept(descriptor, out var remote);
                if (result >= 0)
                {
                    _accepted(new IncomingSocket(result, remote));
                }
                else if (!LinuxSockets.IsOfOneConnection(-result))
                {
                    error = result == -LinuxSockets.Again ? 0 : -result;
                    return false;
                }
            }

            return true;
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
        finally
        {
            if (isHeld)
            {
                _handle.DangerousRelease();
            }
        }
    }

    private async Task PauseAsync(Watch watch, int error)
    {
        bool tells;
        lock (_gate)
        {
            if (_closed)
            {
                return;
            }

            // What cannot be accepted now, for want of descriptors for instance, would be reported over and over.
            watch.End();

            // Every loop meets the same want, and a log that a client can fill is another way to harm.
            tells = _lastTold is not { } last || _time.GetElapsedTime(last) >= TellDelay;
            if (tells)
            {
                _lastTold = _time.GetTimestamp();
            }
        }

        if (tells)
        {
            _failed(error);
        }

        while (true)
        {
            await Task.Delay(RetryDelay, _time);
            lock (_gate)
            {
                if (_closed || watch.TryBegin())
                {
                    return;
                }
            }
        }
    }

    private sealed class Watch(EpollAcceptor acceptor, EpollLoop loop) : IEpollTarget
    {
        private int _slot;
        private bool _begun;

        public bool TryBegin()
        {
            if (_begun)
            {
                return true;
            }

            var isHeld = false;
            try
            {
                acceptor._handle.DangerousAddRef(ref isHeld);
                var descriptor = (int)acceptor._handle.DangerousGetHandle();
                return _begun = loop.TryAdd(this, descriptor, LinuxSockets.EventIn | LinuxSockets.EventExclusive, connected: false, out _slot);
            }
            catch (ObjectDisposedException)
            {
                return false;
            }
            finally
            {
                if (isHeld)
                {
                    acceptor._handle.DangerousRelease();
                }
            }
        }

        public void End()
        {
            if (!_begun)
            {
                return;
            }

            _begun = false;
            var isHeld = false;
            try
            {
                acceptor._handle.DangerousAddRef(ref isHeld);
                loop.RemoveWatched(_slot, (int)acceptor._handle.DangerousGetHandle());
            }
            catch (ObjectDisposedException)
            {
                loop.Remove(_slot);
            }
            finally
            {
                if (isHeld)
                {
                    acceptor._handle.DangerousRelease();
                }
            }
        }

        void IEpollTarget.OnEvents(uint events)
        {
            if (!acceptor.TryAcceptSome(isClosing: false, out var error) && error != 0)
            {
                _ = acceptor.PauseAsync(this, error);
            }
        }

        void IEpollTarget.OnPosted()
        {
        }
    }
}
