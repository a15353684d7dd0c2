using System.Globalization;
using System.Text;
using Google.Protobuf.WellKnownTypes;

namespace Nuncio.DataPlane.HttpFilters.Scripting;

/// <summary>Protobuf values as text that a script's machine reads as a constructor, which is the shortest way there for a tree.</summary>
internal static class LuaValues
{
    /// <summary>A struct as a table; null for none.</summary>
    public static string? Literal(Struct? value)
    {
        if (value is null)
        {
            return null;
        }

        var text = new StringBuilder();
        Write(text, Value.ForStruct(value));
        return text.ToString();
    }

    /// <summary>Texts as a table.</summary>
    public static string Literal(IReadOnlyList<string> values)
    {
        var text = new StringBuilder("{");
        foreach (var value in values)
        {
            WriteText(text, value);
            text.Append(',');
        }

        return text.Append('}').ToString();
    }

    private static void Write(StringBuilder text, Value value)
    {
        switch (value.KindCase)
        {
            case Value.KindOneofCase.StringValue:
                WriteText(text, value.StringValue);
                break;
            case Value.KindOneofCase.NumberValue when double.IsFinite(value.NumberValue):
                text.Append(value.NumberValue.ToString("R", CultureInfo.InvariantCulture));
                break;
            case Value.KindOneofCase.BoolValue:
                text.Append(value.BoolValue ? "true" : "false");
                break;
            case Value.KindOneofCase.StructValue:
                text.Append('{');
                foreach (var (key, inner) in value.StructValue.Fields)
                {
                    text.Append('[');
                    WriteText(text, key);
                    text.Append("]=");
                    Write(text, inner);
                    text.Append(',');
                }

                text.Append('}');
                break;
            case Value.KindOneofCase.ListValue:
                text.Append('{');
                foreach (var inner in value.ListValue.Values)
                {
                    Write(text, inner);
                    text.Append(',');
                }

                text.Append('}');
                break;
            default:
                text.Append("nil");
                break;
        }
    }

    // Every byte that could end the text, or is no ASCII, by its number.
    private static void WriteText(StringBuilder text, string value)
    {
        text.Append('"');
        foreach (var octet in Encoding.UTF8.GetBytes(value))
        {
            if (octet is >= 0x20 and < 0x7F and not (byte)'"' and not (byte)'\\')
            {
                text.Append((char)octet);
            }
            else
            {
                text.Append('\\').Append(octet.ToString("D3", CultureInfo.InvariantCulture));
            }
        }

        text.Append('"');
    }
}
