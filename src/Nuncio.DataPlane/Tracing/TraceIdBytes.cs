using System.Buffers.Binary;

namespace Nuncio.DataPlane.Tracing;

/// <summary>Ids as big-endian bytes.</summary>
internal static class TraceIdBytes
{
    /// <summary>A trace's id: 16 bytes, or 8 where it has 64 bits.</summary>
    public static byte[] Of(TraceSpan span, bool always128)
    {
        if (span.TraceIdHigh == 0 && !always128)
        {
            return Of(span.TraceId);
        }

        var bytes = new byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, span.TraceIdHigh);
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(8), span.TraceId);
        return bytes;
    }

    /// <summary>A span's id.</summary>
    public static byte[] Of(ulong id)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, id);
        return bytes;
    }
}
