using System.Buffers;
using Nuncio.DataPlane.Transport;

namespace Nuncio.DataPlane.Listening;

/// <summary>The first bytes of a connection, read to see what it is and kept for whoever serves it. One reader at a time.</summary>
public sealed class PeekBuffer
{
    private const int InitialSize = 4096;

    private byte[] _bytes = [];
    private int _start;
    private int _end;

    /// <summary>What is there; valid until the next read.</summary>
    public ReadOnlyMemory<byte> Bytes => _bytes.AsMemory(_start, _end - _start);

    /// <summary>Drops bytes from the front.</summary>
    public void Consume(int count) => _start += count;

    /// <summary>Reads more; false at the end of the connection.</summary>
    public async ValueTask<bool> ReadAsync(TransportConnection transport)
    {
        ArgumentNullException.ThrowIfNull(transport);
        if (_bytes.Length == 0 && await transport.ReadAsync(Memory<byte>.Empty) < 0)
        {
            return false;
        }

        if (_end == _bytes.Length)
        {
            var bigger = ArrayPool<byte>.Shared.Rent(Math.Max(InitialSize, _bytes.Length * 2));
            _bytes.AsSpan(0, _end).CopyTo(bigger);
            Return();
            _bytes = bigger;
        }

        var read = await transport.ReadAsync(_bytes.AsMemory(_end));
        if (read <= 0)
        {
            return false;
        }

        _end += read;
        return true;
    }

    /// <summary>A copy of what is there, for somebody who keeps it; nothing is there afterwards.</summary>
    public byte[] Take()
    {
        var taken = Bytes.ToArray();
        Release();
        return taken;
    }

    /// <summary>Gives the memory back. Not while a read is pending.</summary>
    public void Release()
    {
        Return();
        _bytes = [];
        _start = _end = 0;
    }

    private void Return()
    {
        if (_bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
        }
    }
}
