using Nuncio.DataPlane.Http;

namespace Nuncio.DataPlane.Pipeline;

/// <summary>
/// Extended CONNECT of HTTP/2 (RFC 8441), seen as the upgrade of HTTP/1.1 that it stands for: everything above knows only that form. The codec
/// answers 200 for 101.
/// </summary>
internal static class ExtendedConnect
{
    /// <summary>Rewrites the request's head where it is one.</summary>
    public static void ToUpgrade(HeaderMap headers)
    {
        if (!headers.TryGet(KnownHeader.Protocol, out var protocol) || !headers.Get(KnownHeader.Method).SequenceEqual("CONNECT"u8))
        {
            return;
        }

        headers.Set(KnownHeader.Upgrade, protocol);
        headers.Set(KnownHeader.Connection, "upgrade"u8);
        headers.Set(KnownHeader.Method, "GET"u8);
        headers.Remove(KnownHeader.Protocol);
    }
}
