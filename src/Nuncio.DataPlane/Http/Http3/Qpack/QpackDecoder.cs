using Nuncio.DataPlane.Http.Http2;
using Nuncio.DataPlane.Http.Http2.Hpack;

namespace Nuncio.DataPlane.Http.Http3.Qpack;

/// <summary>
/// Decodes field sections (RFC 9204 section 4.5) of a peer that may use no dynamic table, because our SETTINGS give it none: no request can ever wait for
/// another stream, and nothing of a connection is kept.
/// </summary>
internal static class QpackDecoder
{
    /// <summary>
    /// Decodes a whole section into <paramref name="reader"/>. False when it cannot be decoded, which includes every reference to the dynamic table:
    /// QPACK_DECOMPRESSION_FAILED, after which the connection is useless.
    /// </summary>
    public static bool Decode(ReadOnlySpan<byte> section, Http2HeaderReader reader)
    {
        byte[] name = [];
        byte[] value = [];
        try
        {
            return Decode(section, reader, ref name, ref value);
        }
        finally
        {
            HpackPrimitives.Return(ref name);
            HpackPrimitives.Return(ref value);
        }
    }

    private static bool Decode(ReadOnlySpan<byte> section, Http2HeaderReader reader, ref byte[] nameScratch, ref byte[] valueScratch)
    {
        var at = 0;

        // Required Insert Count and Delta Base; without a dynamic table the first is 0, a base below it is none (section 4.5.1.2), and what is relative to
        // another one is never used.
        if (!HpackPrimitives.TryReadInteger(section, ref at, 8, out var required) || required != 0
            || at >= section.Length || (section[at] & 0x80) != 0 || !HpackPrimitives.TryReadInteger(section, ref at, 7, out _))
        {
            return false;
        }

        while (at < section.Length)
        {
            var first = section[at];
            if ((first & 0x80) != 0)
            {
                // Indexed field line; T says static.
                if ((first & 0x40) == 0 || !HpackPrimitives.TryReadInteger(section, ref at, 6, out var index) || index >= QpackStaticTable.Count)
                {
                    return false;
                }

                ref readonly var entry = ref QpackStaticTable.At(index);
                reader.OnHeader(entry.Known, entry.Name, entry.Value);
            }
            else if ((first & 0x40) != 0)
            {
                // Literal field line with name reference; T says static.
                if ((first & 0x10) == 0 || !HpackPrimitives.TryReadInteger(section, ref at, 4, out var index) || index >= QpackStaticTable.Count
                    || !HpackPrimitives.TryReadText(section, ref at, 7, ref valueScratch, out var value))
                {
                    return false;
                }

                ref readonly var entry = ref QpackStaticTable.At(index);
                reader.OnHeader(entry.Known, entry.Name, value);
            }
            else if ((first & 0x20) != 0)
            {
                // Literal field line with literal name.
                if (!HpackPrimitives.TryReadText(section, ref at, 3, ref nameScratch, out var name)
                    || !HpackPrimitives.TryReadText(section, ref at, 7, ref valueScratch, out var value))
                {
                    return false;
                }

                reader.OnHeader(KnownHeaders.Find(name), name, value);
            }
            else
            {
                // Post-base references are to the dynamic table.
                return false;
            }
        }

        return true;
    }
}
