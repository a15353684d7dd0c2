using System.Net;

namespace Nuncio.DataPlane.Transport;

/// <summary>Opens connections to upstreams. The seam between the pools and the operating system: tests and other transports put their own here.</summary>
public abstract class TransportConnector
{
    /// <summary>Connects. A failure is a result with <see cref="TransportConnect.Error"/>, never an exception.</summary>
    /// <param name="remote">Where to.</param>
    /// <param name="options">The cluster's settings for its connections.</param>
    /// <param name="cancellationToken">Gives up early; reported as <see cref="Http.StreamResetReason.LocalReset"/>.</param>
    public abstract ValueTask<TransportConnect> ConnectAsync(IPEndPoint remote, TransportConnectOptions options, CancellationToken cancellationToken);
}

/// <summary>A connection, or why there is none.</summary>
/// <param name="Connection">Null when it failed.</param>
/// <param name="Error">ConnectionFailure, ConnectionTimeout or LocalReset when it failed.</param>
/// <param name="Message">Why, for logs and Envoy's transport failure reason; empty on success.</param>
public readonly record struct TransportConnect(TransportConnection? Connection, Http.StreamResetReason Error, string Message)
{
    /// <summary>A success.</summary>
    public static TransportConnect Of(TransportConnection connection) => new(connection, Http.StreamResetReason.None, "");
}

/// <summary>How a connection is made.</summary>
public sealed record TransportConnectOptions
{
    /// <summary>Envoy's defaults: 5 s, no keep-alive probes, any source address.</summary>
    public static TransportConnectOptions Default { get; } = new();

    /// <summary>How long connecting may take (<c>Cluster.connect_timeout</c>, default 5 s).</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>TCP keep-alive probes (<c>upstream_connection_options.tcp_keepalive</c>); null leaves them off.</summary>
    public TcpKeepAliveOptions? KeepAlive { get; init; }

    /// <summary>The source address to bind to; null lets the system choose.</summary>
    public IPEndPoint? Source { get; init; }
}

/// <summary>TCP keep-alive; each null leaves the operating system's value.</summary>
/// <param name="Probes">Unanswered probes until the connection counts as dead.</param>
/// <param name="Time">Idle time before the first probe, seconds.</param>
/// <param name="Interval">Between probes, seconds.</param>
public sealed record TcpKeepAliveOptions(int? Probes, int? Time, int? Interval);
