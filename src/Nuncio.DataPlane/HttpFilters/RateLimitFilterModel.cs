using Nuncio.DataPlane.External;
using Nuncio.DataPlane.Model;

namespace Nuncio.DataPlane.HttpFilters;

/// <summary>Which requests a ratelimit filter asks about.</summary>
public enum RateLimitRequestType : byte
{
    /// <summary>All.</summary>
    Both,

    /// <summary>Those from inside (x-envoy-internal).</summary>
    Internal,

    /// <summary>All others.</summary>
    External,
}

/// <summary>How the ratelimit filter asks and what it does with the answer (ratelimit.v3.RateLimit).</summary>
public sealed class RateLimitFilterModel
{
    /// <summary>Who is asked.</summary>
    public required GrpcServiceModel Service { get; init; }

    /// <summary>Sent with each request.</summary>
    public required string Domain { get; init; }

    /// <summary>Of a call.</summary>
    public required TimeSpan Timeout { get; init; }

    /// <summary>Rate limits of this stage count.</summary>
    public int Stage { get; init; }

    /// <summary>Which requests are asked about.</summary>
    public RateLimitRequestType RequestType { get; init; }

    /// <summary>Requests are refused where the service fails.</summary>
    public bool FailureModeDeny { get; init; }

    /// <summary>gRPC requests over the limit get RESOURCE_EXHAUSTED instead of UNAVAILABLE.</summary>
    public bool ResourceExhausted { get; init; }

    /// <summary>The answer has x-ratelimit headers (draft 03).</summary>
    public bool AddRateLimitHeaders { get; init; }

    /// <summary>x-envoy-ratelimited is left out.</summary>
    public bool OmitEnvoyRateLimited { get; init; }

    /// <summary>The answer over the limit: 429.</summary>
    public int LimitedStatus { get; init; } = 429;

    /// <summary>The answer where the service fails and that refuses: 500.</summary>
    public int StatusOnError { get; init; } = 500;

    /// <summary>Headers of the answer over the limit.</summary>
    public HeaderMutationsModel LimitedHeaders { get; init; } = HeaderMutationsModel.None;

    /// <summary>The part of requests that is asked about.</summary>
    public Matching.RuntimeFraction Enabled { get; init; } = Matching.RuntimeFraction.Always;

    /// <summary>The part of requests over the limit that is refused.</summary>
    public Matching.RuntimeFraction Enforced { get; init; } = Matching.RuntimeFraction.Always;

    /// <summary>Part of the names of statistics; may be empty.</summary>
    public string StatPrefix { get; init; } = "";
}

/// <summary>The settings of a route (ratelimit.v3.RateLimitPerRoute).</summary>
/// <param name="VirtualHost">What becomes of the virtual host's limits.</param>
/// <param name="Limits">Instead of the route's; empty for those.</param>
/// <param name="Domain">Instead of the filter's; empty for that.</param>
public sealed record RateLimitRouteConfig(RateLimitVirtualHostUse VirtualHost, IReadOnlyList<RateLimitModel> Limits, string Domain);

/// <summary>What becomes of a virtual host's limits.</summary>
public enum RateLimitVirtualHostUse : byte
{
    /// <summary>They count where the route has none.</summary>
    Override,

    /// <summary>They count too.</summary>
    Include,

    /// <summary>They do not count.</summary>
    Ignore,
}
