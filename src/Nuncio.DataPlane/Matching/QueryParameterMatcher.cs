using System.Text;

namespace Nuncio.DataPlane.Matching;

/// <summary>
/// A condition on the first query parameter of a name (route.v3.QueryParameterMatcher). Names and values are compared as they came, not decoded.
/// </summary>
public sealed class QueryParameterMatcher
{
    private readonly byte[] _name;
    private readonly StringMatcher? _value;

    /// <summary>On the value, or with null on its being there.</summary>
    public QueryParameterMatcher(string name, StringMatcher? value)
    {
        Name = name;
        _name = Encoding.UTF8.GetBytes(name);
        _value = value;
    }

    /// <summary>The parameter.</summary>
    public string Name { get; }

    /// <summary>Whether the query (without its <c>?</c>) fulfils it.</summary>
    public bool IsMatch(ReadOnlySpan<byte> query) => TryFind(query, _name, out var value) && (_value is null || _value.IsMatch(value));

    /// <summary>The first parameter of a name; its value is empty where it has no <c>=</c>.</summary>
    public static bool TryFind(ReadOnlySpan<byte> query, ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        while (!query.IsEmpty)
        {
            var end = query.IndexOf((byte)'&');
            var parameter = end < 0 ? query : query[..end];
            query = end < 0 ? default : query[(end + 1)..];
            var equals = parameter.IndexOf((byte)'=');
            if ((equals < 0 ? parameter : parameter[..equals]).SequenceEqual(name))
            {
                value = equals < 0 ? default : parameter[(equals + 1)..];
                return true;
            }
        }

        value = default;
        return false;
    }

    /// <inheritdoc/>
    public override string ToString() => _value is null ? $"query parameter {Name} present" : $"query parameter {Name} {_value}";
}
