using System.Globalization;
using System.Text;

namespace Nuncio.DataPlane.Pipeline;

/// <summary>The value of <c>date</c> (RFC 9110 section 6.6.1), made once a second.</summary>
internal static class DateHeader
{
    private static Entry _current = new(-1, []);

    /// <summary>The time as <c>date</c> has it.</summary>
    public static byte[] Now(DateTimeOffset time)
    {
        var second = time.ToUnixTimeSeconds();
        var entry = Volatile.Read(ref _current);
        if (entry.Second != second)
        {
            entry = new Entry(second, Encoding.ASCII.GetBytes(time.UtcDateTime.ToString("R", CultureInfo.InvariantCulture)));
            Volatile.Write(ref _current, entry);
        }

        return entry.Text;
    }

    private sealed record Entry(long Second, byte[] Text);
}
