using Nuncio.DataPlane.Formatting;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;

namespace Nuncio.DataPlane.Routing;

/// <summary>Builds <c>location</c> as Envoy does (RouteEntryImplBase::newUri).</summary>
public static class Redirects
{
    /// <summary>Writes the new URL of a request whose path has been rewritten already where the redirect rewrites it.</summary>
    public static void WriteLocation(RedirectModel redirect, HeaderMap headers, FormatBuffer buffer)
    {
        ArgumentNullException.ThrowIfNull(redirect);
        ArgumentNullException.ThrowIfNull(headers);
        ArgumentNullException.ThrowIfNull(buffer);
        var scheme = redirect.Scheme ?? headers.Get(KnownHeader.Scheme);
        buffer.Write(scheme);
        buffer.Write("://"u8);
        buffer.Write(redirect.Host ?? (redirect.KeepsPort ? headers.Get(KnownHeader.Authority) : Host(headers, scheme, redirect.Port.Length > 0)));
        buffer.Write(redirect.Port);
        WritePath(redirect, headers.Get(KnownHeader.Path), buffer);
    }

    // The request's host, without a port that no longer fits: a new port is given, or the scheme changes and the old port was its default.
    private static ReadOnlySpan<byte> Host(HeaderMap headers, ReadOnlySpan<byte> scheme, bool hasPort)
    {
        var host = headers.Get(KnownHeader.Authority);
        if (host.IsEmpty)
        {
            return host;
        }

        int end;
        if (host[0] == (byte)'[')
        {
            end = host.LastIndexOf("]:"u8);
            end = end < 0 ? end : end + 1;
        }
        else
        {
            end = host.LastIndexOf((byte)':');
        }

        if (end < 0)
        {
            return host;
        }

        var remove = hasPort;
        var old = headers.Get(KnownHeader.XForwardedProto);
        if (!scheme.SequenceEqual(old))
        {
            remove |= old.SequenceEqual("https"u8) && host[end..].SequenceEqual(":443"u8);
            remove |= old.SequenceEqual("http"u8) && host[end..].SequenceEqual(":80"u8);
        }

        return remove ? host[..end] : host;
    }

    private static void WritePath(RedirectModel redirect, ReadOnlySpan<byte> current, FormatBuffer buffer)
    {
        var start = buffer.Length;
        if (redirect.Path is not { } path)
        {
            buffer.Write(current);
        }
        else
        {
            buffer.Write(path);
            if (path.AsSpan().Contains((byte)'?'))
            {
                // A query of its own replaces the request's, and is never stripped.
                return;
            }

            var query = current.IndexOf((byte)'?');
            if (query >= 0)
            {
                buffer.Write(current[query..]);
            }
        }

        if (redirect.StripQuery && buffer.Written[start..].IndexOf((byte)'?') is >= 0 and var end)
        {
            buffer.Truncate(start + end);
        }
    }
}
