using System.Buffers;
using System.Text;
using System.Text.Json;
using Nuncio.Resources.Findings;

namespace Nuncio.Resources.Reading.Tree;

/// <summary>Reads one or more JSON values into nodes.</summary>
internal static class JsonNodeParser
{
    /// <summary>Reads the text; null when it is not JSON (it may still be YAML in flow style).</summary>
    public static List<Node>? TryParse(string text, ReadingLimits limits, out List<ScalarNode> duplicateKeys)
    {
        duplicateKeys = [];
        var bytes = Encoding.UTF8.GetBytes(text);
        var options = new JsonReaderOptions { AllowMultipleValues = true, AllowTrailingCommas = false, MaxDepth = limits.MaxDepth };
        var reader = new Utf8JsonReader(bytes, options);
        var lines = new LineCounter(bytes);
        var documents = new List<Node>();
        try
        {
            while (reader.Read())
                documents.Add(ReadNode(ref reader, ref lines, duplicateKeys));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            if (reader.CurrentDepth >= limits.MaxDepth)
                throw new DocumentException(FindingCodes.DocumentTooLarge, $"Nested deeper than {limits.MaxDepth} levels", 1, 1);
            return null;
        }

        return documents;
    }

    private static Node ReadNode(ref Utf8JsonReader reader, ref LineCounter lines, List<ScalarNode> duplicateKeys)
    {
        var (line, column) = lines.PlaceOf(reader.TokenStartIndex);
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                var entries = new EntryListBuilder();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
                {
                    var (keyLine, keyColumn) = lines.PlaceOf(reader.TokenStartIndex);
                    var key = new ScalarNode(reader.GetString()!, ScalarKind.Text, keyLine, keyColumn);
                    reader.Read();
                    var entry = new Entry(key, ReadNode(ref reader, ref lines, duplicateKeys));
                    if (entries.Add(entry))
                        duplicateKeys.Add(key);
                }

                return new MapNode(entries.Entries, line, column);
            case JsonTokenType.StartArray:
                var items = new List<Node>();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                    items.Add(ReadNode(ref reader, ref lines, duplicateKeys));
                return new ListNode(items, line, column);
            case JsonTokenType.String:
                return new ScalarNode(reader.GetString()!, ScalarKind.Text, line, column);
            case JsonTokenType.Number:
                var number = Encoding.UTF8.GetString(reader.HasValueSequence ? reader.ValueSequence.ToArray() : reader.ValueSpan);
                return new ScalarNode(number, YamlScalar.TryParseInteger(number, out _) ? ScalarKind.Integer : ScalarKind.Float, line, column);
            case JsonTokenType.True:
                return new ScalarNode("true", ScalarKind.Boolean, line, column);
            case JsonTokenType.False:
                return new ScalarNode("false", ScalarKind.Boolean, line, column);
            default:
                return new ScalarNode("null", ScalarKind.Null, line, column);
        }
    }

    // Places are asked for in rising order, so one pass over the bytes answers them all.
    private ref struct LineCounter(ReadOnlySpan<byte> bytes)
    {
        private readonly ReadOnlySpan<byte> _bytes = bytes;
        private int _position;
        private int _line = 1;
        private int _column = 1;

        public (int Line, int Column) PlaceOf(long index)
        {
            for (; _position < index; _position++)
            {
                var current = _bytes[_position];
                if (current == (byte)'\n')
                {
                    _line++;
                    _column = 1;
                }
                else
                {
                    // In UTF-16: bytes that go on a character count nothing, the first of four counts two.
                    _column += (current & 0xC0) == 0x80 ? 0 : current >= 0xF0 ? 2 : 1;
                }
            }

            return (_line, _column);
        }
    }
}
