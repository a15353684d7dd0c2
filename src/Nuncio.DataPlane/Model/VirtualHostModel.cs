using Nuncio.DataPlane.Routing;

namespace Nuncio.DataPlane.Model;

/// <summary>Routes for some hosts, with what they share (RouteV3.VirtualHost).</summary>
public sealed class VirtualHostModel
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Host patterns, lower-case.</summary>
    public required IReadOnlyList<string> Domains { get; init; }

    /// <summary>Routes in the declared order: the first that matches is taken.</summary>
    public required IReadOnlyList<RouteModel> Routes { get; init; }

    /// <summary>Finds that first one.</summary>
    public required RouteIndex Index { get; init; }

    /// <summary>Which requests are redirected to https whatever the routes say.</summary>
    public RouteV3.VirtualHost.Types.TlsRequirementType RequireTls { get; init; }

    /// <summary>The first that includes a request counts it; the last one includes all. Empty where the message has none.</summary>
    public IReadOnlyList<VirtualClusterModel> VirtualClusters { get; init; } = [];

    /// <summary>After the route's.</summary>
    public required HeaderMutationsModel RequestHeaders { get; init; }

    /// <summary>After the route's.</summary>
    public required HeaderMutationsModel ResponseHeaders { get; init; }

    /// <summary>Configuration of filters for routes that have none.</summary>
    public required FilterConfigMap FilterConfigs { get; init; }

    /// <summary>The message's cors; null for none.</summary>
    public CorsPolicyModel? Cors { get; init; }

    /// <summary>For routes that have none; null for none.</summary>
    public RetryPolicyModel? RetryPolicy { get; init; }

    /// <summary>For routes that have none; null for none.</summary>
    public HedgePolicyModel? HedgePolicy { get; init; }

    /// <summary>For routes that have none.</summary>
    public IReadOnlyList<MirrorPolicyModel> MirrorPolicies { get; init; } = [];

    /// <summary>x-envoy-attempt-count goes upstream.</summary>
    public bool IncludeRequestAttemptCount { get; init; }

    /// <summary>x-envoy-attempt-count goes to the client.</summary>
    public bool IncludeAttemptCountInResponse { get; init; }

    /// <summary>x-envoy-is-timeout-retry goes upstream with retries.</summary>
    public bool IncludeIsTimeoutRetryHeader { get; init; }

    /// <summary>Bytes a request body may have where it is buffered; null is the connection's limit.</summary>
    public long? RequestBodyBufferLimit { get; init; }

    /// <summary>Rate limits.</summary>
    public IReadOnlyList<RateLimitModel> RateLimits { get; init; } = [];

    /// <summary>The message it was bound from.</summary>
    public required RouteV3.VirtualHost Message { get; init; }
}
