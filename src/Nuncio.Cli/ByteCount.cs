using System.Globalization;

namespace Nuncio.Cli;

/// <summary>A number of bytes as Kubernetes writes it: <c>512Mi</c>.</summary>
internal static class ByteCount
{
    private static readonly (string Suffix, int Shift)[] Units = [("Ki", 10), ("Mi", 20), ("Gi", 30)];

    /// <summary>The number; null where the text is none, or is not above 0.</summary>
    public static long? Parse(string text)
    {
        var shift = 0;
        foreach (var unit in Units)
        {
            if (text.EndsWith(unit.Suffix, StringComparison.Ordinal))
                (text, shift) = (text[..^unit.Suffix.Length], unit.Shift);
        }

        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0 && count <= long.MaxValue >> shift
            ? count << shift : null;
    }
}
