using System.Text;
using Nuncio.DataPlane.Model;

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
    public static string LocationOf(ExplainRequest request, string target, RouteMatchModel match, RedirectModel redirect)
    {
        var scheme = redirect.Scheme is { } other ? Encoding.UTF8.GetString(other) : request.Url.Scheme;
        var host = redirect.Host is { } named ? Encoding.UTF8.GetString(named) : request.Authority;
        if (redirect.Port.Length > 0 && redirect.Host is null && host.LastIndexOf(':') is > 0 and var colon && !host.EndsWith(']'))
            host = host[..colon];
        var path = redirect.Path is { } whole ? Encoding.UTF8.GetString(whole) : Of(target, match, redirect.PathRewrite);
        if (redirect.StripQuery && path.IndexOf('?', StringComparison.Ordinal) is >= 0 and var query)
            path = path[..query];
        return $"{scheme}://{host}{Encoding.UTF8.GetString(redirect.Port)}{path}";
    }

    // A prefix is replaced; an exact path or a regular expression matched all of it.
    private static int Matched(RouteMatchModel match, byte[] path) =>
        match.Kind is PathMatchKind.Prefix or PathMatchKind.PathSeparatedPrefix ? match.Literal.Length : path.Length;
}
