using System.Buffers;
using System.Runtime.CompilerServices;
using Nuncio.DataPlane.Async;
using Nuncio.DataPlane.Transport;

namespace Nuncio.DataPlane.Http.Http1;

/// <summary>
/// Collects what is to be sent, so that a head and the first piece of its body leave in one system call. Holds a buffer only while there is something in it.
/// </summary>
internal sealed class Http1Output
{
    private const int BufferSize = 16384;

    private readonly TransportConnection _transport;
    private byte[] _buffer = [];
    private int _used;

    public Http1Output(TransportConnection transport) => _transport = transport;

    /// <summary>Bytes given to the transport and collected so far.</summary>
    public long Total { get; private set; }

    /// <summary>A write failed: the peer is gone.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>Room for <paramref name="count"/> bytes; follow with <see cref="Advance"/>.</summary>
    public Span<byte> Reserve(int count)
    {
        if (_buffer.Length - _used < count)
        {
            var next = ArrayPool<byte>.Shared.Rent(Math.Max(_used + count, _used == 0 ? BufferSize : _buffer.Length * 2));
            _buffer.AsSpan(0, _used).CopyTo(next);
            if (_buffer.Length > 0)
            {
                ArrayPool<byte>.Shared.Return(_buffer);
            }

            _buffer = next;
        }

        return _buffer.AsSpan(_used);
    }

    /// <summary>So many bytes of the reserved room were filled.</summary>
    public void Advance(int count)
    {
        _used += count;
        Total += count;
    }

    /// <summary>Collects bytes.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Reserve(bytes.Length));
        Advance(bytes.Length);
    }

    /// <summary>Takes a piece of a body: collected when small, else sent at once after what was collected.</summary>
    public ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Length <= BufferSize - _used)
        {
            Write(bytes.Span);
            return new ValueTask<bool>(!IsBroken);
        }

        return WriteThroughAsync(bytes);
    }

    /// <summary>What is sent next is the last: nothing is written afterwards, and the connection closes.</summary>
    public void EndWithNextFlush() => _transport.EndWithNextWrite();

    /// <summary>Sends what was collected. False when the peer is gone.</summary>
    public ValueTask<bool> FlushAsync()
    {
        if (_used == 0 || IsBroken)
        {
            Drop();
            return new ValueTask<bool>(!IsBroken);
        }

        var write = _transport.WriteAsync(_buffer.AsMemory(0, _used));
        if (write.IsCompleted)
        {
            IsBroken |= !write.Result;
            Drop();
            return new ValueTask<bool>(!IsBroken);
        }

        return FinishFlushAsync(write);
    }

    /// <summary>Forgets what was collected.</summary>
    public void Drop()
    {
        _used = 0;
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
        }
    }

    [AsyncMethodBuilder(typeof(PooledBuilder<>))]
    private async ValueTask<bool> FinishFlushAsync(ValueTask<bool> write)
    {
        IsBroken |= !await write;
        Drop();
        return !IsBroken;
    }

    [AsyncMethodBuilder(typeof(PooledBuilder<>))]
    private async ValueTask<bool> WriteThroughAsync(ReadOnlyMemory<byte> bytes)
    {
        // Filling up the buffer with the head saves a small packet of its own in front of a large body.
        var fits = _used == 0 ? 0 : BufferSize - _used;
        if (fits > 0)
        {
            Write(bytes.Span[..fits]);
            bytes = bytes[fits..];
        }

        if (await FlushAsync())
        {
            Total += bytes.Length;
            IsBroken |= !await _transport.WriteAsync(bytes);
        }

        return !IsBroken;
    }
}
