using System.Text;
using Nuncio.DataPlane.Formatting;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Routing;

namespace Nuncio.Diagnostics.Explaining;

/// <summary>What becomes of a path on its way.</summary>
internal static class RewrittenTarget
{
    /// <summary>The path and query after the route's rewrite.</summary>
    public static string Of(string target, RouteMatchModel match, PathRewriteModel? rewrite)
    {
        if (rewrite is null)
            return target;
        var query = target.IndexOf('?', StringComparison.Ordinal);
        var path = Encoding.UTF8.GetBytes(query < 0 ? target : target[..query]);
        var rest = query < 0 ? "" : target[query..];
        if (rewrite.Prefix is { } prefix)
            return Encoding.UTF8.GetString(prefix) + Encoding.UTF8.GetString(path.AsSpan(Math.Min(Matched(match, path), path.Length))) + rest;
        return rewrite.Regex is { } regex ? Encoding.UTF8.GetString(regex.Replace(path.AsSpan())) + rest : target;
    }

    /// <summary>The location of a redirect.</summary>
    public static string LocationOf(HeaderMap headers, RouteMatchModel match, RedirectModel redirect)
    {
        var target = Encoding.UTF8.GetString(headers.Get(KnownHeader.Path));
        if (redirect.PathRewrite is { } rewrite)
            headers.Set(KnownHeader.Path, Encoding.UTF8.GetBytes(Of(target, match, rewrite)));
        var buffer = FormatBuffer.Rent();
        Redirects.WriteLocation(redirect, headers, buffer);
        var location = Encoding.UTF8.GetString(buffer.Written);
        buffer.Return();
        return location;
    }

    // A prefix is replaced; an exact path or a regular expression matched all of it.
    private static int Matched(RouteMatchModel match, byte[] path) =>
        match.Kind is PathMatchKind.Prefix or PathMatchKind.PathSeparatedPrefix ? match.Literal.Length : path.Length;
}
