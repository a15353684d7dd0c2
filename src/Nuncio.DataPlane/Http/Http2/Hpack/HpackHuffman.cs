namespace Nuncio.DataPlane.Http.Http2.Hpack;

/// <summary>
/// The static Huffman code of RFC 7541 appendix B. The code is canonical, so the lengths of its 257 symbols say all of it; the tables are
/// computed from them once. Decoding looks up eight bits at a time: one step for nearly every byte of a usual header.
/// </summary>
internal static class HpackHuffman
{
    private const int EndOfString = 256;
    private const int SubTable = 1 << 30;

    private static readonly uint[] Codes = BuildCodes();
    private static readonly int[] DecodeTable = BuildDecodeTable();

    private static ReadOnlySpan<byte> Lengths =>
    [
        13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
        6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
        13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
        15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
        20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
        22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
        26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
        20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
        30,
    ];

    /// <summary>The most bytes that so many encoded ones can stand for.</summary>
    public static int MaxDecodedLength(int encodedLength) => (int)(((long)encodedLength * 8 / 5) + 1);

    /// <summary>How many bytes <paramref name="text"/> takes encoded.</summary>
    public static int EncodedLength(ReadOnlySpan<byte> text)
    {
        var lengths = Lengths;
        long bits = 0;
        foreach (var value in text)
        {
            bits += lengths[value];
        }

        return (int)((bits + 7) / 8);
    }

    /// <summary>Encodes into exactly <see cref="EncodedLength"/> bytes.</summary>
    public static void Encode(ReadOnlySpan<byte> text, Span<byte> destination)
    {
        var lengths = Lengths;
        var codes = Codes;
        ulong held = 0;
        var bits = 0;
        var at = 0;
        foreach (var value in text)
        {
            held = (held << lengths[value]) | codes[value];
            bits += lengths[value];
            while (bits >= 8)
            {
                bits -= 8;
                destination[at++] = (byte)(held >> bits);
            }
        }

        if (bits > 0)
        {
            // Filled up with the start of the end-of-string code: ones.
            destination[at] = (byte)((held << (8 - bits)) | (0xFFu >> bits));
        }
    }

    /// <summary>
    /// Decodes all of <paramref name="source"/>; <paramref name="destination"/> holds at least <see cref="MaxDecodedLength"/> bytes.
    /// Returns how many were written, or -1 for an end-of-string symbol or padding that is not fewer than eight ones (RFC 7541 section 5.2).
    /// </summary>
    public static int Decode(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        var table = DecodeTable;
        ulong held = 0;
        var bits = 0;
        var at = 0;
        var written = 0;
        while (true)
        {
            while (bits <= 56 && at < source.Length)
            {
                held |= (ulong)source[at++] << (56 - bits);
                bits += 8;
            }

            if (bits == 0)
            {
                return written;
            }

            var entry = table[(int)(held >> 56)];
            var length = 0;
            var rest = held;
            while ((entry & SubTable) != 0)
            {
                length += 8;
                rest <<= 8;
                entry = table[(entry & ~SubTable) + (int)(rest >> 56)];
            }

            length += entry >> 16;
            if (length > bits)
            {
                // What is left is shorter than any symbol that starts so.
                return bits < 8 && held == ulong.MaxValue << (64 - bits) ? written : -1;
            }

            var symbol = entry & 0xFFFF;
            if (symbol == EndOfString)
            {
                return -1;
            }

            destination[written++] = (byte)symbol;
            held <<= length;
            bits -= length;
        }
    }

    private static uint[] BuildCodes()
    {
        var codes = new uint[EndOfString + 1];
        uint code = 0;
        for (var length = 1; length <= 30; length++)
        {
            for (var symbol = 0; symbol <= EndOfString; symbol++)
            {
                if (Lengths[symbol] == length)
                {
                    codes[symbol] = code++;
                }
            }

            code <<= 1;
        }

        return codes;
    }

    // Tables of 256 entries one after the other: a symbol and the bits of it that this step takes, or where the table for the next eight bits starts.
    private static int[] BuildDecodeTable()
    {
        var table = new List<int>(new int[256]);
        for (var symbol = 0; symbol <= EndOfString; symbol++)
        {
            var start = 0;
            var left = (int)Lengths[symbol];
            var code = Codes[symbol];
            while (left > 8)
            {
                var slot = start + (int)((code >> (left - 8)) & 0xFF);
                if (table[slot] == 0)
                {
                    table[slot] = SubTable | table.Count;
                    table.AddRange(new int[256]);
                }

                start = table[slot] & ~SubTable;
                left -= 8;
            }

            var first = start + (int)((code << (8 - left)) & 0xFF);
            for (var i = 0; i < 1 << (8 - left); i++)
            {
                table[first + i] = (left << 16) | symbol;
            }
        }

        return [.. table];
    }
}
