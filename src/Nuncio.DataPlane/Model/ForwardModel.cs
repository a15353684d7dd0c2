using Nuncio.DataPlane.Formatting;
using Nuncio.DataPlane.Matching;

namespace Nuncio.DataPlane.Model;

/// <summary>Forwards the request to a cluster (RouteV3.RouteAction).</summary>
public sealed class ForwardModel : RouteActionModel
{
    /// <summary>The cluster; empty where <see cref="ClusterHeader"/> or <see cref="WeightedClusters"/> say it.</summary>
    public string Cluster { get; init; } = "";

    /// <summary>The request header that names the cluster, lower-case; null for none.</summary>
    public byte[]? ClusterHeader { get; init; }

    /// <summary>Clusters with weights; null for none. The exchange has chosen one before the filters run.</summary>
    public WeightedClustersModel? WeightedClusters { get; init; }

    /// <summary>Answered where the cluster is not known: 503, 404 or 500.</summary>
    public int ClusterNotFoundStatus { get; init; } = 503;

    /// <summary>Of the whole response, retries included; zero for none. Unset is 15 s. x-envoy-upstream-rq-timeout-ms may override it.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Of a stream without activity; null is the connection manager's, zero is none.</summary>
    public TimeSpan? IdleTimeout { get; init; }

    /// <summary>Of the whole stream; null is the connection manager's, zero is none.</summary>
    public TimeSpan? MaxStreamDuration { get; init; }

    /// <summary>The upper limit of grpc-timeout; null takes no notice of that header, zero takes it as it is.</summary>
    public TimeSpan? GrpcTimeoutHeaderMax { get; init; }

    /// <summary><c>max_stream_duration</c> is there: the timeout of the route has no effect then (Envoy: usingNewTimeouts).</summary>
    public bool UsesStreamDuration { get; init; }

    /// <summary>Subtracted from grpc-timeout.</summary>
    public TimeSpan GrpcTimeoutHeaderOffset { get; init; }

    /// <summary>Retries; null is the virtual host's.</summary>
    public RetryPolicyModel? RetryPolicy { get; init; }

    /// <summary>Hedging; null is the virtual host's.</summary>
    public HedgePolicyModel? HedgePolicy { get; init; }

    /// <summary>Mirrors; null is the virtual host's or the route configuration's.</summary>
    public IReadOnlyList<MirrorPolicyModel>? MirrorPolicies { get; init; }

    /// <summary>How the request's hash is made, for ring hash and maglev.</summary>
    public IReadOnlyList<HashPolicyModel> HashPolicies { get; init; } = [];

    /// <summary>The circuit breakers it counts for.</summary>
    public CoreV3.RoutingPriority Priority { get; init; }

    /// <summary>Upgrades this route allows or forbids, whatever the connection manager says.</summary>
    public IReadOnlyList<UpgradeModel> Upgrades { get; init; } = [];

    /// <summary>CONNECT requests end here; null passes them on.</summary>
    public TunnelModel? Tunnel { get; init; }

    /// <summary>Metadata a host must have to be chosen (subset load balancing); null for none.</summary>
    public CoreV3.Metadata? MetadataMatch { get; init; }

    /// <summary>Rate limits.</summary>
    public IReadOnlyList<RateLimitModel> RateLimits { get; init; } = [];

    /// <summary>The virtual host's rate limit actions apply as well as the route's own.</summary>
    public bool IncludeVirtualHostRateLimits { get; init; }

    /// <summary>The message's cors, which came before the filter's own per-route configuration; null for none.</summary>
    public CorsPolicyModel? Cors { get; init; }

    /// <summary>What <c>:path</c> becomes.</summary>
    public PathRewriteModel? PathRewrite { get; init; }

    /// <summary>What <c>:authority</c> becomes; null leaves it.</summary>
    public HostRewriteModel? HostRewrite { get; init; }

    /// <summary>The host of the chosen endpoint becomes <c>:authority</c>; done where the endpoint is chosen.</summary>
    public bool AutoHostRewrite { get; init; }

    /// <summary>A rewrite of the host appends the old one to x-forwarded-host.</summary>
    public bool AppendXForwardedHost { get; init; }
}

/// <summary>How a path is rewritten, the query apart.</summary>
public sealed class PathRewriteModel
{
    /// <summary>Replaces what the route matched; null for none.</summary>
    public byte[]? Prefix { get; init; }

    /// <summary>Replaces matches; null for none.</summary>
    public RegexRewrite? Regex { get; init; }

    /// <summary>Makes the whole new path; null for none.</summary>
    public SubstitutionFormat? Format { get; init; }
}

/// <summary>How the host is rewritten.</summary>
public sealed class HostRewriteModel
{
    /// <summary>The new host; null for none.</summary>
    public byte[]? Literal { get; init; }

    /// <summary>The header that has it, lower-case; null for none.</summary>
    public byte[]? Header { get; init; }

    /// <summary>Makes it from the path; null for none.</summary>
    public RegexRewrite? PathRegex { get; init; }

    /// <summary>Makes it of the request; null for none.</summary>
    public SubstitutionFormat? Format { get; init; }
}

/// <summary>An upgrade a route or a connection manager knows.</summary>
/// <param name="Type">As in the Upgrade header, compared without regard to case; <c>CONNECT</c> stands for that method.</param>
/// <param name="Enabled">Allowed.</param>
public sealed record UpgradeModel(string Type, bool Enabled);

/// <summary>CONNECT ends here: the upstream gets the raw bytes of the tunnel (RouteV3.RouteAction.UpgradeConfig.ConnectConfig).</summary>
/// <param name="AllowPost">So does POST, whose body is the tunnel.</param>
public sealed record TunnelModel(bool AllowPost);

/// <summary>Clusters chosen by weight (RouteV3.WeightedCluster).</summary>
public sealed class WeightedClustersModel
{
    /// <summary>In order.</summary>
    public required IReadOnlyList<WeightedClusterModel> Clusters { get; init; }

    /// <summary>The sum of the weights, above 0.</summary>
    public required ulong TotalWeight { get; init; }

    /// <summary>The header whose number chooses, lower-case; null is the request's random value.</summary>
    public byte[]? ValueHeader { get; init; }

    /// <summary>The request's hash chooses.</summary>
    public bool UseHashPolicy { get; init; }
}

/// <summary>One of the clusters.</summary>
public sealed class WeightedClusterModel
{
    /// <summary>The cluster; empty where <see cref="ClusterHeader"/> says it.</summary>
    public required string Cluster { get; init; }

    /// <summary>The request header that names the cluster, lower-case; null for none.</summary>
    public byte[]? ClusterHeader { get; init; }

    /// <summary>Its part of the total.</summary>
    public required uint Weight { get; init; }

    /// <summary>Metadata a host must have; null for none.</summary>
    public CoreV3.Metadata? MetadataMatch { get; init; }

    /// <summary>Before the route's.</summary>
    public required HeaderMutationsModel RequestHeaders { get; init; }

    /// <summary>Before the route's.</summary>
    public required HeaderMutationsModel ResponseHeaders { get; init; }

    /// <summary>Configuration of filters, more specific than the route's.</summary>
    public required FilterConfigMap FilterConfigs { get; init; }

    /// <summary>The new host; null for none.</summary>
    public byte[]? HostRewriteLiteral { get; init; }
}

/// <summary>Sends a copy of requests to another cluster and drops its answers (RouteV3.RouteAction.RequestMirrorPolicy).</summary>
public sealed class MirrorPolicyModel
{
    /// <summary>The cluster; empty where <see cref="ClusterHeader"/> says it.</summary>
    public required string Cluster { get; init; }

    /// <summary>The request header that names the cluster, lower-case; null for none.</summary>
    public byte[]? ClusterHeader { get; init; }

    /// <summary>How many of the requests.</summary>
    public required RuntimeFraction Fraction { get; init; }

    /// <summary><c>-shadow</c> is appended to the copy's host.</summary>
    public bool AppendShadowSuffix { get; init; } = true;

    /// <summary>The copy's host; null keeps it.</summary>
    public byte[]? HostRewriteLiteral { get; init; }

    /// <summary>Changes to the copy's headers.</summary>
    public required HeaderMutationsModel RequestHeaders { get; init; }
}

/// <summary>Sends further requests before the first is answered (RouteV3.HedgePolicy).</summary>
public sealed record HedgePolicyModel(bool HedgeOnPerTryTimeout);
