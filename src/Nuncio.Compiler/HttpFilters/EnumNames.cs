using System.Reflection;
using Google.Protobuf.Reflection;

namespace Nuncio.Compiler.HttpFilters;

/// <summary>Reads enum values under the names that Envoy's proto files give them.</summary>
internal static class EnumNames
{
    /// <summary>The value; null for a null or unknown name.</summary>
    public static T? Read<T>(string? name)
        where T : struct, Enum =>
        name is not null && Table<T>.Values.TryGetValue(name, out var value) ? value : null;

    private static class Table<T>
        where T : struct, Enum
    {
        public static readonly Dictionary<string, T> Values = typeof(T)
            .GetFields(BindingFlags.Public | BindingFlags.Static)
            .ToDictionary(
                field => field.GetCustomAttribute<OriginalNameAttribute>()?.Name ?? field.Name, field => (T)field.GetValue(null)!, StringComparer.Ordinal);
    }
}
