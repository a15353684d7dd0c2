using System.Text;

namespace Nuncio.DataPlane.Http;

/// <summary>The head of an extended CONNECT (RFC 8441 over HTTP/2, RFC 9220 over HTTP/3).</summary>
internal static class ExtendedConnectHead
{
    /// <summary>Shows it as the upgrade of HTTP/1.1 that it stands for, which is all that is known above the codecs; false where it is none.</summary>
    public static bool ShowAsUpgrade(HeaderMap headers)
    {
        if (!headers.TryGet(KnownHeader.Protocol, out var protocol))
        {
            return false;
        }

        if (Ascii.EqualsIgnoreCase(protocol, "bytestream"u8))
        {
            // What Envoys make of CONNECT among themselves (draft-kinnear-httpbis-http2-transport).
            headers.Remove(KnownHeader.Protocol);
            return false;
        }

        headers.Set(KnownHeader.Method, "GET"u8);
        headers.Add(KnownHeader.Upgrade, protocol);
        headers.Add(KnownHeader.Connection, "upgrade"u8);
        headers.Remove(KnownHeader.Protocol);
        return true;
    }
}
