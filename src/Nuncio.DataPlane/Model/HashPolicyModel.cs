using Nuncio.DataPlane.Matching;

namespace Nuncio.DataPlane.Model;

/// <summary>One source of a request's hash (RouteV3.RouteAction.HashPolicy).</summary>
public sealed class HashPolicyModel
{
    /// <summary>What is hashed.</summary>
    public required HashSource Source { get; init; }

    /// <summary>The header (lower-case), cookie or query parameter; empty otherwise.</summary>
    public byte[] Name { get; init; } = [];

    /// <summary>Applied to a header's value before it is hashed; null for none.</summary>
    public RegexRewrite? Rewrite { get; init; }

    /// <summary>A missing cookie is made with this lifetime (zero is a session cookie); null makes none.</summary>
    public TimeSpan? CookieTtl { get; init; }

    /// <summary>The made cookie's path; empty for none.</summary>
    public string CookiePath { get; init; } = "";

    /// <summary>Further attributes of the made cookie.</summary>
    public IReadOnlyList<(string Name, string Value)> CookieAttributes { get; init; } = [];

    /// <summary>Where this one gives a hash, the rest is not looked at.</summary>
    public bool Terminal { get; init; }
}

/// <summary>What is hashed.</summary>
public enum HashSource : byte
{
    /// <summary>A request header.</summary>
    Header,

    /// <summary>A cookie.</summary>
    Cookie,

    /// <summary>The client's address.</summary>
    SourceIp,

    /// <summary>A query parameter.</summary>
    QueryParameter,
}
