using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Google.Protobuf.WellKnownTypes;

namespace Nuncio.DataPlane.Formatting;

/// <summary>Dynamic metadata as text: a string as it is, everything else as JSON with its keys in order.</summary>
internal static class MetadataText
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>%DYNAMIC_METADATA(namespace:key:...)%.</summary>
    /// <param name="arguments">Namespace and keys.</param>
    /// <param name="maxLength">Of the text, in bytes; 0 for no limit.</param>
    public static FormatOperator Operator(string arguments, int maxLength)
    {
        var parts = arguments.Split(':');
        var keys = parts[1..];
        return new FormatOperator(
            (exchange, buffer) =>
            {
                if (exchange.Metadata?.Find(parts[0], keys) is not { } value)
                {
                    return false;
                }

                if (value.KindCase == Value.KindOneofCase.StringValue)
                {
                    buffer.Write(Encoding.UTF8.GetBytes(value.StringValue));
                    return true;
                }

                return TryWrite(value, buffer);
            },
            (exchange, buffer) => exchange.Metadata?.Find(parts[0], keys) is { } value && TryWrite(value, buffer),
            maxLength);
    }

    /// <summary>A value as JSON.</summary>
    public static byte[] Json(Value value)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, Options))
        {
            Write(json, value);
        }

        return stream.ToArray();
    }

    /// <summary>JSON as a value; null where it is none, or nested too deep.</summary>
    public static Value? Read(string json)
    {
        try
        {
            return Value.Parser.ParseJson(json);
        }
        catch (Exception e) when (e is Google.Protobuf.InvalidProtocolBufferException or Google.Protobuf.InvalidJsonException)
        {
            return null;
        }
    }

    private static bool TryWrite(Value value, FormatBuffer buffer)
    {
        buffer.Write(Json(value));
        return true;
    }

    private static void Write(Utf8JsonWriter json, Value value)
    {
        switch (value.KindCase)
        {
            case Value.KindOneofCase.StringValue:
                json.WriteStringValue(value.StringValue);
                break;
            case Value.KindOneofCase.NumberValue when double.IsFinite(value.NumberValue):
                json.WriteNumberValue(value.NumberValue);
                break;
            case Value.KindOneofCase.BoolValue:
                json.WriteBooleanValue(value.BoolValue);
                break;
            case Value.KindOneofCase.StructValue:
                json.WriteStartObject();
                foreach (var (key, inner) in value.StructValue.Fields.OrderBy(static field => field.Key, StringComparer.Ordinal))
                {
                    json.WritePropertyName(key);
                    Write(json, inner);
                }

                json.WriteEndObject();
                break;
            case Value.KindOneofCase.ListValue:
                json.WriteStartArray();
                foreach (var inner in value.ListValue.Values)
                {
                    Write(json, inner);
                }

                json.WriteEndArray();
                break;
            default:
                json.WriteNullValue();
                break;
        }
    }
}
