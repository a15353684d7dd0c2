using System.Net;
using System.Net.Sockets;

namespace Nuncio.DataPlane.Transport.Epoll;

/// <summary>
/// A TCP connection that is read and written by system calls of our own and waited for by an <see cref="EpollLoop"/>. What the platform's engine does
/// besides is left out: a read that was not filled is not tried again before the kernel reports more.
/// </summary>
/// <remarks>
/// Each direction counts the kernel's reports and remembers at which of them it ran dry; it is ready when the counts differ. Whoever waits says so first
/// and looks at the counts then, the loop counts first and looks for somebody waiting then: one of them sees the other, and who takes the wait
/// over by exchange does the work.
/// </remarks>
internal sealed class EpollTransportConnection : TransportConnection, IEpollTarget
{
    // After so many reads that did not have to wait, others get their turn.
    private const int MaxReadsInARow = 32;

    private const uint Watched = LinuxSockets.EventIn | LinuxSockets.EventOut | LinuxSockets.EventPeerClosed | LinuxSockets.EventEdge;

    private const int Idle = 0;
    private const int Waiting = 1;
    private const int Taken = 2;

    private readonly EpollOperation<int> _read = new();
    private readonly EpollOperation<bool> _write = new();
    private readonly Socket? _socket;
    private readonly int _descriptor;
    private readonly EpollLoop _loop;
    private readonly int _slot;

    private Memory<byte> _readBuffer;
    private int _readState;
    private int _readReports;
    private int _readDryAt;
    private int _readsInARow;
    private int _endReports;
    private int _endsDismissed;

    private ReadOnlyMemory<byte> _writeBuffer;
    private int _writeState;
    private int _writeReports;
    private int _writeFullAt;

    // How many system calls are under way; below 0 once the connection is aborted, and the descriptor closes with the last of them.
    private int _calls;
    private int _aborted;
    private int _closed;
    private volatile bool _shutDown;

    // Of a socket object it is closed through that.
    private EpollTransportConnection(Socket? socket, int descriptor, EpollLoop loop, IPEndPoint remote, IPEndPoint local, bool connected)
    {
        _socket = socket;
        _loop = loop;
        _descriptor = descriptor;
        RemoteEndPoint = remote;
        LocalEndPoint = local;
        _writeFullAt = connected ? -1 : 0;
        IsWatched = loop.TryAdd(this, _descriptor, Watched, connected: !connected, out _slot);
    }

    /// <inheritdoc/>
    public override IPEndPoint RemoteEndPoint { get; }

    /// <inheritdoc/>
    public override IPEndPoint LocalEndPoint { get; }

    /// <inheritdoc/>
    public override bool HasPeerHungUp
    {
        get
        {
            // The report alone may have been meant for the slot's last owner.
            var ends = Volatile.Read(ref _endReports);
            if (ends == _endsDismissed || !BeginCall())
            {
                return ends != _endsDismissed;
            }

            var isAtEnd = LinuxSockets.IsAtEnd(_descriptor);
            EndCall();
            return isAtEnd;
        }
    }

    private bool IsWatched { get; }

    private bool IsReadable => _readDryAt != Volatile.Read(ref _readReports) || _endsDismissed != Volatile.Read(ref _endReports);

    /// <summary>Takes over a connected socket on which the platform's engine has done nothing yet.</summary>
    /// <exception cref="SocketException">It is closed already, or the system has no room to watch it.</exception>
    public static EpollTransportConnection Of(Socket socket)
    {
        var connection = new EpollTransportConnection(
            socket,
            DescriptorOf(socket),
            EpollLoops.Choose(),
            Unmapped((IPEndPoint)socket.RemoteEndPoint!),
            Unmapped((IPEndPoint)socket.LocalEndPoint!),
            connected: true);
        return connection.IsWatched ? connection : throw new SocketException((int)SocketError.NoBufferSpaceAvailable);
    }

    /// <summary>
    /// Takes over a connected socket that does not block. Null when it is broken already or the system has no room to watch it; it is still the caller's then.
    /// </summary>
    public static EpollTransportConnection? Of(int descriptor, IPEndPoint remote)
    {
        if (LinuxSockets.LocalEndPoint(descriptor) is not { } local)
        {
            return null;
        }

        var connection = new EpollTransportConnection(null, descriptor, EpollLoops.Next(), Unmapped(remote), Unmapped(local), connected: true);
        return connection.IsWatched ? connection : null;
    }

    /// <summary>Takes over a socket that is connecting; <see cref="WaitUntilConnectedAsync"/> comes next. Null when the system has no room to watch it.</summary>
    public static EpollTransportConnection? Connecting(Socket socket, IPEndPoint remote)
    {
        var descriptor = DescriptorOf(socket);
        var local = LinuxSockets.LocalEndPoint(descriptor) ?? new IPEndPoint(IPAddress.Any, 0);
        var connection = new EpollTransportConnection(socket, descriptor, EpollLoops.Choose(), remote, Unmapped(local), connected: false);
        return connection.IsWatched ? connection : null;
    }

    /// <summary>Completes when connecting is over; whether it succeeded is for the socket to say. False when aborted.</summary>
    public ValueTask<bool> WaitUntilConnectedAsync() => WriteAsync(ReadOnlyMemory<byte>.Empty);

    /// <inheritdoc/>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer)
    {
        // On the loop that accepted it too, which may be another's: whoever has that many reads in a row goes on in turn with its own loop's.
        var yields = !buffer.IsEmpty && EpollLoop.Current is not null && ++_readsInARow > MaxReadsInARow;
        if (!yields && TryReceive(buffer.Span, out var count))
        {
            return new ValueTask<int>(count);
        }

        _readBuffer = buffer;
        var pending = _read.Begin();
        Interlocked.Exchange(ref _readState, Waiting);
        if (yields)
        {
            _loop.Post(this);
            return pending;
        }

        while (IsReadable || Volatile.Read(ref _calls) < 0)
        {
            if (Interlocked.CompareExchange(ref _readState, Taken, Waiting) != Waiting)
            {
                return pending;
            }

            if (TryReceive(buffer.Span, out count))
            {
                _readBuffer = default;
                Volatile.Write(ref _readState, Idle);
                return new ValueTask<int>(count);
            }

            Interlocked.Exchange(ref _readState, Waiting);
        }

        return pending;
    }

    /// <inheritdoc/>
    public override ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> buffer)
    {
        if (TrySend(ref buffer, out var sent))
        {
            return new ValueTask<bool>(sent);
        }

        _writeBuffer = buffer;
        var pending = _write.Begin();
        Interlocked.Exchange(ref _writeState, Waiting);
        while (_writeFullAt != Volatile.Read(ref _writeReports) || Volatile.Read(ref _calls) < 0)
        {
            if (Interlocked.CompareExchange(ref _writeState, Taken, Waiting) != Waiting)
            {
                return pending;
            }

            if (TrySend(ref _writeBuffer, out sent))
            {
                _writeBuffer = default;
                Volatile.Write(ref _writeState, Idle);
                return new ValueTask<bool>(sent);
            }

            Interlocked.Exchange(ref _writeState, Waiting);
        }

        return pending;
    }

    /// <inheritdoc/>
    public override ValueTask ShutdownWriteAsync()
    {
        _shutDown = true;
        if (BeginCall())
        {
            // Where it fails the peer was faster; the reader sees it.
            LinuxSockets.ShutdownSending(_descriptor);
            EndCall();
        }

        return default;
    }

    /// <inheritdoc/>
    public override void Abort()
    {
        if (Interlocked.Exchange(ref _aborted, 1) != 0)
        {
            return;
        }

        if (!_shutDown && Volatile.Read(ref _readState) != Idle)
        {
            // In the middle of a conversation: the peer must not take it for its end.
            if (BeginCall())
            {
                LinuxSockets.SetReset(_descriptor);
                EndCall();
            }
        }

        if (Interlocked.Add(ref _calls, int.MinValue) == int.MinValue)
        {
            Close();
        }

        // Who waits is told on the loop's thread: who aborts may hold a lock.
        _loop.Post(this);
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        NoteEndByUs();
        if (Volatile.Read(ref _aborted) == 0)
        {
            // Closing alone would be a reset where bytes of the peer's are unread; after the end the peer has seen that we were done.
            await ShutdownWriteAsync();
        }

        Abort();
    }

    void IEpollTarget.OnEvents(uint events)
    {
        const uint Broken = LinuxSockets.EventHangUp | LinuxSockets.EventError;
        _readsInARow = 0;
        if ((events & (LinuxSockets.EventIn | LinuxSockets.EventPeerClosed | Broken)) != 0)
        {
            if ((events & (LinuxSockets.EventPeerClosed | Broken)) != 0)
            {
                // Nothing more will be reported: from now on only a system call tells how far reading has come.
                Interlocked.Increment(ref _endReports);
            }

            Interlocked.Increment(ref _readReports);
            FinishRead();
        }

        if ((events & (LinuxSockets.EventOut | Broken)) != 0)
        {
            Interlocked.Increment(ref _writeReports);
            FinishWrite();
        }
    }

    // It was aborted, or gives others their turn.
    void IEpollTarget.OnPosted()
    {
        _readsInARow = 0;
        FinishRead();
        FinishWrite();
    }

    private void FinishRead()
    {
        while (Interlocked.CompareExchange(ref _readState, Taken, Waiting) == Waiting)
        {
            if (TryReceive(_readBuffer.Span, out var count))
            {
                _readBuffer = default;
                Volatile.Write(ref _readState, Idle);
                _read.SetResult(count);
                return;
            }

            Interlocked.Exchange(ref _readState, Waiting);
            if (!IsReadable && Volatile.Read(ref _calls) >= 0)
            {
                return;
            }
        }
    }

    private void FinishWrite()
    {
        while (Interlocked.CompareExchange(ref _writeState, Taken, Waiting) == Waiting)
        {
            if (TrySend(ref _writeBuffer, out var sent))
            {
                _writeBuffer = default;
                Volatile.Write(ref _writeState, Idle);
                _write.SetResult(sent);
                return;
            }

            Interlocked.Exchange(ref _writeState, Waiting);
            if (_writeFullAt == Volatile.Read(ref _writeReports) && Volatile.Read(ref _calls) >= 0)
            {
                return;
            }
        }
    }

    // False: nothing is there.
    private bool TryReceive(Span<byte> buffer, out int count)
    {
        count = 0;
        while (true)
        {
            var reports = Volatile.Read(ref _readReports);
            var ends = Volatile.Read(ref _endReports);
            if (Volatile.Read(ref _calls) < 0)
            {
                count = -1;
                return true;
            }

            if (_readDryAt == reports && _endsDismissed == ends)
            {
                return false;
            }

            if (buffer.IsEmpty)
            {
                // Or nothing any more; who comes with a buffer next will see.
                return true;
            }

            if (!BeginCall())
            {
                count = -1;
                return true;
            }

            var result = LinuxSockets.Receive(_descriptor, buffer);
            EndCall();
            if (result >= 0)
            {
                if (result == 0)
                {
                    NoteEndByPeer();
                }
                else if (result < buffer.Length)
                {
                    _readDryAt = reports;
                }

                count = result;
                return true;
            }

            if (result == -LinuxSockets.Again)
            {
                // An end that is reported from here on is not among those that were meant for another.
                _readDryAt = reports;
                _endsDismissed = ends;
            }
            else if (result != -LinuxSockets.Interrupted)
            {
                NoteEndByPeer();
                count = -1;
                return true;
            }
        }
    }

    // False: the system takes no more now, and buffer is what is left.
    private bool TrySend(ref ReadOnlyMemory<byte> buffer, out bool sent)
    {
        while (true)
        {
            var reports = Volatile.Read(ref _writeReports);
            sent = Volatile.Read(ref _calls) >= 0;
            if (!sent)
            {
                return true;
            }

            if (_writeFullAt == reports)
            {
                return false;
            }

            if (buffer.IsEmpty)
            {
                return true;
            }

            sent = BeginCall();
            if (!sent)
            {
                return true;
            }

            var result = LinuxSockets.Send(_descriptor, buffer.Span);
            EndCall();
            if (result >= 0)
            {
                buffer = buffer[result..];
            }
            else if (result == -LinuxSockets.Again)
            {
                _writeFullAt = reports;
            }
            else if (result != -LinuxSockets.Interrupted)
            {
                NoteEndByPeer();
                sent = false;
                return true;
            }
        }
    }

    private bool BeginCall()
    {
        if (Interlocked.Increment(ref _calls) > 0)
        {
            return true;
        }

        EndCall();
        return false;
    }

    private void EndCall()
    {
        if (Interlocked.Decrement(ref _calls) == int.MinValue)
        {
            Close();
        }
    }

    private void Close()
    {
        if (Interlocked.Exchange(ref _closed, 1) == 0)
        {
            if (IsWatched)
            {
                _loop.Remove(_slot);
            }

            if (_socket is not null)
            {
                _socket.Dispose();
            }
            else
            {
                LinuxSockets.Close(_descriptor);
            }
        }
    }

    private static int DescriptorOf(Socket socket) => (int)socket.SafeHandle.DangerousGetHandle();
}
