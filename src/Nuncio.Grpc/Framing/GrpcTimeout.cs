using System.Globalization;

namespace Nuncio.Grpc.Framing;

/// <summary>The form of <c>grpc-timeout</c>: at most eight digits and a unit (gRPC's PROTOCOL-HTTP2.md).</summary>
public static class GrpcTimeout
{
    private const long MaxValue = 99_999_999;

    private static readonly (long Ticks, char Unit)[] Units =
    [
        (TimeSpan.TicksPerMillisecond, 'm'), (TimeSpan.TicksPerSecond, 'S'), (TimeSpan.TicksPerMinute, 'M'), (TimeSpan.TicksPerHour, 'H'),
    ];

    /// <summary>As the header has it, in the smallest unit from milliseconds on that fits; rounded up.</summary>
    public static string Format(TimeSpan timeout)
    {
        var ticks = Math.Max(timeout.Ticks, 1);
        foreach (var (unitTicks, unit) in Units)
        {
            var value = (ticks - 1) / unitTicks + 1;
            if (value <= MaxValue) return string.Create(CultureInfo.InvariantCulture, $"{value}{unit}");
        }

        return $"{MaxValue}H";
    }

    /// <summary>Reads the header; false where it is none.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out TimeSpan timeout)
    {
        timeout = default;
        if (text.Length is < 2 or > 9 || !long.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var value)) return false;
        var ticks = text[^1] switch
        {
            'H' => TimeSpan.TicksPerHour,
            'M' => TimeSpan.TicksPerMinute,
            'S' => TimeSpan.TicksPerSecond,
            'm' => TimeSpan.TicksPerMillisecond,
            'u' => TimeSpan.TicksPerMicrosecond,
            'n' => 0,
            _ => -1,
        };
        if (ticks < 0) return false;
        timeout = new TimeSpan(ticks == 0 ? value / 100 : value > long.MaxValue / ticks ? long.MaxValue : value * ticks);
        return true;
    }
}
