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
        // What a substitution format makes depends on the connection, which there is none of here.
        if (rewrite is null or { Format: not null })
            return target;
        var buffer = FormatBuffer.Rent();
        PathRewrites.WritePath(rewrite, match, Encoding.UTF8.GetBytes(target), buffer);
        var rewritten = Encoding.UTF8.GetString(buffer.Written);
        buffer.Return();
        return rewritten;
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
}
