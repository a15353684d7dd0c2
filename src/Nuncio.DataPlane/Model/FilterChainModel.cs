using System.Net;

namespace Nuncio.DataPlane.Model;

/// <summary>A filter chain: which connections it takes, how they are decrypted and what serves them.</summary>
public sealed class FilterChainModel
{
    /// <summary>
    /// What makes it the same chain in the next configuration: its name, else its match. Connections stay with their chain as long as there is one of this key.
    /// </summary>
    public required string Key { get; init; }

    /// <summary>Which connections.</summary>
    public required FilterChainMatchModel Match { get; init; }

    /// <summary>TLS; null for cleartext.</summary>
    public Tls.DownstreamTlsModel? Transport { get; init; }

    /// <summary>How long the handshake may take (<c>transport_socket_connect_timeout</c>).</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How many connections it serves at once, each limit by itself; empty for any number.</summary>
    internal IReadOnlyList<Listening.ConnectionLimit> Limits { get; init; } = [];

    /// <summary>The messages of <see cref="Limits"/>; an equal one in the next configuration keeps its limit, and what it has counted.</summary>
    internal IReadOnlyList<Google.Protobuf.WellKnownTypes.Any> LimitSources { get; init; } = [];

    /// <summary>What serves it.</summary>
    public required NetworkFilterModel Filter { get; init; }
}

/// <summary>Conditions of a filter chain; an empty list or null is no condition.</summary>
public sealed class FilterChainMatchModel
{
    /// <summary>No conditions.</summary>
    public static FilterChainMatchModel Any { get; } = new();

    /// <summary>The port the connection was meant for.</summary>
    public int? DestinationPort { get; init; }

    /// <summary>Addresses the connection was meant for.</summary>
    public IReadOnlyList<IPNetwork> DestinationNetworks { get; init; } = [];

    /// <summary>Names of SNI in lower case: <c>a.example</c>, or <c>*.example</c> for everything below.</summary>
    public IReadOnlyList<string> ServerNames { get; init; } = [];

    /// <summary><c>tls</c>, <c>quic</c>, <c>raw_buffer</c> or empty.</summary>
    public string TransportProtocol { get; init; } = "";

    /// <summary>Protocols that the client offers by ALPN, or that the http_inspector has seen.</summary>
    public IReadOnlyList<string> ApplicationProtocols { get; init; } = [];

    /// <summary>Networks of the TCP peer.</summary>
    public IReadOnlyList<IPNetwork> DirectSourceNetworks { get; init; } = [];

    /// <summary>Local or external peers.</summary>
    public ListenerV3.FilterChainMatch.Types.ConnectionSourceType SourceType { get; init; }

    /// <summary>Networks of the client.</summary>
    public IReadOnlyList<IPNetwork> SourceNetworks { get; init; } = [];

    /// <summary>Ports of the client.</summary>
    public IReadOnlyList<int> SourcePorts { get; init; } = [];
}
