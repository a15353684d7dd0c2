using System.Text.Json;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;

namespace Nuncio.Xds.Tests;

/// <summary>Where two JSON texts of one message differ in meaning: not in order, number form, duration form, or what is null, empty or a default.</summary>
internal static class JsonDifference
{
    /// <summary>What a name may stand for, in any enumeration of the contract.</summary>
    private static readonly Dictionary<string, HashSet<int>> EnumNumbers = FindEnumNumbers();

    public static string? Find(JsonElement expected, JsonElement actual, string path = "")
    {
        switch (expected.ValueKind)
        {
            case JsonValueKind.Object:
                if (actual.ValueKind != JsonValueKind.Object) return $"{path}: {expected} became {actual}";
                foreach (var property in expected.EnumerateObject())
                {
                    var here = $"{path}.{property.Name}";
                    if (actual.TryGetProperty(property.Name, out var other))
                    {
                        if (Find(property.Value, other, here) is { } difference) return difference;
                    }
                    else if (!IsNothing(property.Value))
                    {
                        return $"{here}: {property.Value} is gone";
                    }
                }

                foreach (var property in actual.EnumerateObject())
                {
                    if (!expected.TryGetProperty(property.Name, out _)) return $"{path}.{property.Name}: {property.Value} came in";
                }

                return null;
            case JsonValueKind.Array:
                if (actual.ValueKind != JsonValueKind.Array || actual.GetArrayLength() != expected.GetArrayLength())
                    return $"{path}: {expected} became {actual}";
                for (var i = 0; i < expected.GetArrayLength(); i++)
                {
                    if (Find(expected[i], actual[i], $"{path}[{i}]") is { } difference) return difference;
                }

                return null;
            default:
                return Text(expected) == Text(actual) || IsNameOf(actual, expected) ? null : $"{path}: {expected} became {actual}";
        }
    }

    private static bool IsNothing(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.False => true,
        JsonValueKind.Array => json.GetArrayLength() == 0,
        JsonValueKind.Object => !json.EnumerateObject().Any(),
        JsonValueKind.Number => json.GetDouble() == 0,
        _ => json.GetString() is "" || (EnumNumbers.TryGetValue(json.GetString()!, out var numbers) && numbers.Contains(0)),
    };

    private static bool IsNameOf(JsonElement name, JsonElement number) => name.ValueKind == JsonValueKind.String && number.ValueKind == JsonValueKind.Number
        && EnumNumbers.TryGetValue(name.GetString()!, out var numbers) && numbers.Contains(number.GetInt32());

    private static string Text(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.String when XdsJson.TryParse<Duration>(json, out var duration, out _) => XdsJson.Format(duration),
        JsonValueKind.Number => json.GetDouble().ToString(System.Globalization.CultureInfo.InvariantCulture),
        _ => json.ToString(),
    };

    private static Dictionary<string, HashSet<int>> FindEnumNumbers()
    {
        var found = new Dictionary<string, HashSet<int>>();
        foreach (var type in typeof(Envoy.Config.Listener.V3.Listener).Assembly.GetTypes())
        {
            if (type.GetProperty("Descriptor")?.GetValue(null) is FileDescriptor file) Add(file.EnumTypes, file.MessageTypes);
        }

        return found;

        void Add(IEnumerable<EnumDescriptor> enums, IEnumerable<MessageDescriptor> messages)
        {
            foreach (var value in enums.SelectMany(e => e.Values))
            {
                if (!found.TryGetValue(value.Name, out var numbers)) found[value.Name] = numbers = [];
                numbers.Add(value.Number);
            }

            foreach (var message in messages) Add(message.EnumTypes, message.NestedTypes);
        }
    }
}
