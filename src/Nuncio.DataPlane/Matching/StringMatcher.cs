using System.Text;

namespace Nuncio.DataPlane.Matching;

/// <summary>What a <see cref="StringMatcher"/> compares.</summary>
public enum StringMatchKind : byte
{
#pragma warning disable CS1591 // as in matcher.v3.StringMatcher
    Exact,
    Prefix,
    Suffix,
    Contains,
    Regex,
#pragma warning restore CS1591
}

/// <summary>Compares bytes with a pattern (matcher.v3.StringMatcher).</summary>
public sealed class StringMatcher
{
    private readonly byte[] _pattern;
    private readonly RegexPattern? _regex;

    /// <summary>Of a literal pattern.</summary>
    /// <param name="kind">Other than a regular expression.</param>
    /// <param name="pattern">What it is compared with.</param>
    /// <param name="ignoreCase">ASCII letters match in either case.</param>
    public StringMatcher(StringMatchKind kind, string pattern, bool ignoreCase)
    {
        Kind = kind;
        Pattern = pattern;
        IgnoreCase = ignoreCase;
        _pattern = Encoding.UTF8.GetBytes(pattern);
    }

    /// <summary>Of a regular expression, which must match the whole.</summary>
    public StringMatcher(RegexPattern regex)
    {
        Kind = StringMatchKind.Regex;
        Pattern = regex.Source;
        _regex = regex;
        _pattern = [];
    }

    /// <summary>How it is compared.</summary>
    public StringMatchKind Kind { get; }

    /// <summary>What it is compared with, as written.</summary>
    public string Pattern { get; }

    /// <summary>The bytes of a literal pattern.</summary>
    public ReadOnlySpan<byte> PatternBytes => _pattern;

    /// <summary>ASCII letters match in either case. Not for regular expressions.</summary>
    public bool IgnoreCase { get; }

    /// <summary>Whether the value matches.</summary>
    public bool IsMatch(ReadOnlySpan<byte> value) => Kind switch
    {
        StringMatchKind.Exact => IgnoreCase ? Ascii.EqualsIgnoreCase(value, _pattern) : value.SequenceEqual(_pattern),
        StringMatchKind.Prefix => value.Length >= _pattern.Length && Same(value[.._pattern.Length]),
        StringMatchKind.Suffix => value.Length >= _pattern.Length && Same(value[^_pattern.Length..]),
        StringMatchKind.Contains => IgnoreCase ? ContainsIgnoringCase(value) : value.IndexOf(_pattern) >= 0,
        _ => _regex!.IsMatch(value),
    };

    /// <inheritdoc/>
    public override string ToString() => $"{Kind.ToString().ToLowerInvariant()} \"{Pattern}\"{(IgnoreCase ? " (ignoring case)" : "")}";

    private bool Same(ReadOnlySpan<byte> value) => IgnoreCase ? Ascii.EqualsIgnoreCase(value, _pattern) : value.SequenceEqual(_pattern);

    private bool ContainsIgnoringCase(ReadOnlySpan<byte> value)
    {
        for (var i = 0; i + _pattern.Length <= value.Length; i++)
        {
            if (Ascii.EqualsIgnoreCase(value.Slice(i, _pattern.Length), _pattern))
            {
                return true;
            }
        }

        return false;
    }
}
