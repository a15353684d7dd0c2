using System.Collections;
using System.Globalization;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;

namespace Nuncio.Xds.Json;

/// <summary>Messages to JSON; see <see cref="XdsJson"/> for the form.</summary>
internal static class XdsJsonWriter
{
    private static readonly JsonEncodedText TypeName = JsonEncodedText.Encode("@type");
    private static readonly JsonEncodedText ValueName = JsonEncodedText.Encode("value");

    public static void WriteMessage(Utf8JsonWriter json, IMessage message) => WriteMessage(json, message, MessageShape.Of(message.Descriptor));

    private static void WriteMessage(Utf8JsonWriter json, IMessage message, MessageShape shape)
    {
        switch (shape.Special)
        {
            case SpecialForm.None:
                json.WriteStartObject();
                WriteFields(json, message, shape);
                json.WriteEndObject();
                break;
            case SpecialForm.Any:
                WriteAny(json, (Any)message);
                break;
            case SpecialForm.Duration:
                json.WriteStringValue(TimeText.Format((Duration)message));
                break;
            case SpecialForm.Timestamp:
                json.WriteStringValue(TimeText.Format((Timestamp)message));
                break;
            case SpecialForm.Struct:
                WriteStruct(json, (Struct)message);
                break;
            case SpecialForm.Value:
                WriteDynamic(json, (Value)message);
                break;
            case SpecialForm.ListValue:
                WriteList(json, (ListValue)message);
                break;
            case SpecialForm.Wrapper:
                var field = shape.Fields[0];
                WriteScalar(json, field, field.Accessor.GetValue(message));
                break;
        }
    }

    private static void WriteFields(Utf8JsonWriter json, IMessage message, MessageShape shape)
    {
        foreach (var field in shape.Fields)
        {
            if (field.HasPresence && !field.Accessor.HasValue(message)) continue;
            var value = field.Accessor.GetValue(message);
            if (value is null) continue;
            if (field.MapValue is not null)
            {
                if (value is IDictionary { Count: > 0 } map) WriteMap(json, field, map);
            }
            else if (field.Descriptor.IsRepeated)
            {
                if (value is not IList { Count: > 0 } list) continue;
                json.WritePropertyName(field.Name);
                json.WriteStartArray();
                foreach (var item in list) WriteSingle(json, field, item);
                json.WriteEndArray();
            }
            else if (field.HasPresence || !IsDefault(field, value))
            {
                json.WritePropertyName(field.Name);
                WriteSingle(json, field, value);
            }
        }
    }

    private static void WriteMap(Utf8JsonWriter json, FieldShape field, IDictionary map)
    {
        var entries = new List<KeyValuePair<string, object?>>(map.Count);
        foreach (DictionaryEntry entry in map) entries.Add(new(KeyText(entry.Key), entry.Value));
        entries.Sort(static (a, b) => string.CompareOrdinal(a.Key, b.Key));
        json.WritePropertyName(field.Name);
        json.WriteStartObject();
        foreach (var (key, value) in entries)
        {
            json.WritePropertyName(key);
            WriteSingle(json, field.MapValue!, value);
        }

        json.WriteEndObject();
    }

    private static string KeyText(object key) => key switch
    {
        string text => text,
        bool flag => flag ? "true" : "false",
        _ => Convert.ToString(key, CultureInfo.InvariantCulture)!,
    };

    private static void WriteSingle(Utf8JsonWriter json, FieldShape field, object? value)
    {
        // A field of a wrapper type holds the bare value in C#, not the wrapper.
        if (field.Type != FieldType.Message) WriteScalar(json, field, value);
        else if (field.Message.Special == SpecialForm.Wrapper && value is not IMessage) WriteScalar(json, field.Message.Fields[0], value);
        else WriteMessage(json, (IMessage)value!, field.Message);
    }

    private static void WriteScalar(Utf8JsonWriter json, FieldShape field, object? value)
    {
        switch (value)
        {
            case string text: json.WriteStringValue(text); break;
            case bool flag: json.WriteBooleanValue(flag); break;
            case uint number: json.WriteNumberValue(number); break;
            case int number: json.WriteNumberValue(number); break;
            case ulong number: json.WriteStringValue(number.ToString(CultureInfo.InvariantCulture)); break;
            case long number: json.WriteStringValue(number.ToString(CultureInfo.InvariantCulture)); break;
            case float number: WriteFloat(json, number); break;
            case double number: WriteDouble(json, number); break;
            case ByteString bytes: json.WriteBase64StringValue(bytes.Span); break;
            case System.Enum: WriteEnum(json, field, (int)value); break;
            default: throw new InvalidOperationException($"{field.Descriptor.FullName} holds a {value?.GetType().Name ?? "null"}");
        }
    }

    private static void WriteEnum(Utf8JsonWriter json, FieldShape field, int number)
    {
        if (field.Descriptor.EnumType.FindValueByNumber(number) is { } known) json.WriteStringValue(known.Name);
        else json.WriteNumberValue(number);
    }

    private static void WriteFloat(Utf8JsonWriter json, float number)
    {
        if (float.IsFinite(number)) json.WriteNumberValue(number);
        else WriteDouble(json, number);
    }

    private static void WriteDouble(Utf8JsonWriter json, double number)
    {
        if (double.IsFinite(number)) json.WriteNumberValue(number);
        else json.WriteStringValue(double.IsNaN(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity");
    }

    private static bool IsDefault(FieldShape field, object value) => value switch
    {
        string text => text.Length == 0,
        bool flag => !flag,
        uint number => number == 0,
        int number => number == 0,
        ulong number => number == 0,
        long number => number == 0,
        // Negative zero is not the default in protobuf.
        float number => BitConverter.SingleToInt32Bits(number) == 0,
        double number => BitConverter.DoubleToInt64Bits(number) == 0,
        ByteString bytes => bytes.IsEmpty,
        System.Enum => (int)value == 0,
        _ => throw new InvalidOperationException($"{field.Descriptor.FullName} holds a {value.GetType().Name}"),
    };

    private static void WriteAny(Utf8JsonWriter json, Any any)
    {
        json.WriteStartObject();
        if (any.TypeUrl.Length > 0)
        {
            json.WriteString(TypeName, any.TypeUrl);
            if (XdsTypeRegistry.Find(any.TypeUrl) is not { } type)
            {
                // A peer's own extension, in a dump: the bytes are all that is known of it.
                json.WriteBase64String(ValueName, any.Value.Span);
            }
            else
            {
                var content = type.Parser.ParseFrom(any.Value);
                var shape = MessageShape.Of(type);
                if (shape.Special == SpecialForm.None)
                {
                    WriteFields(json, content, shape);
                }
                else
                {
                    json.WritePropertyName(ValueName);
                    WriteMessage(json, content, shape);
                }
            }
        }

        json.WriteEndObject();
    }

    private static void WriteStruct(Utf8JsonWriter json, Struct value)
    {
        json.WriteStartObject();
        foreach (var (name, field) in value.Fields.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            json.WritePropertyName(name);
            WriteDynamic(json, field);
        }

        json.WriteEndObject();
    }

    private static void WriteList(Utf8JsonWriter json, ListValue list)
    {
        json.WriteStartArray();
        foreach (var item in list.Values) WriteDynamic(json, item);
        json.WriteEndArray();
    }

    private static void WriteDynamic(Utf8JsonWriter json, Value value)
    {
        switch (value.KindCase)
        {
            case Value.KindOneofCase.NumberValue: WriteDouble(json, value.NumberValue); break;
            case Value.KindOneofCase.StringValue: json.WriteStringValue(value.StringValue); break;
            case Value.KindOneofCase.BoolValue: json.WriteBooleanValue(value.BoolValue); break;
            case Value.KindOneofCase.StructValue: WriteStruct(json, value.StructValue); break;
            case Value.KindOneofCase.ListValue: WriteList(json, value.ListValue); break;
            default: json.WriteNullValue(); break;
        }
    }
}
