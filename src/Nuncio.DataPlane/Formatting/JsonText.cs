using System.Buffers;
using System.Text.Encodings.Web;

namespace Nuncio.DataPlane.Formatting;

/// <summary>Escapes text for JSON in place.</summary>
internal static class JsonText
{
    private static readonly SearchValues<byte> Special = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20).Select(b => (byte)b), (byte)'"', (byte)'\\', .. Enumerable.Range(0x7F, 0x81).Select(b => (byte)b)]);

    /// <summary>Escapes what was written from <paramref name="start"/> on. Bytes that are no UTF-8 become U+FFFD.</summary>
    public static void EscapeFrom(FormatBuffer buffer, int start)
    {
        if (!buffer.Written[start..].ContainsAny(Special))
        {
            return;
        }

        var length = buffer.Length - start;
        var copy = ArrayPool<byte>.Shared.Rent(length);
        buffer.Written[start..].CopyTo(copy);
        buffer.Truncate(start);
        ReadOnlySpan<byte> rest = copy.AsSpan(0, length);
        while (!rest.IsEmpty)
        {
            JavaScriptEncoder.UnsafeRelaxedJsonEscaping.EncodeUtf8(rest, buffer.GetSpan((rest.Length * 6) + 12), out var consumed, out var written);
            buffer.Advance(written);
            rest = rest[consumed..];
        }

        ArrayPool<byte>.Shared.Return(copy);
    }
}
