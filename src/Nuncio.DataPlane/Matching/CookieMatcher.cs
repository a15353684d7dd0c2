using System.Text;
using Nuncio.DataPlane.Http;

namespace Nuncio.DataPlane.Matching;

/// <summary>A condition on a cookie (route.v3.CookieMatcher).</summary>
public sealed class CookieMatcher
{
    private readonly byte[] _name;
    private readonly StringMatcher _value;
    private readonly bool _invert;

    /// <summary>On the value of the cookie.</summary>
    public CookieMatcher(string name, StringMatcher value, bool invert)
    {
        Name = name;
        _name = Encoding.UTF8.GetBytes(name);
        _value = value;
        _invert = invert;
    }

    /// <summary>The cookie.</summary>
    public string Name { get; }

    /// <summary>Whether the request's cookies fulfil it.</summary>
    public bool IsMatch(HeaderMap headers) => (TryFind(headers, _name, out var value) && _value.IsMatch(value)) != _invert;

    /// <summary>The first cookie of a name in all Cookie headers.</summary>
    public static bool TryFind(HeaderMap headers, ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        value = default;
        if (!headers.Contains(KnownHeader.Cookie))
        {
            return false;
        }

        foreach (var header in headers)
        {
            if (header.Known != KnownHeader.Cookie)
            {
                continue;
            }

            var rest = header.Value;
            while (!rest.IsEmpty)
            {
                var end = rest.IndexOf((byte)';');
                var pair = (end < 0 ? rest : rest[..end]).Trim((byte)' ');
                rest = end < 0 ? default : rest[(end + 1)..];
                var equals = pair.IndexOf((byte)'=');
                if (equals >= 0 && pair[..equals].SequenceEqual(name))
                {
                    value = pair[(equals + 1)..].Trim((byte)'"');
                    return true;
                }
            }
        }

        return false;
    }

    /// <inheritdoc/>
    public override string ToString() => $"cookie {Name} {(_invert ? "not " : "")}{_value}";
}
