using System.Globalization;
using Google.Protobuf.WellKnownTypes;

namespace Nuncio.Xds.Json;

/// <summary>The texts of protobuf's Duration (<c>1.500s</c>) and Timestamp (RFC 3339, UTC); with 0, 3, 6 or 9 decimals, as many as needed.</summary>
internal static class TimeText
{
    /// <summary>Largest count of whole seconds in a Duration, as duration.proto states it: about 10,000 years.</summary>
    private const long MaxSeconds = 315_576_000_000;

    public static string Format(Duration duration)
    {
        var sign = duration.Seconds < 0 || duration.Nanos < 0 ? "-" : "";
        return string.Create(CultureInfo.InvariantCulture, $"{sign}{Math.Abs(duration.Seconds)}{Decimals(Math.Abs(duration.Nanos))}s");
    }

    public static string Format(Timestamp timestamp)
    {
        var moment = DateTimeOffset.FromUnixTimeSeconds(timestamp.Seconds);
        return string.Create(CultureInfo.InvariantCulture, $"{moment:yyyy-MM-ddTHH:mm:ss}{Decimals(timestamp.Nanos)}Z");
    }

    public static bool TryParse(string text, out Duration duration)
    {
        duration = new Duration();
        if (!text.EndsWith('s')) return false;
        var rest = text.AsSpan(0, text.Length - 1);
        var negative = rest.StartsWith("-");
        if (negative) rest = rest[1..];
        var point = rest.IndexOf('.');
        var whole = point < 0 ? rest : rest[..point];
        var nanos = 0;
        if (!long.TryParse(whole, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) || seconds > MaxSeconds) return false;
        if (point >= 0 && !TryParseDecimals(rest[(point + 1)..], out nanos)) return false;
        duration.Seconds = negative ? -seconds : seconds;
        duration.Nanos = negative ? -nanos : nanos;
        return true;
    }

    public static bool TryParse(string text, out Timestamp timestamp)
    {
        timestamp = new Timestamp();
        var point = text.IndexOf('.', StringComparison.Ordinal);
        var end = point + 1;
        var nanos = 0;
        if (point >= 0)
        {
            while (end < text.Length && char.IsAsciiDigit(text[end])) end++;
            if (!TryParseDecimals(text.AsSpan(point + 1, end - point - 1), out nanos)) return false;
            text = string.Concat(text.AsSpan(0, point), text.AsSpan(end));
        }

        ReadOnlySpan<string> formats = ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:sszzz"];
        if (!DateTimeOffset.TryParseExact(text, formats.ToArray(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment)) return false;
        timestamp.Seconds = moment.ToUnixTimeSeconds();
        timestamp.Nanos = nanos;
        return true;
    }

    private static string Decimals(int nanos) =>
        nanos == 0 ? ""
        : nanos % 1_000_000 == 0 ? string.Create(CultureInfo.InvariantCulture, $".{nanos / 1_000_000:D3}")
        : nanos % 1_000 == 0 ? string.Create(CultureInfo.InvariantCulture, $".{nanos / 1_000:D6}")
        : string.Create(CultureInfo.InvariantCulture, $".{nanos:D9}");

    private static bool TryParseDecimals(ReadOnlySpan<char> digits, out int nanos)
    {
        nanos = 0;
        if (digits.Length is 0 or > 9 || !int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out nanos)) return false;
        for (var i = digits.Length; i < 9; i++) nanos *= 10;
        return true;
    }
}
