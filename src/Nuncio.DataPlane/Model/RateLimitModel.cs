using Nuncio.DataPlane.HttpFilters;

namespace Nuncio.DataPlane.Model;

/// <summary>One rate limit of a route or virtual host (route.v3.RateLimit): which filter takes notice, and how its descriptor is made.</summary>
public sealed class RateLimitModel
{
    /// <summary>The filter of this stage takes notice.</summary>
    public int Stage { get; init; }

    /// <summary>Each gives one entry; where one has nothing to give there is no descriptor.</summary>
    public required IReadOnlyList<RateLimitAction> Actions { get; init; }

    /// <summary>How much a request counts; null for the service's default of one.</summary>
    public ulong? HitsAddend { get; init; }
}
