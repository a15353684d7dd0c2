using System.Text;
using Nuncio.DataPlane.Formatting;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Pipeline;

namespace Nuncio.DataPlane.Routing;

/// <summary>Rewrites <c>:path</c> and <c>:authority</c> as a route says (Envoy's finalizePathHeader and finalizeHostHeader).</summary>
public static class PathRewrites
{
    /// <summary>Rewrites the path; the query stays.</summary>
    internal static void RewritePath(PathRewriteModel rewrite, RouteMatchModel match, HeaderMap headers, HttpExchange exchange, bool keepOriginal)
    {
        var target = headers.Get(KnownHeader.Path);
        if (target.IsEmpty)
        {
            return;
        }

        var buffer = FormatBuffer.Rent();
        if (rewrite.Format is { } format)
        {
            format.Write(exchange, buffer);
            buffer.Write(target[PathLength(target)..]);
        }
        else
        {
            WritePath(rewrite, match, target, buffer);
        }

        if (keepOriginal)
        {
            headers.Set(KnownHeader.XEnvoyOriginalPath, target);
        }

        headers.Set(KnownHeader.Path, buffer.Written);
        buffer.Return();
    }

    /// <summary>The new path and the old query of a rewrite that needs nothing but them.</summary>
    /// <param name="rewrite">By prefix or regular expression.</param>
    /// <param name="match">What the route asked of the path.</param>
    /// <param name="target">Path and query.</param>
    /// <param name="buffer">Takes the result.</param>
    public static void WritePath(PathRewriteModel rewrite, RouteMatchModel match, ReadOnlySpan<byte> target, FormatBuffer buffer)
    {
        ArgumentNullException.ThrowIfNull(rewrite);
        ArgumentNullException.ThrowIfNull(match);
        ArgumentNullException.ThrowIfNull(buffer);
        var length = PathLength(target);
        if (rewrite.Prefix is { } prefix)
        {
            // What the route matched: its prefix, or the whole path where it asked for all of it.
            var matched = match.Kind is PathMatchKind.Prefix or PathMatchKind.PathSeparatedPrefix ? Math.Min(match.Literal.Length, length) : length;
            buffer.Write(prefix);
            buffer.Write(target[matched..]);
        }
        else if (rewrite.Regex is { } regex)
        {
            buffer.Write(regex.Replace(target[..length]));
            buffer.Write(target[length..]);
        }
    }

    /// <summary>The new host into <paramref name="buffer"/>; nothing where it stays.</summary>
    internal static void WriteHost(HostRewriteModel rewrite, HeaderMap headers, HttpExchange exchange, FormatBuffer buffer)
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
            buffer.Write(regex.Replace(target[..PathLength(target)]));
        }
        else
        {
            rewrite.Format?.Write(exchange, buffer);
        }
    }

    /// <summary>Replaces the host, keeping the old one where asked to (Envoy's updateAuthority).</summary>
    internal static void SetHost(HeaderMap headers, ReadOnlySpan<byte> host, bool appendForwardedHost, bool keepOriginal)
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

    private static int PathLength(ReadOnlySpan<byte> target)
    {
        var end = target.IndexOfAny((byte)'?', (byte)'#');
        return end < 0 ? target.Length : end;
    }
}
