using Nuncio.DataPlane.Transport;

namespace Nuncio.DataPlane.Model;

/// <summary>How the endpoints of a cluster are found.</summary>
public enum ClusterDiscovery : byte
{
    /// <summary>As addresses in the message.</summary>
    Static,

    /// <summary>By name; every address of every name is an endpoint.</summary>
    StrictDns,

    /// <summary>By name; each new connection goes to the first address at that time.</summary>
    LogicalDns,

    /// <summary>From the snapshot's endpoint resources.</summary>
    Eds,
}

/// <summary>What is spoken with the endpoints.</summary>
public enum UpstreamProtocol : byte
{
    /// <summary>HTTP/1.1.</summary>
    Http1,

    /// <summary>HTTP/2, without an upgrade (prior knowledge in cleartext).</summary>
    Http2,

    /// <summary>What the request came with.</summary>
    Downstream,

    /// <summary>What ALPN chooses, HTTP/2 preferred; HTTP/1.1 in cleartext.</summary>
    Auto,
}

/// <summary>
/// One cluster (Envoy's <c>config.cluster.v3.Cluster</c>): where requests can be sent and how. Depends on its own message and the secrets it
/// names; an equal message keeps its model and with it pools, counters and health.
/// </summary>
public sealed class ClusterModel
{
    /// <summary>Its name; routes name it.</summary>
    public required string Name { get; init; }

    /// <summary>Its name in statistics (<c>alt_stat_name</c>, else the name).</summary>
    public required string StatName { get; init; }

    /// <summary>How endpoints are found.</summary>
    public required ClusterDiscovery Discovery { get; init; }

    /// <summary>The resource that has the endpoints of an EDS cluster; empty otherwise.</summary>
    public string EndpointsName { get; init; } = "";

    /// <summary>The endpoints in the message; null with EDS.</summary>
    public AssignmentModel? Assignment { get; init; }

    /// <summary>How connections are made.</summary>
    public TransportConnectOptions Connect { get; init; } = TransportConnectOptions.Default;

    /// <summary>What is spoken.</summary>
    public UpstreamProtocol Protocol { get; init; }

    /// <summary>How HTTP/1.1 is spoken, as in the message; null is the defaults.</summary>
    public CoreV3.Http1ProtocolOptions? Http1 { get; init; }

    /// <summary>How HTTP/2 is spoken, as in the message; null is the defaults.</summary>
    public CoreV3.Http2ProtocolOptions? Http2 { get; init; }

    /// <summary>TLS towards the endpoints; null is cleartext.</summary>
    public UpstreamTransportModel? Transport { get; init; }

    /// <summary>The request says which name its connection is made with; null leaves that to <see cref="Transport"/>.</summary>
    public AutoNameModel? AutoName { get; init; }

    /// <summary>A connection without requests closes after this; null never (the message's 0). Default 1 h.</summary>
    public TimeSpan? IdleTimeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary>A connection takes no new requests after this; null for none.</summary>
    public TimeSpan? MaxConnectionDuration { get; init; }

    /// <summary>A request may last so long on this cluster; null for none.</summary>
    public TimeSpan? MaxStreamDuration { get; init; }

    /// <summary>Requests per connection; 0 is without limit.</summary>
    public uint MaxRequestsPerConnection { get; init; }

    /// <summary>Response headers at most. Default 100, Envoy's.</summary>
    public uint MaxResponseHeadersCount { get; init; } = 100;

    /// <summary>Bytes of response headers at most. Default 60 KiB, Envoy's.</summary>
    public uint MaxResponseHeadersBytes { get; init; } = 60 * 1024;

    /// <summary>Bytes of a request that are kept for a retry at most. Default 1 MiB.</summary>
    public uint BufferLimit { get; init; } = 1024 * 1024;

    /// <summary>How an endpoint is chosen.</summary>
    public LoadBalancingModel LoadBalancing { get; init; } = new();

    /// <summary>Limits by priority: default, high.</summary>
    public CircuitBreakerModel[] CircuitBreakers { get; init; } = [new(), new()];

    /// <summary>Active checks.</summary>
    public IReadOnlyList<HealthCheckModel> HealthChecks { get; init; } = [];

    /// <summary>Passive checks; null for none.</summary>
    public OutlierDetectionModel? OutlierDetection { get; init; }

    /// <summary>How names are resolved.</summary>
    public DnsModel Dns { get; init; } = new();

    /// <summary>The connections of an endpoint close when it fails its active checks.</summary>
    public bool CloseConnectionsOnHealthFailure { get; init; }

    /// <summary>The message it was bound from.</summary>
    public required ClusterV3.Cluster Message { get; init; }

    /// <summary>What of the message has no effect; said again with every configuration that has it.</summary>
    internal IReadOnlyList<Binding.BindError> Remarks { get; set; } = [];
}

/// <summary>How names are resolved.</summary>
public sealed record DnsModel
{
    /// <summary>Which addresses count.</summary>
    public ClusterV3.Cluster.Types.DnsLookupFamily Family { get; init; }

    /// <summary>From one answer to the next question. Default 5 s.</summary>
    public TimeSpan RefreshRate { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The same after a failure, growing up to the second value; default the refresh rate.</summary>
    public (TimeSpan Base, TimeSpan Max)? FailureRefreshRate { get; init; }

    /// <summary>The next question comes when the records' time to live is over, instead of after the refresh rate; not so for a time of 0.</summary>
    public bool RespectTtl { get; init; }
}

/// <summary>Limits of one priority of one cluster (<c>CircuitBreakers.Thresholds</c>).</summary>
public sealed record CircuitBreakerModel
{
    /// <summary>Connections. Default 1024.</summary>
    public uint MaxConnections { get; init; } = 1024;

    /// <summary>Requests that wait for a connection. Default 1024.</summary>
    public uint MaxPendingRequests { get; init; } = 1024;

    /// <summary>Requests under way. Default 1024.</summary>
    public uint MaxRequests { get; init; } = 1024;

    /// <summary>Retries under way. Default 3.</summary>
    public uint MaxRetries { get; init; } = 3;

    /// <summary>Retries as a part of requests, in percent, instead of <see cref="MaxRetries"/>; null for none.</summary>
    public double? RetryBudgetPercent { get; init; }

    /// <summary>Retries that a budget always allows. Default 3.</summary>
    public uint MinRetryConcurrency { get; init; } = 3;
}

/// <summary>How an endpoint is chosen.</summary>
public sealed record LoadBalancingModel
{
    /// <summary>The policy.</summary>
    public ClusterV3.Cluster.Types.LbPolicy Policy { get; init; }

    /// <summary>Endpoints compared by least request. Default 2.</summary>
    public uint ChoiceCount { get; init; } = 2;

    /// <summary>How much the load of an endpoint lowers its weight with least request. Default 1.</summary>
    public double ActiveRequestBias { get; init; } = 1;

    /// <summary>Entries of the ring at least. Default 1024.</summary>
    public ulong MinimumRingSize { get; init; } = 1024;

    /// <summary>Entries of the ring at most. Default 8 Mi.</summary>
    public ulong MaximumRingSize { get; init; } = 8 * 1024 * 1024;

    /// <summary>Entries of the maglev table, a prime. Default 65537.</summary>
    public uint MaglevTableSize { get; init; } = 65537;

    /// <summary>Endpoints are hashed by their host names instead of their addresses.</summary>
    public bool HashByHostname { get; init; }

    /// <summary>Below this part of healthy endpoints health is not looked at, in percent. Default 50; 0 never.</summary>
    public double PanicThreshold { get; init; } = 50;

    /// <summary>A locality is chosen by its weight first.</summary>
    public bool LocalityWeighted { get; init; }

    /// <summary>Endpoints that become healthy get their weight little by little; null for at once. Round robin and least request only.</summary>
    public SlowStartModel? SlowStart { get; init; }

    /// <summary>Connections of all endpoints close when the set of endpoints changes.</summary>
    public bool CloseConnectionsOnHostSetChange { get; init; }

    /// <summary>The hash decides, so the router computes it.</summary>
    public bool UsesHash => Policy is ClusterV3.Cluster.Types.LbPolicy.RingHash or ClusterV3.Cluster.Types.LbPolicy.Maglev;
}

/// <summary>How an endpoint that has become healthy comes to its weight (<c>Cluster.SlowStartConfig</c>).</summary>
/// <param name="Window">Until it has all of it; above zero.</param>
/// <param name="Aggression">Above 1 it gets more of it early, below 1 late. Default 1, which is linear.</param>
/// <param name="MinimumWeight">The part that it has at least, 0 to 1. Default 0.1.</param>
public sealed record SlowStartModel(TimeSpan Window, double Aggression, double MinimumWeight);

/// <summary>What of a connection's TLS its first request says (<c>UpstreamHttpProtocolOptions</c>).</summary>
/// <param name="ServerName">Its host is the SNI (<c>auto_sni</c>).</param>
/// <param name="SubjectName">The upstream's certificate must have its host as a name (<c>auto_san_validation</c>).</param>
/// <param name="Header">The header that takes the place of the host where it is there, lower-case; null for none (<c>override_auto_sni_header</c>).</param>
public sealed record AutoNameModel(bool ServerName, bool SubjectName, byte[]? Header);
