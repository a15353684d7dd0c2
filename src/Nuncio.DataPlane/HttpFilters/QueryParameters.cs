using System.Text;
using Nuncio.DataPlane.Http;

namespace Nuncio.DataPlane.HttpFilters;

/// <summary>Changes the query of a request's path.</summary>
internal static class QueryParameters
{
    /// <summary>Sets and removes parameters; others stay as they are.</summary>
    public static void Change(HeaderMap headers, IReadOnlyList<(string Name, string Value)> set, IReadOnlyList<string> remove)
    {
        var path = Encoding.Latin1.GetString(headers.Get(KnownHeader.Path));
        var mark = path.IndexOf('?', StringComparison.Ordinal);
        var parts = mark < 0 ? [] : path[(mark + 1)..].Split('&', StringSplitOptions.RemoveEmptyEntries).ToList();
        foreach (var name in remove)
        {
            parts.RemoveAll(part => NameOf(part) == name);
        }

        foreach (var (name, value) in set)
        {
            var text = Encode(name) + "=" + Encode(value);
            var index = parts.FindIndex(part => NameOf(part) == name);
            parts.RemoveAll(part => NameOf(part) == name);
            parts.Insert(index < 0 ? parts.Count : Math.Min(index, parts.Count), text);
        }

        var start = mark < 0 ? path : path[..mark];
        headers.Set(KnownHeader.Path, Encoding.Latin1.GetBytes(parts.Count == 0 ? start : start + "?" + string.Join('&', parts)));
    }

    private static string NameOf(string part)
    {
        var end = part.IndexOf('=', StringComparison.Ordinal);
        return end < 0 ? part : part[..end];
    }

    // A service's text must not end the query, the request line, or the parameter.
    private static string Encode(string text)
    {
        var encoded = new StringBuilder(text.Length);
        foreach (var octet in Encoding.UTF8.GetBytes(text))
        {
            if (octet is > 0x20 and < 0x7F and not ((byte)'&' or (byte)'=' or (byte)'#'))
            {
                encoded.Append((char)octet);
            }
            else
            {
                encoded.Append('%').Append(octet.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
            }
        }

        return encoded.ToString();
    }
}
