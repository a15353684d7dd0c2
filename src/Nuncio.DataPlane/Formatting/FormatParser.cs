using System.Globalization;
using System.Text;

namespace Nuncio.DataPlane.Formatting;

/// <summary>
/// Cuts a format into literals and operators: <c>%NAME%</c>, <c>%NAME(arguments)%</c>, <c>%NAME(arguments):LENGTH%</c>, and <c>%%</c> for a percent sign.
/// </summary>
internal static class FormatParser
{
    /// <summary>The parts of a format; false with the reason.</summary>
    /// <param name="format">The text.</param>
    /// <param name="operators">The parts.</param>
    /// <param name="error">The reason.</param>
    /// <param name="absent">Gets the operators that Envoy has and we do not, which are then without a value; null: they are an error.</param>
    public static bool TryParse(string format, out FormatOperator[] operators, out string error, ISet<string>? absent = null)
    {
        var found = new List<FormatOperator>();
        var literal = new StringBuilder();
        operators = [];
        error = "";
        for (var at = 0; at < format.Length;)
        {
            if (format[at] != '%')
            {
                literal.Append(format[at++]);
                continue;
            }

            if (at + 1 < format.Length && format[at + 1] == '%')
            {
                literal.Append('%');
                at += 2;
                continue;
            }

            if (!TryParseOperator(format, ref at, absent, out var op, out error))
            {
                return false;
            }

            FlushLiteral();
            found.Add(op);
        }

        FlushLiteral();
        operators = [.. found];
        return true;

        void FlushLiteral()
        {
            if (literal.Length > 0)
            {
                found.Add(new FormatOperator(Encoding.UTF8.GetBytes(literal.ToString())));
                literal.Clear();
            }
        }
    }

    private static bool TryParseOperator(string format, ref int at, ISet<string>? absent, out FormatOperator op, out string error)
    {
        op = null!;
        var start = at;
        var end = at + 1;
        while (end < format.Length && (char.IsAsciiLetterUpper(format[end]) || char.IsAsciiDigit(format[end]) || format[end] == '_'))
        {
            end++;
        }

        var name = format[(at + 1)..end];
        string? arguments = null;
        if (end < format.Length && format[end] == '(')
        {
            // The arguments end at the first parenthesis that is followed by a length or the closing sign: time formats may hold both.
            var close = end;
            do
            {
                close = format.IndexOf(')', close + 1);
            }
            while (close >= 0 && !(close + 1 < format.Length && format[close + 1] is '%' or ':'));
            if (close < 0)
            {
                error = $"\"{format}\": no closing parenthesis of the operator at position {start}";
                return false;
            }

            arguments = format[(end + 1)..close];
            end = close + 1;
        }

        var length = 0;
        if (end < format.Length && format[end] == ':')
        {
            var digits = end + 1;
            while (digits < format.Length && char.IsAsciiDigit(format[digits]))
            {
                digits++;
            }

            if (!int.TryParse(format.AsSpan(end + 1, digits - end - 1), NumberStyles.None, CultureInfo.InvariantCulture, out length))
            {
                error = $"\"{format}\": the length of the operator at position {start} is not a number";
                return false;
            }

            end = digits;
        }

        if (name.Length == 0 || end >= format.Length || format[end] != '%')
        {
            error = $"\"{format}\": no valid operator at position {start}";
            return false;
        }

        at = end + 1;
        if (FormatOperators.Create(name, arguments, length, out error) is { } created)
        {
            op = created;
            return true;
        }

        if (absent is null || !AbsentOperators.Contains(name))
        {
            return false;
        }

        absent.Add(name);
        op = new FormatOperator(static (_, _) => false, isNumber: false, maxLength: 0);
        error = "";
        return true;
    }
}
