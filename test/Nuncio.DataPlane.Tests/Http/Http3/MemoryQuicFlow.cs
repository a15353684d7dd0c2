namespace Nuncio.DataPlane.Tests.Http.Http3;

/// <summary>One direction of a stream in memory. Its writer waits where a window is set and used up; who waits is limited by the test.</summary>
internal sealed class MemoryQuicFlow
{
    private readonly Lock _gate = new();
    private readonly Queue<ReadOnlyMemory<byte>> _pieces = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _unread;
    private bool _ended;
    private bool _lost;

    /// <summary>How many unread bytes make a writer wait.</summary>
    public long Window { get; set; } = long.MaxValue;

    /// <summary>Bytes that were read.</summary>
    public long Read { get; private set; }

    /// <summary>Bytes that were written.</summary>
    public long Written { get; private set; }

    /// <summary>What its writer gave up with.</summary>
    public long? ResetCode { get; private set; }

    /// <summary>What its reader gave up with.</summary>
    public long? StopCode { get; private set; }

    /// <summary>Its writer has ended it, or it is over in another way.</summary>
    public bool IsOver
    {
        get
        {
            lock (_gate) return _ended || IsBroken;
        }
    }

    /// <summary>Ended, and read to the end.</summary>
    public bool IsReadToEnd
    {
        get
        {
            lock (_gate) return _ended && _unread == 0 && !IsBroken;
        }
    }

    private bool IsBroken => ResetCode is not null || StopCode is not null || _lost;

    public async ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> data, bool end)
    {
        var rest = (ReadOnlyMemory<byte>)data.ToArray();
        while (true)
        {
            Task change;
            lock (_gate)
            {
                if (IsBroken || _ended) return false;
                var part = (int)Math.Min(rest.Length, Window - _unread);
                if (part > 0)
                {
                    _pieces.Enqueue(rest[..part]);
                    rest = rest[part..];
                    _unread += part;
                    Written += part;
                }

                if (rest.IsEmpty) _ended |= end;
                Pulse();
                if (rest.IsEmpty) return true;
                change = _changed.Task;
            }

            await change;
        }
    }

    /// <summary>As a stream is read: 0 at the end, negative when it is broken. What was written before a connection is lost can be read where said so.</summary>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, bool drains)
    {
        while (true)
        {
            Task change;
            lock (_gate)
            {
                if (IsBroken && !(drains && _unread > 0)) return -1;
                if (_unread > 0)
                {
                    if (buffer.IsEmpty) return 0;
                    var piece = _pieces.Peek();
                    var length = Math.Min(piece.Length, buffer.Length);
                    piece[..length].CopyTo(buffer);
                    _pieces.Dequeue();
                    if (length < piece.Length) PutBack(piece[length..]);
                    _unread -= length;
                    Read += length;
                    Pulse();
                    return length;
                }

                if (_ended) return 0;
                change = _changed.Task;
            }

            await change;
        }
    }

    /// <summary>Waits until a read would not have to; false where it would fail.</summary>
    public async ValueTask<bool> WaitAsync()
    {
        while (true)
        {
            Task change;
            lock (_gate)
            {
                if (IsBroken) return false;
                if (_unread > 0 || _ended) return true;
                change = _changed.Task;
            }

            await change;
        }
    }

    /// <summary>Its writer gives up; false when it was over.</summary>
    public bool Reset(long code) => Break(() => ResetCode = code, evenWhenEnded: false);

    /// <summary>Its reader gives up; false when it was over.</summary>
    public bool Stop(long code) => Break(() => StopCode = code, evenWhenEnded: true);

    /// <summary>The connection is lost; false when it was over.</summary>
    public bool Lose() => Break(() => _lost = true, evenWhenEnded: true);

    private bool Break(Action how, bool evenWhenEnded)
    {
        lock (_gate)
        {
            if (IsBroken || (_ended && !evenWhenEnded) || (_ended && _unread == 0)) return false;
            how();
            Pulse();
            return true;
        }
    }

    private void PutBack(ReadOnlyMemory<byte> piece)
    {
        var others = _pieces.ToArray();
        _pieces.Clear();
        _pieces.Enqueue(piece);
        foreach (var other in others) _pieces.Enqueue(other);
    }

    private void Pulse()
    {
        var changed = _changed;
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        changed.SetResult();
    }
}
