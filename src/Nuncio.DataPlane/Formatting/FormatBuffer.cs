using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace Nuncio.DataPlane.Formatting;

/// <summary>A growing buffer for text that is made of a request; cleared and used again.</summary>
public sealed class FormatBuffer : IBufferWriter<byte>
{
    [ThreadStatic]
    private static FormatBuffer? _free;

    private byte[] _bytes = new byte[512];

    /// <summary>How many bytes are written.</summary>
    public int Length { get; private set; }

    /// <summary>The bytes written so far.</summary>
    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    /// <summary>The bytes written so far, until the next write.</summary>
    public ReadOnlyMemory<byte> WrittenMemory => _bytes.AsMemory(0, Length);

    /// <summary>An empty buffer, of this thread where it has one; to be given back by <see cref="Return"/> on the same stretch of synchronous code.</summary>
    public static FormatBuffer Rent()
    {
        var buffer = _free ?? new FormatBuffer();
        _free = null;
        buffer.Length = 0;
        return buffer;
    }

    /// <summary>Gives it back.</summary>
    public void Return() => _free = this;

    /// <summary>Forgets all.</summary>
    public void Clear() => Length = 0;

    /// <summary>Drops what was written behind a length.</summary>
    public void Truncate(int length) => Length = length;

    /// <summary>Replaces a byte in what was written from <paramref name="start"/> on.</summary>
    public void ReplaceFrom(int start, byte old, byte replacement) => _bytes.AsSpan(start, Length - start).Replace(old, replacement);

    /// <inheritdoc/>
    public void Advance(int count) => Length += count;

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Grow(Math.Max(sizeHint, 1));
        return _bytes.AsMemory(Length);
    }

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Grow(Math.Max(sizeHint, 1));
        return _bytes.AsSpan(Length);
    }

    /// <summary>Writes bytes.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        Grow(bytes.Length);
        bytes.CopyTo(_bytes.AsSpan(Length));
        Length += bytes.Length;
    }

    /// <summary>Writes one byte.</summary>
    public void Write(byte value)
    {
        Grow(1);
        _bytes[Length++] = value;
    }

    /// <summary>Writes text as UTF-8.</summary>
    public void Write(string text)
    {
        Grow(text.Length * 3);
        Length += Encoding.UTF8.GetBytes(text, _bytes.AsSpan(Length));
    }

    /// <summary>Writes a number in decimals.</summary>
    public void Write(long value)
    {
        Grow(20);
        _ = Utf8Formatter.TryFormat(value, _bytes.AsSpan(Length), out var written);
        Length += written;
    }

    /// <summary>Writes a number in decimals with zeros in front.</summary>
    public void Write(long value, int digits)
    {
        Grow(20 + digits);
        if (digits == 2 && (ulong)value < 100)
        {
            var (tens, ones) = Math.DivRem((int)value, 10);
            _bytes[Length++] = (byte)('0' + tens);
            _bytes[Length++] = (byte)('0' + ones);
            return;
        }

        _ = Utf8Formatter.TryFormat(value, _bytes.AsSpan(Length), out var written, new StandardFormat('D', (byte)digits));
        Length += written;
    }

    /// <summary>Writes an address without brackets.</summary>
    public void Write(System.Net.IPAddress address)
    {
        Grow(65);
        _ = address.TryFormat(_bytes.AsSpan(Length), out var written);
        Length += written;
    }

    private void Grow(int need)
    {
        if (Length + need > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, Length + need));
        }
    }
}
