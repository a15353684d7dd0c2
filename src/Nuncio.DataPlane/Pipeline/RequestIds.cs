using System.Buffers;
using System.Buffers.Text;
using Nuncio.DataPlane.Http;

namespace Nuncio.DataPlane.Pipeline;

/// <summary>x-request-id as random UUIDs (Envoy's default request id extension).</summary>
internal static class RequestIds
{
    // The place of the UUID's version, where Envoy keeps why a request is traced; 4 is "it is not".
    private const int TraceReason = 14;

    /// <summary>Makes one where there is none, or where an external client's may not stay.</summary>
    public static void Set(HeaderMap headers, bool isEdge, bool keepExternal)
    {
        var id = headers.Get(KnownHeader.XRequestId);
        if (id.IsEmpty || (isEdge && !keepExternal))
        {
            Span<byte> text = stackalloc byte[36];
            Write(text);
            headers.Set(KnownHeader.XRequestId, text);
            return;
        }

        if (isEdge && id.Length == 36 && id[TraceReason] is (byte)'9' or (byte)'a' or (byte)'b')
        {
            Span<byte> copy = stackalloc byte[36];
            id.CopyTo(copy);
            copy[TraceReason] = (byte)'4';
            headers.Set(KnownHeader.XRequestId, copy);
        }
    }

    private static void Write(Span<byte> text)
    {
        // A version 4 UUID of a fast generator: it is a name, not a secret.
        Span<byte> bytes = stackalloc byte[16];
        Random.Shared.NextBytes(bytes);
        bytes[7] = (byte)((bytes[7] & 0x0F) | 0x40);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        _ = Utf8Formatter.TryFormat(new Guid(bytes), text, out _, new StandardFormat('D'));
    }
}
