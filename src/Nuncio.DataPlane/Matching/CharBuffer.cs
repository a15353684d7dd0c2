using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;

namespace Nuncio.DataPlane.Matching;

/// <summary>Bytes of a header as characters, for regular expressions: without garbage, in a buffer of the caller's or of the pool.</summary>
internal ref struct CharBuffer
{
    /// <summary>A good size for the caller's buffer.</summary>
    public const int StackSize = 256;

    private char[]? _rented;

    /// <summary>Decodes UTF-8; each byte that is none becomes U+FFFD.</summary>
    public CharBuffer(ReadOnlySpan<byte> bytes, Span<char> buffer)
    {
        if (bytes.Length > buffer.Length)
        {
            buffer = _rented = ArrayPool<char>.Shared.Rent(bytes.Length);
        }

        var status = Ascii.ToUtf16(bytes, buffer, out var written);
        if (status != OperationStatus.Done)
        {
            written = Encoding.UTF8.GetChars(bytes, buffer);
        }

        Text = buffer[..written];
    }

    /// <summary>The characters.</summary>
    public ReadOnlySpan<char> Text { get; }

    /// <summary>Gives the buffer back.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Dispose()
    {
        if (_rented is { } rented)
        {
            _rented = null;
            ArrayPool<char>.Shared.Return(rented);
        }
    }
}
