using System.Buffers;
using System.Text;
using System.Text.Json;
using Google.Protobuf;

namespace Nuncio.Xds;

/// <summary>The JSON form of <see cref="XdsJson"/> written as YAML 1.2 block style, for people to read and for <c>envoy -c</c>.</summary>
public static class XdsYaml
{
    /// <summary>The message as YAML.</summary>
    public static string Format(IMessage message)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        XdsJson.Write(message, buffer);
        return FromJson(buffer.WrittenMemory);
    }

    /// <summary>Any JSON text as YAML.</summary>
    /// <exception cref="JsonException">It is not JSON.</exception>
    public static string FromJson(ReadOnlyMemory<byte> utf8)
    {
        using var document = JsonDocument.Parse(utf8, new JsonDocumentOptions { MaxDepth = 1000 });
        var text = new StringBuilder(utf8.Length * 2);
        WriteNode(text, document.RootElement, 0, inList: false);
        return text.ToString();
    }

    /// <summary>Writes a value that begins at the current position and ends its line.</summary>
    private static void WriteNode(StringBuilder text, JsonElement json, int indent, bool inList)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.Object when json.EnumerateObject().MoveNext():
                // The first entry of an object in a list stands on the line of the dash.
                var here = inList;
                foreach (var property in json.EnumerateObject())
                {
                    if (!here) text.Append(' ', indent);
                    here = false;
                    WriteString(text, property.Name);
                    text.Append(':');
                    WriteChild(text, property.Value, indent);
                }

                break;
            case JsonValueKind.Array when json.GetArrayLength() > 0:
                var first = inList;
                foreach (var item in json.EnumerateArray())
                {
                    if (!first) text.Append(' ', indent);
                    first = false;
                    text.Append("- ");
                    WriteNode(text, item, indent + 2, inList: true);
                }

                break;
            case JsonValueKind.Object:
                text.Append("{}\n");
                break;
            case JsonValueKind.Array:
                text.Append("[]\n");
                break;
            case JsonValueKind.String:
                WriteString(text, json.GetString()!);
                text.Append('\n');
                break;
            default:
                text.Append(json.GetRawText()).Append('\n');
                break;
        }
    }

    private static void WriteChild(StringBuilder text, JsonElement value, int indent)
    {
        var nested = (value.ValueKind == JsonValueKind.Object && value.EnumerateObject().MoveNext())
            || (value.ValueKind == JsonValueKind.Array && value.GetArrayLength() > 0);
        text.Append(nested ? '\n' : ' ');
        WriteNode(text, value, indent + 2, inList: false);
    }

    /// <summary>Plain where no YAML version reads it as anything but that string; else in double quotes with JSON's escapes, which are YAML's.</summary>
    private static void WriteString(StringBuilder text, string value)
    {
        if (IsPlain(value)) text.Append(value);
        else text.Append('"').Append(JsonEncodedText.Encode(value, System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping).Value).Append('"');
    }

    private static bool IsPlain(string value)
    {
        if (value.Length == 0 || !(char.IsAsciiLetter(value[0]) || value[0] is '_' or '/')) return false;
        foreach (var c in value)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('_' or '-' or '.' or '/')) return false;
        }

        return value.Length > 5 || value.ToUpperInvariant() is not ("TRUE" or "FALSE" or "YES" or "NO" or "ON" or "OFF" or "Y" or "N" or "NULL");
    }
}
