using System.Text;
using System.Text.RegularExpressions;

namespace Nuncio.DataPlane.Matching;

/// <summary>Replaces every match of an RE2 expression (matcher.v3.RegexMatchAndSubstitute): <c>\0</c> to <c>\9</c> stand for groups.</summary>
public sealed class RegexRewrite
{
    private readonly Regex _regex;
    private readonly string[] _literals;
    private readonly int[] _groups;

    private RegexRewrite(Regex regex, string source, string substitution, string[] literals, int[] groups)
    {
        _regex = regex;
        Source = source;
        Substitution = substitution;
        _literals = literals;
        _groups = groups;
    }

    /// <summary>The expression as it was written.</summary>
    public string Source { get; }

    /// <summary>The substitution as it was written.</summary>
    public string Substitution { get; }

    /// <summary>
    /// Compiles both; null with the reason where RE2 would refuse one of them. A substitution that names a group that the expression does not have replaces
    /// nothing, as in Envoy.
    /// </summary>
    public static RegexRewrite? TryCreate(string source, string substitution, out string error)
    {
        if (RegexPattern.Compile(source, fullMatch: false, out error) is not { } regex)
        {
            return null;
        }

        List<string> literals = [];
        List<int> groups = [];
        var literal = new StringBuilder();
        var last = regex.GetGroupNumbers().Length - 1;
        for (var i = 0; i < substitution.Length; i++)
        {
            var c = substitution[i];
            if (c != '\\')
            {
                literal.Append(c);
                continue;
            }

            var next = ++i < substitution.Length ? substitution[i] : '\0';
            if (next == '\\')
            {
                literal.Append('\\');
            }
            else if (char.IsAsciiDigit(next) && next - '0' > last)
            {
                return new RegexRewrite(regex, source, substitution, ["", ""], [0]);
            }
            else if (char.IsAsciiDigit(next))
            {
                literals.Add(literal.ToString());
                literal.Clear();
                groups.Add(next - '0');
            }
            else
            {
                error = "in the substitution a backslash must be followed by a digit or a backslash";
                return null;
            }
        }

        literals.Add(literal.ToString());
        return new RegexRewrite(regex, source, substitution, [.. literals], [.. groups]);
    }

    /// <summary>The text with every match replaced, as RE2's GlobalReplace: an empty match right behind a match does not count.</summary>
    public string Replace(string text)
    {
        var match = _regex.Match(text);
        if (!match.Success)
        {
            return text;
        }

        var result = new StringBuilder(text.Length + 16);
        var copied = 0;
        var lastEnd = -1;
        for (; match.Success; match = match.NextMatch())
        {
            if (match.Length == 0 && match.Index == lastEnd)
            {
                continue;
            }

            result.Append(text, copied, match.Index - copied);
            for (var i = 0; i < _groups.Length; i++)
            {
                result.Append(_literals[i]).Append(match.Groups[_groups[i]].ValueSpan);
            }

            result.Append(_literals[^1]);
            copied = lastEnd = match.Index + match.Length;
        }

        return result.Append(text, copied, text.Length - copied).ToString();
    }

    /// <summary>The bytes with every match replaced.</summary>
    public byte[] Replace(ReadOnlySpan<byte> bytes)
    {
        // A byte that is no UTF-8 must come through as it is; Latin-1 keeps all of them, and expressions see them as the letters of that set.
        var ascii = Ascii.IsValid(bytes);
        var utf8 = !ascii && System.Text.Unicode.Utf8.IsValid(bytes);
        var encoding = utf8 ? Encoding.UTF8 : Encoding.Latin1;
        var replaced = Replace(encoding.GetString(bytes));
        return !utf8 && !Ascii.IsValid(Substitution) ? Encoding.UTF8.GetBytes(replaced) : encoding.GetBytes(replaced);
    }
}
