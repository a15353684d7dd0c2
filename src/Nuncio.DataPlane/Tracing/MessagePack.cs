using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Nuncio.DataPlane.Tracing;

/// <summary>Writes the little of MessagePack that a trace agent reads (https://github.com/msgpack/msgpack/blob/master/spec.md).</summary>
internal sealed class MessagePack
{
    private readonly ArrayBufferWriter<byte> _buffer = new(4096);

    /// <summary>An array of so many values, which follow.</summary>
    public void Array(int count) => Head(0xDD, (uint)count);

    /// <summary>A map of so many names and values, which follow in turn.</summary>
    public void Map(int count) => Head(0xDF, (uint)count);

    /// <summary>A text.</summary>
    public void Text(string text)
    {
        var length = Encoding.UTF8.GetByteCount(text);
        Head(0xDB, (uint)length);
        Encoding.UTF8.GetBytes(text, _buffer.GetSpan(length));
        _buffer.Advance(length);
    }

    /// <summary>A number that is not negative.</summary>
    public void Number(ulong value)
    {
        var span = _buffer.GetSpan(9);
        span[0] = 0xCF;
        BinaryPrimitives.WriteUInt64BigEndian(span[1..], value);
        _buffer.Advance(9);
    }

    /// <summary>A number with a sign.</summary>
    public void Signed(long value)
    {
        var span = _buffer.GetSpan(9);
        span[0] = 0xD3;
        BinaryPrimitives.WriteInt64BigEndian(span[1..], value);
        _buffer.Advance(9);
    }

    /// <summary>A floating-point number.</summary>
    public void Double(double value)
    {
        var span = _buffer.GetSpan(9);
        span[0] = 0xCB;
        BinaryPrimitives.WriteDoubleBigEndian(span[1..], value);
        _buffer.Advance(9);
    }

    /// <summary>What has been written.</summary>
    public byte[] ToArray() => _buffer.WrittenSpan.ToArray();

    private void Head(byte kind, uint count)
    {
        var span = _buffer.GetSpan(5);
        span[0] = kind;
        BinaryPrimitives.WriteUInt32BigEndian(span[1..], count);
        _buffer.Advance(5);
    }
}
