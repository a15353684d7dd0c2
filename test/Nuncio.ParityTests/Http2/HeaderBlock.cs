using System.Text;
using Nuncio.DataPlane.Http.Http2.Hpack;

namespace Nuncio.ParityTests.Http2;

/// <summary>Header blocks (RFC 7541) as tests need them: written as plain literals, right or wrong, read with whatever the other side uses.</summary>
internal sealed class HeaderBlock
{
    private const int TableSize = 4096;

    private readonly List<(string Name, string Value)> _table = [];

    /// <summary>Headers as literals that nobody keeps; nothing is checked or put in lower case.</summary>
    public static byte[] Write(IEnumerable<(string Name, string Value)> headers)
    {
        var bytes = new List<byte>();
        foreach (var (name, value) in headers)
        {
            bytes.Add(0);
            foreach (var text in new[] { Encoding.Latin1.GetBytes(name), Encoding.Latin1.GetBytes(value) })
            {
                WriteNumber(bytes, text.Length);
                bytes.AddRange(text);
            }
        }

        return [.. bytes];
    }

    /// <summary>Reads the next block of a connection.</summary>
    public List<(string Name, string Value)> Read(ReadOnlySpan<byte> block)
    {
        var headers = new List<(string, string)>();
        var at = 0;
        while (at < block.Length)
        {
            var first = block[at];
            if ((first & 0x80) != 0)
            {
                headers.Add(Find(ReadNumber(block, ref at, 7)));
            }
            else if ((first & 0xE0) == 0x20)
            {
                Shrink(ReadNumber(block, ref at, 5));
            }
            else
            {
                var isKept = (first & 0x40) != 0;
                var index = ReadNumber(block, ref at, isKept ? 6 : 4);
                var name = index == 0 ? ReadText(block, ref at) : Find(index).Name;
                var header = (name, ReadText(block, ref at));
                headers.Add(header);
                if (isKept)
                {
                    _table.Insert(0, header);
                    Shrink(TableSize);
                }
            }
        }

        return headers;
    }

    private static void WriteNumber(List<byte> bytes, int value)
    {
        if (value < 127)
        {
            bytes.Add((byte)value);
            return;
        }

        bytes.Add(127);
        for (value -= 127; value >= 128; value >>= 7) bytes.Add((byte)(value | 0x80));
        bytes.Add((byte)value);
    }

    private static int ReadNumber(ReadOnlySpan<byte> block, ref int at, int bits)
    {
        var limit = (1 << bits) - 1;
        var value = block[at++] & limit;
        if (value < limit) return value;
        for (var shift = 0; ; shift += 7)
        {
            var next = block[at++];
            value += (next & 0x7F) << shift;
            if ((next & 0x80) == 0) return value;
        }
    }

    private static string ReadText(ReadOnlySpan<byte> block, ref int at)
    {
        var isHuffman = (block[at] & 0x80) != 0;
        var length = ReadNumber(block, ref at, 7);
        var text = block.Slice(at, length);
        at += length;
        if (!isHuffman) return Encoding.Latin1.GetString(text);
        var decoded = new byte[HpackHuffman.MaxDecodedLength(length)];
        return Encoding.Latin1.GetString(decoded, 0, HpackHuffman.Decode(text, decoded));
    }

    private (string Name, string Value) Find(int index)
    {
        if (index > HpackStaticTable.Count) return _table[index - HpackStaticTable.Count - 1];
        ref readonly var entry = ref HpackStaticTable.At(index);
        return (Encoding.Latin1.GetString(entry.Name), Encoding.Latin1.GetString(entry.Value));
    }

    private void Shrink(int size)
    {
        while (_table.Sum(entry => entry.Name.Length + entry.Value.Length + 32) > size) _table.RemoveAt(_table.Count - 1);
    }
}
