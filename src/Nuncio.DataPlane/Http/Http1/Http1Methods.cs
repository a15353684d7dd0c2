using System.Collections.Frozen;
using System.Text;

namespace Nuncio.DataPlane.Http.Http1;

/// <summary>The methods that Envoy's parser knows; others are refused unless custom methods are allowed.</summary>
internal static class Http1Methods
{
    private static readonly FrozenSet<string> Known = new[]
    {
        "DELETE", "GET", "HEAD", "POST", "PUT", "CONNECT", "OPTIONS", "TRACE", "COPY", "LOCK", "MKCOL", "MOVE", "PROPFIND", "PROPPATCH", "SEARCH",
        "UNLOCK", "BIND", "REBIND", "UNBIND", "ACL", "REPORT", "MKACTIVITY", "CHECKOUT", "MERGE", "M-SEARCH", "NOTIFY", "SUBSCRIBE", "UNSUBSCRIBE", "PATCH",
        "PURGE", "MKCALENDAR", "LINK", "UNLINK",
    }.ToFrozenSet(StringComparer.Ordinal);

    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> Lookup = Known.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Whether it is one of them; case matters.</summary>
    public static bool IsKnown(ReadOnlySpan<byte> method)
    {
        if (method.SequenceEqual("GET"u8) || method.SequenceEqual("POST"u8))
        {
            return true;
        }

        if (method.Length > 16)
        {
            return false;
        }

        Span<char> text = stackalloc char[16];
        return Lookup.Contains(text[..Encoding.ASCII.GetChars(method, text)]);
    }
}
