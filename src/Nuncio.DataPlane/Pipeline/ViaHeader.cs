using Nuncio.DataPlane.Http;

namespace Nuncio.DataPlane.Pipeline;

/// <summary>The Via header (RFC 9110 section 7.6.3).</summary>
internal static class ViaHeader
{
    /// <summary>Appends our entry to the list.</summary>
    public static void Append(HeaderMap headers, byte[] via)
    {
        var before = headers.Get(KnownHeader.Via);
        if (before.IsEmpty)
        {
            headers.Set(KnownHeader.Via, via);
            return;
        }

        var joined = new byte[before.Length + 2 + via.Length];
        before.CopyTo(joined);
        joined[before.Length] = (byte)',';
        joined[before.Length + 1] = (byte)' ';
        via.CopyTo(joined, before.Length + 2);
        headers.Set(KnownHeader.Via, joined);
    }
}
