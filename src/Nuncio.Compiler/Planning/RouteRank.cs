namespace Nuncio.Compiler.Planning;

/// <summary>
/// The place of a group in the order of routes (SPEC 5.5): precedence, then the length of the prefix, of the header and of the query matchers, then texts.
/// The larger rank is tried first.
/// </summary>
/// <param name="Precedence">As written; 0 when absent.</param>
/// <param name="PrefixLength">In characters, of a regular expression too.</param>
/// <param name="HeadersLength">The sum over all header matchers.</param>
/// <param name="QueryLength">The sum over all query matchers.</param>
/// <param name="Texts">Prefix, method, then the keys of headers and query parameters.</param>
/// <param name="Path">Decides last: an exact path before a prefix before a regular expression.</param>
public sealed record RouteRank(long Precedence, int PrefixLength, int HeadersLength, int QueryLength, ImmutableArray<string> Texts, PathKind Path)
    : IComparable<RouteRank>
{
    /// <inheritdoc/>
    public int CompareTo(RouteRank? other)
    {
        if (other is null)
            return 1;
        var difference = Precedence.CompareTo(other.Precedence);
        if (difference == 0)
            difference = PrefixLength.CompareTo(other.PrefixLength);
        if (difference == 0)
            difference = HeadersLength.CompareTo(other.HeadersLength);
        if (difference == 0)
            difference = QueryLength.CompareTo(other.QueryLength);
        for (var i = 0; difference == 0 && i < Math.Min(Texts.Length, other.Texts.Length); i++)
            difference = string.CompareOrdinal(Texts[i], other.Texts[i]);
        if (difference == 0)
            difference = Texts.Length.CompareTo(other.Texts.Length);
        return difference == 0 ? Path.CompareTo(other.Path) : difference;
    }

    public static bool operator <(RouteRank left, RouteRank right) => left.CompareTo(right) < 0;

    public static bool operator >(RouteRank left, RouteRank right) => left.CompareTo(right) > 0;

    public static bool operator <=(RouteRank left, RouteRank right) => left.CompareTo(right) <= 0;

    public static bool operator >=(RouteRank left, RouteRank right) => left.CompareTo(right) >= 0;
}
