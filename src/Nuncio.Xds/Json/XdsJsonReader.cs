using System.Collections;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;

namespace Nuncio.Xds.Json;

/// <summary>JSON to messages; see <see cref="XdsJson"/> for the form. One instance per text.</summary>
internal sealed class XdsJsonReader
{
    private readonly List<string> _path = [];

    /// <summary>Fills the message; what comes back says why that was not possible.</summary>
    public XdsJsonError? Read(JsonElement json, IMessage message)
    {
        try
        {
            ReadMessage(json, message, MessageShape.Of(message.Descriptor));
            return null;
        }
        catch (RefusedException refused)
        {
            return new XdsJsonError(PathText(), refused.Message);
        }
    }

    private void ReadMessage(JsonElement json, IMessage message, MessageShape shape)
    {
        switch (shape.Special)
        {
            case SpecialForm.None: ReadFields(json, message, shape, inAny: false); break;
            case SpecialForm.Any: ReadAny(json, (Any)message); break;
            case SpecialForm.Duration: ReadDuration(json, (Duration)message); break;
            case SpecialForm.Timestamp: ReadTimestamp(json, (Timestamp)message); break;
            case SpecialForm.Struct: ReadStruct(json, (Struct)message); break;
            case SpecialForm.Value: ReadDynamic(json, (Value)message); break;
            case SpecialForm.ListValue: ReadList(json, (ListValue)message); break;
            case SpecialForm.Wrapper: shape.Fields[0].Accessor.SetValue(message, ReadScalar(json, shape.Fields[0])); break;
        }
    }

    private void ReadFields(JsonElement json, IMessage message, MessageShape shape, bool inAny)
    {
        Expect(json, JsonValueKind.Object);
        HashSet<int>? seen = null;
        foreach (var property in json.EnumerateObject())
        {
            if (inAny && property.NameEquals("@type"u8)) continue;
            if (shape.Find(property.Name) is not { } field)
            {
                _path.Add(property.Name);
                throw new RefusedException($"{shape.Descriptor.FullName} has no such field");
            }

            _path.Add(field.Descriptor.Name);
            if (!(seen ??= []).Add(field.Descriptor.FieldNumber)) throw new RefusedException("the field is given twice");

            // null means unset, except where null is a value.
            if (property.Value.ValueKind != JsonValueKind.Null || field is { Type: FieldType.Message, MapValue: null, Message.Special: SpecialForm.Value })
            {
                if (field.Descriptor.RealContainingOneof is { } oneof && oneof.Accessor.GetCaseFieldDescriptor(message) is { } other)
                    throw new RefusedException($"only one of {oneof.Name} may be given, and there is {other.Name} already");
                ReadField(property.Value, message, field);
            }

            _path.RemoveAt(_path.Count - 1);
        }
    }

    private void ReadField(JsonElement json, IMessage message, FieldShape field)
    {
        if (field.MapValue is not null) ReadMap(json, (IDictionary)field.Accessor.GetValue(message), field);
        else if (field.Descriptor.IsRepeated) ReadRepeated(json, (IList)field.Accessor.GetValue(message), field);
        else field.Accessor.SetValue(message, ReadSingle(json, field));
    }

    private void ReadMap(JsonElement json, IDictionary map, FieldShape field)
    {
        Expect(json, JsonValueKind.Object);
        foreach (var property in json.EnumerateObject())
        {
            _path.Add($"[{property.Name}]");
            var key = ReadKey(property.Name, field.MapKey!);
            if (map.Contains(key)) throw new RefusedException("the key is given twice");
            map.Add(key, ReadSingle(property.Value, field.MapValue!));
            _path.RemoveAt(_path.Count - 1);
        }
    }

    private void ReadRepeated(JsonElement json, IList list, FieldShape field)
    {
        Expect(json, JsonValueKind.Array);
        var index = 0;
        foreach (var item in json.EnumerateArray())
        {
            _path.Add(string.Create(CultureInfo.InvariantCulture, $"[{index++}]"));
            list.Add(ReadSingle(item, field));
            _path.RemoveAt(_path.Count - 1);
        }
    }

    private object ReadSingle(JsonElement json, FieldShape field)
    {
        if (field.Type != FieldType.Message) return ReadScalar(json, field);
        if (field.Message.Special == SpecialForm.Wrapper) return ReadScalar(json, field.Message.Fields[0]);
        var message = NewMessage(field.Descriptor.MessageType);
        ReadMessage(json, message, field.Message);
        return message;
    }

    private static IMessage NewMessage(MessageDescriptor type) => type.Parser.ParseFrom([]);

    private static object ReadKey(string name, FieldShape key) => key.Type switch
    {
        FieldType.String => name,
        FieldType.Bool when name is "true" or "false" => name == "true",
        FieldType.UInt32 or FieldType.Fixed32 when uint.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var number) => number,
        FieldType.Int32 when int.TryParse(name, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) => number,
        FieldType.UInt64 or FieldType.Fixed64 when ulong.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var number) => number,
        FieldType.Int64 when long.TryParse(name, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) => number,
        _ => throw new RefusedException("the key does not fit"),
    };

    private static object ReadScalar(JsonElement json, FieldShape field)
    {
        switch (field.Type)
        {
            case FieldType.String:
                Expect(json, JsonValueKind.String);
                return json.GetString()!;
            case FieldType.Bool:
                if (json.ValueKind is JsonValueKind.True or JsonValueKind.False) return json.GetBoolean();
                throw new RefusedException($"expected true or false, found {Kind(json)}");
            case FieldType.Bytes:
                Expect(json, JsonValueKind.String);
                return ReadBytes(json.GetString()!);
            case FieldType.Enum:
                return ReadEnum(json, field.Descriptor.EnumType);
            case FieldType.Int32 or FieldType.SInt32 or FieldType.SFixed32:
                return (int)ReadInteger(json, int.MinValue, int.MaxValue);
            case FieldType.UInt32 or FieldType.Fixed32:
                return (uint)ReadInteger(json, uint.MinValue, uint.MaxValue);
            case FieldType.Int64 or FieldType.SInt64 or FieldType.SFixed64:
                return (long)ReadInteger(json, long.MinValue, long.MaxValue);
            case FieldType.UInt64 or FieldType.Fixed64:
                return (ulong)ReadInteger(json, ulong.MinValue, ulong.MaxValue);
            case FieldType.Float:
                return (float)ReadDouble(json);
            case FieldType.Double:
                return ReadDouble(json);
            default:
                throw new RefusedException($"{field.Descriptor.FullName} cannot be given in JSON");
        }
    }

    private static ByteString ReadBytes(string text)
    {
        // The mapping takes the URL-safe alphabet too, and both without padding.
        var standard = text.Replace('-', '+').Replace('_', '/').TrimEnd('=');
        var bytes = new byte[((standard.Length * 3) / 4) + 3];
        return Convert.TryFromBase64String(standard.PadRight((standard.Length + 3) / 4 * 4, '='), bytes, out var length)
            ? ByteString.CopyFrom(bytes, 0, length)
            : throw new RefusedException("not base64");
    }

    private static object ReadEnum(JsonElement json, EnumDescriptor type)
    {
        if (json.ValueKind == JsonValueKind.Number) return (int)ReadInteger(json, int.MinValue, int.MaxValue);
        Expect(json, JsonValueKind.String);
        var name = json.GetString()!;
        return type.FindValueByName(name)?.Number ?? throw new RefusedException($"{type.FullName} has no value {name}");
    }

    private static Int128 ReadInteger(JsonElement json, Int128 minimum, Int128 maximum)
    {
        var text = json.ValueKind switch
        {
            JsonValueKind.Number => json.GetRawText(),
            JsonValueKind.String => json.GetString()!,
            _ => throw new RefusedException($"expected an integer, found {Kind(json)}"),
        };
        if (!Int128.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
        {
            // 1.0 and 1e3 are integers too.
            if (!decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) || !decimal.IsInteger(real))
                throw new RefusedException($"not an integer: {text}");
            number = (Int128)real;
        }

        return number >= minimum && number <= maximum ? number : throw new RefusedException($"out of range: {text}");
    }

    private static double ReadDouble(JsonElement json)
    {
        if (json.ValueKind == JsonValueKind.Number) return json.GetDouble();
        Expect(json, JsonValueKind.String);
        return json.GetString() switch
        {
            "NaN" => double.NaN,
            "Infinity" => double.PositiveInfinity,
            "-Infinity" => double.NegativeInfinity,
            var text when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) => number,
            _ => throw new RefusedException("not a number"),
        };
    }

    private void ReadAny(JsonElement json, Any any)
    {
        Expect(json, JsonValueKind.Object);
        if (!json.TryGetProperty("@type"u8, out var typeJson) || typeJson.ValueKind != JsonValueKind.String)
        {
            if (json.EnumerateObject().MoveNext()) throw new RefusedException("@type is missing");
            return;
        }

        any.TypeUrl = typeJson.GetString()!;
        var type = XdsTypeRegistry.Find(any.TypeUrl) ?? throw new RefusedException($"no such type: {any.TypeUrl}");
        var content = NewMessage(type);
        var shape = MessageShape.Of(type);
        if (shape.Special == SpecialForm.None)
        {
            ReadFields(json, content, shape, inAny: true);
        }
        else
        {
            _path.Add("value");
            if (!json.TryGetProperty("value"u8, out var value)) throw new RefusedException("value is missing");
            ReadMessage(value, content, shape);
            _path.RemoveAt(_path.Count - 1);
        }

        any.Value = UnsafeByteOperations.UnsafeWrap(XdsBytes.Serialize(content));
    }

    private static void ReadDuration(JsonElement json, Duration duration)
    {
        Expect(json, JsonValueKind.String);
        if (!TimeText.TryParse(json.GetString()!, out Duration parsed))
            throw new RefusedException($"not a duration in seconds such as 1.5s: {json.GetString()}");
        duration.MergeFrom(parsed);
    }

    private static void ReadTimestamp(JsonElement json, Timestamp timestamp)
    {
        Expect(json, JsonValueKind.String);
        if (!TimeText.TryParse(json.GetString()!, out Timestamp parsed))
            throw new RefusedException($"not a time such as 2030-01-02T03:04:05Z: {json.GetString()}");
        timestamp.MergeFrom(parsed);
    }

    private static void ReadStruct(JsonElement json, Struct target)
    {
        Expect(json, JsonValueKind.Object);
        foreach (var property in json.EnumerateObject())
        {
            var value = new Value();
            ReadDynamic(property.Value, value);
            target.Fields[property.Name] = value;
        }
    }

    private static void ReadList(JsonElement json, ListValue target)
    {
        Expect(json, JsonValueKind.Array);
        foreach (var item in json.EnumerateArray())
        {
            var value = new Value();
            ReadDynamic(item, value);
            target.Values.Add(value);
        }
    }

    private static void ReadDynamic(JsonElement json, Value target)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.Object: ReadStruct(json, target.StructValue = new Struct()); break;
            case JsonValueKind.Array: ReadList(json, target.ListValue = new ListValue()); break;
            case JsonValueKind.String: target.StringValue = json.GetString()!; break;
            case JsonValueKind.Number: target.NumberValue = json.GetDouble(); break;
            case JsonValueKind.True or JsonValueKind.False: target.BoolValue = json.GetBoolean(); break;
            default: target.NullValue = NullValue.NullValue; break;
        }
    }

    private static void Expect(JsonElement json, JsonValueKind kind)
    {
        if (json.ValueKind != kind) throw new RefusedException($"expected {Kind(kind)}, found {Kind(json)}");
    }

    private static string Kind(JsonElement json) => Kind(json.ValueKind);

    private static string Kind(JsonValueKind kind) => kind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        JsonValueKind.True or JsonValueKind.False => "a boolean",
        _ => "null",
    };

    private string PathText()
    {
        var text = new StringBuilder();
        foreach (var segment in _path)
        {
            if (text.Length > 0 && segment[0] != '[') text.Append('.');
            text.Append(segment);
        }

        return text.ToString();
    }

    /// <summary>Unwinds to <see cref="Read"/>, which makes it a value; the path still stands where it was thrown.</summary>
    private sealed class RefusedException(string message) : Exception(message);
}
