namespace Nuncio.Resources.Reading;

/// <summary>Names of fields within a resource: <c>spec.cors.origins[1]</c>, <c>metadata.labels["example.com/team"]</c>.</summary>
internal static class FieldPath
{
    public static string Join(string path, string name) => name.AsSpan().ContainsAny('.', '[', ']')
        ? $"{path}[\"{name}\"]"
        : path.Length == 0 ? name : $"{path}.{name}";

    public static string Join(string path, int index) => $"{path}[{index}]";

    /// <summary>The names and indexes of a path, outermost first.</summary>
    public static List<string> Split(string path)
    {
        var segments = new List<string>();
        var rest = path.AsSpan();
        while (!rest.IsEmpty)
        {
            if (rest[0] == '.')
            {
                rest = rest[1..];
            }
            else if (rest.StartsWith("[\"", StringComparison.Ordinal) && rest.IndexOf("\"]", StringComparison.Ordinal) is > 0 and var quoted)
            {
                segments.Add(rest[2..quoted].ToString());
                rest = rest[(quoted + 2)..];
            }
            else if (rest[0] == '[' && rest.IndexOf(']') is > 0 and var end)
            {
                segments.Add(rest[1..end].ToString());
                rest = rest[(end + 1)..];
            }
            else
            {
                var length = rest[1..].IndexOfAny('.', '[') + 1;
                var name = length == 0 ? rest : rest[..length];
                segments.Add(name.ToString());
                rest = rest[name.Length..];
            }
        }

        return segments;
    }
}
