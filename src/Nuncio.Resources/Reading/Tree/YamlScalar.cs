using System.Globalization;

namespace Nuncio.Resources.Reading.Tree;

/// <summary>
/// What a plain scalar stands for. The rules are those of the YAML library that Kubernetes' tools use: YAML 1.1 with <c>yes</c>, <c>no</c>,
/// <c>on</c> and <c>off</c> as booleans, but without sexagesimal numbers.
/// </summary>
internal static class YamlScalar
{
    public static ScalarKind KindOf(string text)
    {
        if (text.Length == 0)
            return ScalarKind.Null;
        var first = text[0];
        if (char.IsAsciiLetter(first) || first == '~')
            return KindOfWord(text);
        if (!char.IsAsciiDigit(first) && first is not ('+' or '-' or '.'))
            return ScalarKind.Text;
        if (TryParseInteger(text, out _))
            return ScalarKind.Integer;
        return IsFloat(text) ? ScalarKind.Float : ScalarKind.Text;
    }

    public static bool IsTrue(string text) => text is "true" or "True" or "TRUE" or "yes" or "Yes" or "YES" or "on" or "On" or "ON";

    public static bool TryParseInteger(string text, out long value)
    {
        value = 0;
        var digits = text.AsSpan();
        var negative = digits is ['-', ..];
        if (digits is ['-' or '+', ..])
            digits = digits[1..];
        if (digits.IsEmpty || !char.IsAsciiDigit(digits[0]))
            return false;
        if (digits.Contains('_'))
            digits = digits.ToString().Replace("_", "", StringComparison.Ordinal);

        ulong magnitude;
        var isNumber = digits switch
        {
            ['0', 'x' or 'X', _, ..] => ulong.TryParse(digits[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out magnitude),
            ['0', 'b' or 'B', _, ..] => ulong.TryParse(digits[2..], NumberStyles.AllowBinarySpecifier, CultureInfo.InvariantCulture, out magnitude),
            ['0', 'o' or 'O', _, ..] => TryParseOctal(digits[2..], out magnitude),
            ['0', _, ..] => TryParseOctal(digits[1..], out magnitude),
            _ => ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out magnitude),
        };
        if (!isNumber || magnitude > long.MaxValue)
            return false;
        value = negative ? -(long)magnitude : (long)magnitude;
        return true;
    }

    private static ScalarKind KindOfWord(string text) => text switch
    {
        "~" or "null" or "Null" or "NULL" => ScalarKind.Null,
        "true" or "True" or "TRUE" or "yes" or "Yes" or "YES" or "on" or "On" or "ON"
            or "false" or "False" or "FALSE" or "no" or "No" or "NO" or "off" or "Off" or "OFF" => ScalarKind.Boolean,
        _ => ScalarKind.Text,
    };

    private static bool TryParseOctal(ReadOnlySpan<char> digits, out ulong value)
    {
        value = 0;
        foreach (var digit in digits)
        {
            if (digit is < '0' or > '7' || value > ulong.MaxValue >> 3)
                return false;
            value = (value << 3) | (uint)(digit - '0');
        }

        return true;
    }

    private static bool IsFloat(string text)
    {
        if (text is ".inf" or "-.inf" or "+.inf" or ".Inf" or ".INF" or ".nan" or ".NaN" or ".NAN")
            return true;
        var digitSeen = false;
        foreach (var c in text)
        {
            if (char.IsAsciiDigit(c))
                digitSeen = true;
            else if (c is not ('.' or '-' or '+' or 'e' or 'E'))
                return false;
        }

        return digitSeen && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out _);
    }
}
