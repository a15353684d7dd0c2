namespace Nuncio.DataPlane.Model;

/// <summary>A TCP proxy (envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy).</summary>
public sealed class TcpProxyModel
{
    /// <summary>Label of its statistics.</summary>
    public required string StatPrefix { get; init; }

    /// <summary>Clusters with their weights; one with weight 1 where there is no choice.</summary>
    public required IReadOnlyList<TcpClusterModel> Clusters { get; init; }

    /// <summary>A connection on which nothing moves for so long is closed (<c>idle_timeout</c>, default 1 h); zero for never.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How long a connection may live; zero for ever.</summary>
    public TimeSpan MaxDuration { get; init; }

    /// <summary>How many endpoints are tried (<c>max_connect_attempts</c>, default 1).</summary>
    public int MaxConnectAttempts { get; init; } = 1;

    /// <summary>The endpoint is chosen by the client's address (<c>hash_policy.source_ip</c>).</summary>
    public bool HashSource { get; init; }

    /// <summary>Where connections are logged when they end.</summary>
    public IReadOnlyList<AccessLogging.AccessLogModel> AccessLogs { get; init; } = [];
}

/// <summary>One of several clusters.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Weight">Its part of the sum of all weights.</param>
public sealed record TcpClusterModel(string Name, uint Weight);
