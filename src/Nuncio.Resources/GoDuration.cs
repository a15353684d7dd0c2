using System.Globalization;

namespace Nuncio.Resources;

/// <summary>Reads durations as Go and Envoy's JSON write them: <c>300ms</c>, <c>1.5s</c>, <c>2h45m</c>.</summary>
public static class GoDuration
{
    /// <summary>Reads one; false for anything that is not a duration, has no unit (except <c>0</c>) or does not fit.</summary>
    public static bool TryParse(string? text, out TimeSpan duration)
    {
        duration = default;
        var rest = (text ?? "").AsSpan().Trim();
        var negative = rest.StartsWith("-", StringComparison.Ordinal);
        if (negative || rest.StartsWith("+", StringComparison.Ordinal))
            rest = rest[1..];
        if (rest.IsEmpty)
            return false;
        if (rest is "0")
            return true;

        var ticks = 0m;
        while (!rest.IsEmpty)
        {
            var digits = 0;
            while (digits < rest.Length && (char.IsAsciiDigit(rest[digits]) || rest[digits] == '.'))
                digits++;
            if (digits is 0 or > 20 || !decimal.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
                return false;
            rest = rest[digits..];
            var letters = 0;
            while (letters < rest.Length && !char.IsAsciiDigit(rest[letters]) && rest[letters] != '.')
                letters++;
            if (TicksOf(rest[..letters]) is not { } unit)
                return false;
            rest = rest[letters..];
            if (number > long.MaxValue / unit)
                return false;
            ticks += number * unit;
            if (ticks > long.MaxValue)
                return false;
        }

        duration = TimeSpan.FromTicks((long)(negative ? -ticks : ticks));
        return true;
    }

    private static decimal? TicksOf(ReadOnlySpan<char> unit) => unit switch
    {
        "ns" => 0.01m,
        "us" or "µs" or "μs" => TimeSpan.TicksPerMicrosecond,
        "ms" => TimeSpan.TicksPerMillisecond,
        "s" => TimeSpan.TicksPerSecond,
        "m" => TimeSpan.TicksPerMinute,
        "h" => TimeSpan.TicksPerHour,
        _ => null,
    };
}
