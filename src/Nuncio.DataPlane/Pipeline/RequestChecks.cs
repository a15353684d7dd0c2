using System.Buffers;
using Nuncio.DataPlane.Errors;
using Nuncio.DataPlane.Http;

namespace Nuncio.DataPlane.Pipeline;

/// <summary>What every request must have before anything else looks at it.</summary>
internal static class RequestChecks
{
    // What Envoy (nghttp2_check_authority) lets an authority have.
    private static readonly SearchValues<byte> AuthorityBytes =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%!$&'()*+,;=:@[]"u8);

    /// <summary>The reply to a request that has not; null where all is well.</summary>
    public static LocalReply? Check(HeaderMap headers)
    {
        var host = headers.Get(KnownHeader.Authority);
        if (host.IsEmpty)
        {
            return LocalReplies.MissingHost;
        }

        if (host.ContainsAnyExcept(AuthorityBytes))
        {
            return LocalReplies.InvalidAuthority;
        }

        var path = headers.Get(KnownHeader.Path);
        if (path.IsEmpty)
        {
            return headers.Get(KnownHeader.Method).SequenceEqual("CONNECT"u8) ? null : LocalReplies.MissingPath;
        }

        return path[0] == (byte)'/' ? null : LocalReplies.AbsolutePath;
    }
}
