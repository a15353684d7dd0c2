using System.Buffers;
using System.Threading.Tasks.Sources;
using Nuncio.DataPlane.Transport;

namespace Nuncio.DataPlane.Http.Http1;

/// <summary>Hears of a read's result at once, also while nobody waits for it.</summary>
internal interface IHttp1InputObserver
{
    /// <summary>
    /// Bytes came, the peer ended (0) or the connection broke (-1). From any thread, before whoever waits for the bytes goes on; must not block.
    /// </summary>
    void OnInputRead(int read);
}

/// <summary>
/// The bytes received on one connection and not yet consumed, contiguous in one pooled buffer. A read can be started ahead (<see cref="Arm"/>) while
/// the connection's owner does something else, which is how a peer that goes away is noticed at no extra cost: it is the read for the next message.
/// While all is consumed there is no buffer: it is taken when the next bytes are there, so that connections and tunnels that are idle hold none, and a
/// thousand of them, each idle most of the time, share a few that stay in the processor's cache.
/// </summary>
internal sealed class Http1Input : IValueTaskSource<int>
{
    /// <summary>The result of a fill that <see cref="Interrupt"/> ended.</summary>
    public const int Interrupted = -2;

    /// <summary>Fits nearly every message head.</summary>
    public const int SmallBuffer = 4096;

    /// <summary>For bodies and tunnels.</summary>
    public const int LargeBuffer = 65536;

    // What became of the read that is under way.
    private const int Pending = 0;
    private const int Answered = 1;
    private const int LeftPending = 2;
    private const int LeftDone = 3;

    private readonly TransportConnection _transport;
    private readonly IHttp1InputObserver _observer;
    private readonly Action _onRead;
    private ManualResetValueTaskSourceCore<int> _source;
    private System.Runtime.CompilerServices.ValueTaskAwaiter<int> _reading;
    private byte[] _buffer = [];
    private int _nextSize;
    private int _start;
    private int _end;
    private bool _armed;
    private int _outcome;
    private int _leftResult;
    private bool _interrupted;

    public Http1Input(TransportConnection transport, IHttp1InputObserver observer)
    {
        _transport = transport;
        _observer = observer;
        _onRead = OnRead;
    }

    /// <summary>What is there.</summary>
    public ReadOnlySpan<byte> Span => _buffer.AsSpan(_start, _end - _start);

    /// <summary>How many bytes are there.</summary>
    public int Length => _end - _start;

    /// <summary>A read was started ahead and is over; whoever fills next gets its result at once.</summary>
    public bool IsReadOver => _armed && _source.GetStatus(_source.Version) != ValueTaskSourceStatus.Pending;

    /// <summary>A piece of what is there, valid until the next <see cref="FillAsync"/>.</summary>
    public ReadOnlyMemory<byte> Slice(int offset, int length) => new(_buffer, _start + offset, length);

    /// <summary>Drops bytes from the front. The memory stays as it is until the next <see cref="FillAsync"/>.</summary>
    public void Consume(int count) => _start += count;

    /// <summary>Puts bytes in front that were read before the codec took the connection over.</summary>
    public void Prefill(ReadOnlySpan<byte> bytes)
    {
        _buffer = ArrayPool<byte>.Shared.Rent(Math.Max(SmallBuffer, bytes.Length));
        bytes.CopyTo(_buffer);
        _end = bytes.Length;
    }

    /// <summary>Starts a read that goes on while the owner is busy elsewhere; without room for it nothing happens.</summary>
    /// <param name="lent">A piece handed out is still in use: nothing may be moved or overwritten.</param>
    public void Arm(bool lent)
    {
        if (_armed)
        {
            return;
        }

        if (!lent && _start == _end)
        {
            DropBuffer(SmallBuffer);
            StartRead();
        }
        else if (_end < _buffer.Length)
        {
            StartRead();
        }
    }

    /// <summary>The same between messages, when nothing is in use.</summary>
    public void ArmIdle()
    {
        if (!_armed)
        {
            Prepare(SmallBuffer);
            StartRead();
        }
    }

    /// <summary>
    /// Waits for more bytes: the count, 0 at the peer's end, -1 when broken. Makes room first, so pieces handed out before are void.
    /// </summary>
    /// <param name="preferred">The buffer to take once bytes are there, <see cref="SmallBuffer"/> or <see cref="LargeBuffer"/>.</param>
    public ValueTask<int> FillAsync(int preferred)
    {
        if (Volatile.Read(ref _interrupted))
        {
            return new ValueTask<int>(Interrupted);
        }

        if (!_armed)
        {
            Prepare(preferred);
            StartRead();

            // Both sides write before they look: an interruption in between is seen here, or has seen the read.
            Interlocked.MemoryBarrier();
            if (Volatile.Read(ref _interrupted))
            {
                LeaveRead();
            }
        }

        return new ValueTask<int>(this, _source.Version);
    }

    /// <summary>
    /// Ends the pending fill and all later ones with <see cref="Interrupted"/>, from any thread. The connection is not read any more, but its end is still
    /// noticed.
    /// </summary>
    public void Interrupt()
    {
        Interlocked.Exchange(ref _interrupted, true);
        if (Volatile.Read(ref _armed))
        {
            LeaveRead();
        }
    }

    /// <summary>Undoes <see cref="Interrupt"/>, once nobody calls that any more: fills wait for bytes again, first for those of the read that was left.</summary>
    public void Resume()
    {
        Volatile.Write(ref _interrupted, false);
        if (Volatile.Read(ref _outcome) < LeftPending)
        {
            return;
        }

        _source.Reset();
        if (Interlocked.CompareExchange(ref _outcome, Pending, LeftPending) != LeftPending)
        {
            Volatile.Write(ref _outcome, Answered);
            _source.SetResult(_leftResult);
        }
    }

    /// <summary>Gives the buffer back. Only once no read is pending, or the transport is closed.</summary>
    public void Release()
    {
        if (!_armed)
        {
            DropBuffer(SmallBuffer);
        }
    }

    int IValueTaskSource<int>.GetResult(short token)
    {
        var read = _source.GetResult(token);
        if (read == Interrupted)
        {
            // The read itself is still pending in the transport, with our buffer.
            return read;
        }

        _armed = false;
        if (read > 0)
        {
            _end += read;
        }

        return read;
    }

    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<int>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags & ~ValueTaskSourceOnCompletedFlags.UseSchedulingContext);

    private void StartRead()
    {
        _source.Reset();
        Volatile.Write(ref _outcome, Pending);
        Volatile.Write(ref _armed, true);
        Read();
    }

    // Without a buffer it waits until something is there.
    private void Read()
    {
        _reading = _transport.ReadAsync(_buffer.AsMemory(_end)).GetAwaiter();
        if (_reading.IsCompleted)
        {
            OnRead();
        }
        else
        {
            _reading.UnsafeOnCompleted(_onRead);
        }
    }

    private void OnRead()
    {
        var read = _reading.GetResult();
        if (read == 0 && _buffer.Length == 0)
        {
            _buffer = ArrayPool<byte>.Shared.Rent(_nextSize);
            Read();
            return;
        }

        _observer.OnInputRead(read);
        _leftResult = read;
        while (true)
        {
            if (Interlocked.CompareExchange(ref _outcome, Answered, Pending) == Pending)
            {
                _source.SetResult(read);
                return;
            }

            // Else it has just been resumed.
            if (Interlocked.CompareExchange(ref _outcome, LeftDone, LeftPending) == LeftPending)
            {
                return;
            }
        }
    }

    private void LeaveRead()
    {
        if (Interlocked.CompareExchange(ref _outcome, LeftPending, Pending) == Pending)
        {
            _source.SetResult(Interrupted);
        }
    }

    private void DropBuffer(int next)
    {
        _start = _end = 0;
        _nextSize = next;
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
        }
    }

    private void Prepare(int preferred)
    {
        if (_start == _end)
        {
            DropBuffer(preferred);
        }
        else if (_end == _buffer.Length)
        {
            if (_start > 0 && Length <= _buffer.Length / 2)
            {
                Span.CopyTo(_buffer);
                _end -= _start;
                _start = 0;
            }
            else
            {
                Exchange(Math.Max(preferred, _buffer.Length * 2));
            }
        }
    }

    private void Exchange(int size)
    {
        var next = ArrayPool<byte>.Shared.Rent(size);
        Span.CopyTo(next);
        _end -= _start;
        _start = 0;
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
        }

        _buffer = next;
    }
}
