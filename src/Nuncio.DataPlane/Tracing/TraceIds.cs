using System.Globalization;
using System.Text;

namespace Nuncio.DataPlane.Tracing;

/// <summary>Ids of traces and spans as hexadecimal text.</summary>
internal static class TraceIds
{
    /// <summary>A random id other than 0.</summary>
    public static ulong Next()
    {
        ulong id;
        do
        {
            id = (ulong)Random.Shared.NextInt64(long.MinValue, long.MaxValue);
        }
        while (id == 0);
        return id;
    }

    /// <summary>16 digits, or 32 where there is an upper half.</summary>
    public static string Text(ulong high, ulong low) => high == 0 ? Text(low) : Text(high) + Text(low);

    /// <summary>16 digits.</summary>
    public static string Text(ulong id) => id.ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>Reads 1 to 32 digits.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out ulong high, out ulong low)
    {
        high = low = 0;
        if (text.Length is 0 or > 32)
        {
            return false;
        }

        var split = Math.Max(text.Length - 16, 0);
        return (split == 0 || ulong.TryParse(text[..split], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out high))
            && ulong.TryParse(text[split..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out low);
    }

    /// <summary>As bytes for headers.</summary>
    public static byte[] Bytes(string text) => Encoding.ASCII.GetBytes(text);
}
