using System.Text;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Matching;
using Nuncio.DataPlane.Routing;

namespace Nuncio.DataPlane.Model;

/// <summary>What part of the path a route looks at.</summary>
public enum PathMatchKind : byte
{
#pragma warning disable CS1591 // as in route.v3.RouteMatch
    Prefix,
    Exact,
    Regex,
    PathSeparatedPrefix,
    Connect,
#pragma warning restore CS1591
}

/// <summary>When a route is taken (RouteV3.RouteMatch): all conditions hold.</summary>
public sealed class RouteMatchModel
{
    private RouteIndexKey? _indexKey;

    /// <summary>How the path is compared.</summary>
    public required PathMatchKind Kind { get; init; }

    /// <summary>The prefix or path; empty with a regular expression.</summary>
    public byte[] Literal { get; init; } = [];

    /// <summary>For <see cref="PathMatchKind.Regex"/>: must match the whole path without its query.</summary>
    public RegexPattern? Regex { get; init; }

    /// <summary>Letters of the path must match in case. Default true.</summary>
    public bool CaseSensitive { get; init; } = true;

    /// <summary>The part of requests that it is taken for.</summary>
    public RuntimeFraction Fraction { get; init; } = RuntimeFraction.Always;

    /// <summary>Conditions on headers.</summary>
    public HeaderMatcher[] Headers { get; init; } = [];

    /// <summary>Conditions on the query.</summary>
    public QueryParameterMatcher[] QueryParameters { get; init; } = [];

    /// <summary>Conditions on cookies.</summary>
    public CookieMatcher[] Cookies { get; init; } = [];

    /// <summary>Only gRPC requests.</summary>
    public bool Grpc { get; init; }

    /// <summary>The client has (or has not) presented a certificate; null for either.</summary>
    public bool? CertificatePresented { get; init; }

    /// <summary>The client's certificate was (or was not) verified; null for either.</summary>
    public bool? CertificateValidated { get; init; }

    /// <summary>What the index looks it up by.</summary>
    internal RouteIndexKey IndexKey => _indexKey ??= new RouteIndexKey(this);

    /// <summary>Whether the path matches; without query and fragment.</summary>
    public bool IsPathMatch(ReadOnlySpan<byte> path) => Kind switch
    {
        PathMatchKind.Prefix => path.Length >= Literal.Length && Same(path[..Literal.Length]),
        PathMatchKind.Exact => path.Length == Literal.Length && Same(path),
        PathMatchKind.Regex => Regex!.IsMatch(path),
        PathMatchKind.PathSeparatedPrefix =>
            path.Length >= Literal.Length && (path.Length == Literal.Length || path[Literal.Length] == '/') && Same(path[..Literal.Length]),
        _ => true,
    };

    /// <inheritdoc/>
    public override string ToString() => Kind switch
    {
        PathMatchKind.Regex => $"path regex \"{Regex}\"",
        PathMatchKind.Connect => "method CONNECT",
        PathMatchKind.Exact => $"path \"{Encoding.UTF8.GetString(Literal)}\"",
        PathMatchKind.PathSeparatedPrefix => $"path-separated prefix \"{Encoding.UTF8.GetString(Literal)}\"",
        _ => $"prefix \"{Encoding.UTF8.GetString(Literal)}\"",
    };

    private bool Same(ReadOnlySpan<byte> path) => CaseSensitive ? path.SequenceEqual(Literal) : Ascii.EqualsIgnoreCase(path, Literal);
}
