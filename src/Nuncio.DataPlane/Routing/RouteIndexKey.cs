using System.Text;
using Nuncio.DataPlane.Matching;
using Nuncio.DataPlane.Model;

namespace Nuncio.DataPlane.Routing;

/// <summary>
/// What a request must have for a route to come into question, in a form that can be looked up: a start of the path, and the host where the
/// route asks for one. Made once per route.
/// </summary>
internal readonly record struct RouteIndexKey
{
    public RouteIndexKey(RouteMatchModel match)
    {
        var literal = match.Kind switch
        {
            PathMatchKind.Regex => Encoding.UTF8.GetBytes(Re2Syntax.LiteralPrefix(match.Regex!.Source)),
            PathMatchKind.Connect => [],
            _ => match.Literal,
        };
        IgnoreCase = !match.CaseSensitive && match.Kind is not (PathMatchKind.Regex or PathMatchKind.Connect);
        if (IgnoreCase)
        {
            literal = [.. literal.Select(Routing.PathHash.ToLower)];
        }

        PathLength = literal.Length;
        PathHash = Routing.PathHash.Of(literal);
        foreach (var header in match.Headers)
        {
            if (header.RequiredAuthority is { } exact)
            {
                HasAuthority = true;
                AuthoritySuffixLength = -1;
                AuthorityHash = Routing.PathHash.Of(exact);
                return;
            }

            if (header.RequiredAuthoritySuffix is { } suffix)
            {
                HasAuthority = true;
                AuthoritySuffixLength = suffix.Length;
                AuthorityHash = Routing.PathHash.OfReversed(suffix);
            }
        }
    }

    public bool IgnoreCase { get; }

    public int PathLength { get; }

    public ulong PathHash { get; }

    public bool HasAuthority { get; }

    /// <summary>-1: the whole of it.</summary>
    public int AuthoritySuffixLength { get; }

    public ulong AuthorityHash { get; }
}
