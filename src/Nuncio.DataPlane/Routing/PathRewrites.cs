using System.Text;
using Nuncio.DataPlane.Formatting;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Pipeline;

namespace Nuncio.DataPlane.Routing;

/// <summary>Rewrites <c>:path</c> and <c>:authority</c> as a route says (Envoy's finalizePathHeader and finalizeHostHeader).</summary>
internal static class PathRewrites
{
    /// <summary>Rewrites the path; the query stays.</summary>
    public static void RewritePath(PathRewriteModel rewrite, RouteMatchModel match, HeaderMap headers, HttpExchange exchange, bool keepOriginal)
    {
        var target = headers.Get(KnownHeader.Path);
        if (target.IsEmpty)
        {
            return;
        }

        var end = target.IndexOfAny((byte)'?', (byte)'#');
        var path = end < 0 ? target : target[..end];
        var buffer = FormatBuffer.Rent();
        if (rewrite.Prefix is { } prefix)
        {
            // What the route matched: its prefix, or the whole path where it asked for all of it.
            var matched = match.Kind is PathMatchKind.Prefix or PathMatchKind.PathSeparatedPrefix ? Math.Min(match.Literal.Length, path.Length) : path.Length;
            buffer.Write(prefix);
            buffer.Write(target[matched..]);
        }
        else if (rewrite.Regex is { } regex)
        {
            buffer.Write(regex.Replace(path));
            buffer.Write(target[path.Length..]);
        }
        else if (rewrite.Format is { } format)
        {
            format.Write(exchange, buffer);
            buffer.Write(target[path.Length..]);
        }

        if (keepOriginal)
        {
            headers.Set(KnownHeader.XEnvoyOriginalPath, target);
        }

        headers.Set(KnownHeader.Path, buffer.Written);
        buffer.Return();
    }

    /// <summary>The new host into <paramref name="buffer"/>; nothing where it stays.</summary>
    public static void WriteHost(HostRewriteModel rewrite, HeaderMap headers, HttpExchange exchange, FormatBuffer buffer)
    {
        if (rewrite.Literal is { } literal)
        {
            buffer.Write(literal);
        }
        else if (rewrite.Header is { } header)
        {
            // Only the first value: more would be a client's attempt.
            if (headers.TryGet(header, out var value))
            {
                buffer.Write(value);
            }
        }
        else if (rewrite.PathRegex is { } regex)
        {
            var target = headers.Get(KnownHeader.Path);
            var end = target.IndexOfAny((byte)'?', (byte)'#');
            buffer.Write(regex.Replace(end < 0 ? target : target[..end]));
        }
        else
        {
            rewrite.Format?.Write(exchange, buffer);
        }
    }

    /// <summary>Replaces the host, keeping the old one where asked to (Envoy's updateAuthority).</summary>
    public static void SetHost(HeaderMap headers, ReadOnlySpan<byte> host, bool appendForwardedHost, bool keepOriginal)
    {
        var old = headers.Get(KnownHeader.Authority);
        if (appendForwardedHost && !old.IsEmpty)
        {
            HeaderText.Join(headers, KnownHeader.XForwardedHost, ","u8);
            var forwarded = headers.Get(KnownHeader.XForwardedHost);
            var last = forwarded[(forwarded.LastIndexOf((byte)',') + 1)..];
            old = headers.Get(KnownHeader.Authority);
            if (!last.SequenceEqual(old))
            {
                HeaderText.Append(headers, KnownHeader.XForwardedHost, old, ","u8);
                old = headers.Get(KnownHeader.Authority);
            }
        }

        if (keepOriginal && !old.IsEmpty)
        {
            headers.Set(KnownHeader.XEnvoyOriginalHost, old);
        }

        headers.Set(KnownHeader.Authority, host);
    }
}
