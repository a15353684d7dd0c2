using Nuncio.DataPlane.Http.Http2.Hpack;

namespace Nuncio.DataPlane.Http.Http3.Qpack;

/// <summary>
/// Encodes field sections (RFC 9204 section 4.5) with the static table alone: no section refers to another one, so none is ever held up by a packet that
/// was lost elsewhere, whatever table the peer would keep for us.
/// </summary>
internal static class QpackEncoder
{
    /// <summary>Begins a section.</summary>
    public static void Start(Http3OutputBuffer output)
    {
        // No entry of the dynamic table is needed, and there is no base.
        var space = output.Space(2);
        space[0] = space[1] = 0;
        output.Advance(2);
    }

    /// <summary>Encodes one header.</summary>
    public static void Write(Http3OutputBuffer output, KnownHeader known, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        var space = output.Space(name.Length + value.Length + (2 * HpackPrimitives.MaxIntegerLength));
        var index = QpackStaticTable.Find(name, value, out var hasValue);
        if (hasValue)
        {
            output.Advance(HpackPrimitives.WriteInteger(space, 0xC0, 6, index));
            return;
        }

        // What is secret shall not be put into a table by whoever passes it on (N, RFC 9204 section 7.1.3).
        var isSecret = known is KnownHeader.Authorization or KnownHeader.SetCookie or KnownHeader.Cookie || name.SequenceEqual("proxy-authorization"u8);
        var length = index >= 0
            ? HpackPrimitives.WriteInteger(space, isSecret ? 0x70 : 0x50, 4, index)
            : HpackPrimitives.WriteText(space, isSecret ? 0x30 : 0x20, 3, name);
        output.Advance(length + HpackPrimitives.WriteText(space[length..], 0, 7, value));
    }
}
