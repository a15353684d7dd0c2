using Nuncio.Compiler.Tls;
using Nuncio.Resources.Getambassador;

namespace Nuncio.Compiler.Tcp;

/// <summary>TCPMappings of one address, port and host, which share its connections by weight (SPEC 7).</summary>
internal sealed record TcpGroupPlan
{
    /// <summary>The first in load order.</summary>
    public required TcpMappingResource First { get; init; }

    public required string Address { get; init; }

    public required int Port { get; init; }

    /// <summary>The TLS server name; null: every connection without TLS.</summary>
    public string? Host { get; init; }

    /// <summary>How TLS is terminated; null when <see cref="Host"/> is.</summary>
    public TlsContextPlan? Tls { get; init; }

    /// <summary>Cluster names and weights above 0.</summary>
    public required ImmutableArray<(string Cluster, uint Weight)> Targets { get; init; }

    /// <summary>Milliseconds without a byte in either direction; null is Envoy's hour.</summary>
    public long? IdleTimeoutMs { get; init; }

    /// <summary>A text that is equal for groups that are emitted alike, but for <see cref="Tls"/>.</summary>
    public string Signature => _signature ??= $"{First.Key}|{Address}|{Port}|{Host}|{string.Join(',', Targets)}|{IdleTimeoutMs}";

    private string? _signature;
}
