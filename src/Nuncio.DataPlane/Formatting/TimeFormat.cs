using System.Globalization;
using System.Text;

namespace Nuncio.DataPlane.Formatting;

/// <summary>
/// A time in the form of strftime with Envoy's additions: <c>%s</c> seconds since 1970, <c>%3f</c> and the like digits of the fraction, <c>%E3S</c>
/// seconds with a fraction. Always UTC. Default <c>2026-01-31T12:00:00.000Z</c>.
/// </summary>
internal sealed class TimeFormat
{
    private static readonly string[] Days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

    private static readonly string[] Months =
        ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

    private readonly (char Kind, int Digits, byte[] Literal)[] _parts;

    private TimeFormat((char Kind, int Digits, byte[] Literal)[] parts) => _parts = parts;

    public static bool TryParse(string? format, out TimeFormat parsed, out string error)
    {
        format = string.IsNullOrEmpty(format) ? "%Y-%m-%dT%H:%M:%E3SZ" : format;
        format = format.Replace("%T", "%H:%M:%S", StringComparison.Ordinal).Replace("%F", "%Y-%m-%d", StringComparison.Ordinal)
            .Replace("%D", "%m/%d/%y", StringComparison.Ordinal).Replace("%R", "%H:%M", StringComparison.Ordinal)
            .Replace("%Ez", "%:", StringComparison.Ordinal);
        var parts = new List<(char Kind, int Digits, byte[] Literal)>();
        var literal = new StringBuilder();
        parsed = null!;
        error = "";
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%')
            {
                literal.Append(format[i]);
                continue;
            }

            var kind = ++i < format.Length ? format[i] : '\0';
            var digits = 0;
            if (kind == 'E' && i + 2 < format.Length && char.IsAsciiDigit(format[i + 1]) && format[i + 2] == 'S')
            {
                digits = format[i + 1] - '0';
                kind = 'E';
                i += 2;
            }
            else if (kind is >= '1' and <= '9' && i + 1 < format.Length && format[i + 1] == 'f')
            {
                digits = kind - '0';
                kind = 'f';
                i++;
            }
            else if (kind == 'f')
            {
                digits = 9;
            }

            switch (kind)
            {
                case '%' or 'n' or 't':
                    literal.Append(kind switch { 'n' => '\n', 't' => '\t', _ => '%' });
                    continue;
                case 'Y' or 'y' or 'm' or 'd' or 'e' or 'H' or 'I' or 'M' or 'S' or 'p' or 'j' or 'a' or 'A' or 'b' or 'B' or 'h' or 's' or 'f' or 'E' or 'Z'
                    or 'z' or 'u' or 'w' or ':':
                    if (literal.Length > 0)
                    {
                        parts.Add(('\0', 0, Encoding.UTF8.GetBytes(literal.ToString())));
                        literal.Clear();
                    }

                    parts.Add((kind, digits, []));
                    continue;
                default:
                    error = string.Create(CultureInfo.InvariantCulture, $"the time format \"{format}\" has an unknown specifier at position {i}");
                    return false;
            }
        }

        if (literal.Length > 0)
        {
            parts.Add(('\0', 0, Encoding.UTF8.GetBytes(literal.ToString())));
        }

        parsed = new TimeFormat([.. parts]);
        return true;
    }

    public bool Write(DateTimeOffset time, FormatBuffer buffer)
    {
        var t = time.UtcDateTime;
        var nanoseconds = t.Ticks % TimeSpan.TicksPerSecond * 100;
        foreach (var (kind, digits, literal) in _parts)
        {
            switch (kind)
            {
                case '\0':
                    buffer.Write(literal);
                    break;
                case 'Y':
                    buffer.Write(t.Year);
                    break;
                case 'y':
                    buffer.Write(t.Year % 100, 2);
                    break;
                case 'm':
                    buffer.Write(t.Month, 2);
                    break;
                case 'd':
                    buffer.Write(t.Day, 2);
                    break;
                case 'e':
                    buffer.Write(t.Day < 10 ? " "u8 : default);
                    buffer.Write(t.Day);
                    break;
                case 'H':
                    buffer.Write(t.Hour, 2);
                    break;
                case 'I':
                    buffer.Write(((t.Hour + 11) % 12) + 1, 2);
                    break;
                case 'M':
                    buffer.Write(t.Minute, 2);
                    break;
                case 'S':
                    buffer.Write(t.Second, 2);
                    break;
                case 'E':
                    buffer.Write(t.Second, 2);
                    if (digits > 0)
                    {
                        buffer.Write((byte)'.');
                        Fraction(nanoseconds, digits, buffer);
                    }

                    break;
                case 'f':
                    Fraction(nanoseconds, digits, buffer);
                    break;
                case 'p':
                    buffer.Write(t.Hour < 12 ? "AM" : "PM");
                    break;
                case 'j':
                    buffer.Write(t.DayOfYear, 3);
                    break;
                case 'a':
                    buffer.Write(Days[(int)t.DayOfWeek][..3]);
                    break;
                case 'A':
                    buffer.Write(Days[(int)t.DayOfWeek]);
                    break;
                case 'b' or 'h':
                    buffer.Write(Months[t.Month - 1][..3]);
                    break;
                case 'B':
                    buffer.Write(Months[t.Month - 1]);
                    break;
                case 's':
                    buffer.Write(time.ToUnixTimeSeconds());
                    break;
                case 'u':
                    buffer.Write(t.DayOfWeek == DayOfWeek.Sunday ? 7 : (int)t.DayOfWeek);
                    break;
                case 'w':
                    buffer.Write((int)t.DayOfWeek);
                    break;
                case 'Z':
                    buffer.Write("UTC");
                    break;
                case 'z':
                    buffer.Write("+0000");
                    break;
                default:
                    buffer.Write("+00:00");
                    break;
            }
        }

        return true;
    }

    private static void Fraction(long nanoseconds, int digits, FormatBuffer buffer)
    {
        var divisor = 1L;
        for (var i = digits; i < 9; i++)
        {
            divisor *= 10;
        }

        buffer.Write(nanoseconds / divisor, digits);
    }
}
