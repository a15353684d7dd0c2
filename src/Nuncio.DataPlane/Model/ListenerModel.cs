using System.Net;
using Nuncio.DataPlane.Listening;

namespace Nuncio.DataPlane.Model;

/// <summary>A listener (ListenerV3.Listener).</summary>
public sealed class ListenerModel
{
    /// <summary>The resource's name.</summary>
    public required string Name { get; init; }

    /// <summary>Where it listens.</summary>
    public required IReadOnlyList<ListenAddress> Addresses { get; init; }

    /// <summary>Finds a connection's chain.</summary>
    public required FilterChainIndex Chains { get; init; }

    /// <summary>All chains, the default one included.</summary>
    public required IReadOnlyList<FilterChainModel> AllChains { get; init; }

    /// <summary>The PROXY protocol is expected first; null when not.</summary>
    public ProxyProtocolModel? ProxyProtocol { get; init; }

    /// <summary>The first bytes are looked at for TLS: there is a tls_inspector, or a chain needs one.</summary>
    public bool InspectTls { get; init; }

    /// <summary>The first bytes are looked at for HTTP.</summary>
    public bool InspectHttp { get; init; }

    /// <summary>What statistics call it (<c>stat_prefix</c>, by default its first address).</summary>
    public required string StatPrefix { get; init; }

    /// <summary>How long a connection may take to show what it is (<c>listener_filters_timeout</c>, default 15 s; zero for ever).</summary>
    public TimeSpan InspectionTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Connections waiting to be accepted (<c>tcp_backlog_size</c>).</summary>
    public int Backlog { get; init; } = 4096;

    /// <summary>The most bytes of a request or response that a filter may gather (<c>per_connection_buffer_limit_bytes</c>).</summary>
    public int BufferLimit { get; init; } = 1024 * 1024;

    /// <summary>Where connections are logged when they end, whatever they carried.</summary>
    public IReadOnlyList<AccessLogging.AccessLogModel> AccessLogs { get; init; } = [];

    /// <summary>How names of headers are spelled towards HTTP/1.1; null for lower case.</summary>
    public Http.HeaderSpelling? HeaderSpelling { get; init; }

    /// <summary>How QUIC is spoken; null for a listener of TCP.</summary>
    public QuicListenerModel? Quic { get; init; }

    /// <summary>TCP keep-alive of accepted connections; null leaves it off.</summary>
    public Transport.TcpKeepAliveOptions? KeepAlive { get; init; }
}

/// <summary>One address of a listener.</summary>
/// <param name="EndPoint">Address and port.</param>
/// <param name="IsDualStack">An IPv6 wildcard that takes IPv4 too (<c>ipv4_compat</c>).</param>
/// <param name="IsUdp">A UDP port, for QUIC; else TCP.</param>
public sealed record ListenAddress(IPEndPoint EndPoint, bool IsDualStack, bool IsUdp = false)
{
    /// <summary>As Envoy's statistics label it: <c>0.0.0.0_8080</c>.</summary>
    public string StatName => EndPoint.Address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6
        ? $"[{EndPoint.Address}]_{EndPoint.Port}" : $"{EndPoint.Address}_{EndPoint.Port}";
}

/// <summary>How the PROXY protocol is taken.</summary>
/// <param name="AllowWithout">Connections without it are served too; otherwise they are closed.</param>
/// <param name="AllowV1">The text form.</param>
/// <param name="AllowV2">The binary form.</param>
public sealed record ProxyProtocolModel(bool AllowWithout, bool AllowV1, bool AllowV2);
