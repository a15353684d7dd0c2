using System.Buffers;

namespace Nuncio.DataPlane.Http.Http2.Hpack;

/// <summary>Integers and string literals as header compression writes them (RFC 7541 section 5); QPACK has them with other prefixes (RFC 9204 section 4.1).</summary>
internal static class HpackPrimitives
{
    /// <summary>The most bytes that <see cref="WriteInteger"/> writes, and <see cref="WriteText"/> beside the text.</summary>
    public const int MaxIntegerLength = 6;

    /// <summary>
    /// Reads an integer whose prefix has so many bits; the bits above it are the caller's. Values of more than 28 bits have no use here and count as an
    /// error, as endless continuation bytes do.
    /// </summary>
    public static bool TryReadInteger(ReadOnlySpan<byte> block, scoped ref int at, int prefixBits, out int value)
    {
        value = 0;
        if (at >= block.Length)
        {
            return false;
        }

        var mask = (1 << prefixBits) - 1;
        value = block[at++] & mask;
        if (value < mask)
        {
            return true;
        }

        for (var shift = 0; shift <= 21; shift += 7)
        {
            if (at >= block.Length)
            {
                return false;
            }

            var next = block[at++];
            value += (next & 0x7F) << shift;
            if ((next & 0x80) == 0)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Reads a string literal: the bit above the prefix says that it is Huffman-coded.</summary>
    /// <param name="block">The header block.</param>
    /// <param name="at">Where the literal begins; behind it afterwards.</param>
    /// <param name="prefixBits">The bits of its length in the first byte.</param>
    /// <param name="scratch">A buffer of the pool, which a decoded text lies in.</param>
    /// <param name="text">The text, in the block or in <paramref name="scratch"/>.</param>
    public static bool TryReadText(ReadOnlySpan<byte> block, scoped ref int at, int prefixBits, ref byte[] scratch, out ReadOnlySpan<byte> text)
    {
        text = default;
        if (at >= block.Length)
        {
            return false;
        }

        var huffman = (block[at] & (1 << prefixBits)) != 0;
        if (!TryReadInteger(block, ref at, prefixBits, out var length) || length > block.Length - at)
        {
            return false;
        }

        var raw = block.Slice(at, length);
        at += length;
        if (!huffman)
        {
            text = raw;
            return true;
        }

        Grow(ref scratch, HpackHuffman.MaxDecodedLength(length));
        var decoded = HpackHuffman.Decode(raw, scratch);
        if (decoded < 0)
        {
            return false;
        }

        text = scratch.AsSpan(0, decoded);
        return true;
    }

    /// <summary>Writes an integer below the bits of <paramref name="pattern"/>; how many bytes it took.</summary>
    public static int WriteInteger(Span<byte> space, int pattern, int prefixBits, int value)
    {
        var limit = (1 << prefixBits) - 1;
        if (value < limit)
        {
            space[0] = (byte)(pattern | value);
            return 1;
        }

        space[0] = (byte)(pattern | limit);
        value -= limit;
        var at = 1;
        while (value >= 0x80)
        {
            space[at++] = (byte)(value | 0x80);
            value >>= 7;
        }

        space[at++] = (byte)value;
        return at;
    }

    /// <summary>Writes a string literal, Huffman-coded where that is shorter; how many bytes it took.</summary>
    public static int WriteText(Span<byte> space, int pattern, int prefixBits, ReadOnlySpan<byte> text)
    {
        // Not worth its time where it saves next to nothing.
        var encoded = text.Length < 8 ? text.Length : HpackHuffman.EncodedLength(text);
        if (encoded < text.Length)
        {
            var start = WriteInteger(space, pattern | (1 << prefixBits), prefixBits, encoded);
            HpackHuffman.Encode(text, space.Slice(start, encoded));
            return start + encoded;
        }

        var prefix = WriteInteger(space, pattern, prefixBits, text.Length);
        text.CopyTo(space[prefix..]);
        return prefix + text.Length;
    }

    /// <summary>Makes a scratch buffer at least so long; what was in it is lost.</summary>
    public static void Grow(ref byte[] scratch, int length)
    {
        if (scratch.Length < length)
        {
            Return(ref scratch);
            scratch = ArrayPool<byte>.Shared.Rent(Math.Max(512, length));
        }
    }

    /// <summary>Gives a scratch buffer back.</summary>
    public static void Return(ref byte[] scratch)
    {
        if (scratch.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(scratch);
            scratch = [];
        }
    }
}
