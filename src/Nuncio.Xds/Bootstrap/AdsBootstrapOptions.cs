namespace Nuncio.Xds.Bootstrap;

/// <summary>How an Envoy finds its control plane, and what else its bootstrap says.</summary>
public sealed record AdsBootstrapOptions
{
    /// <summary>The path of the control plane's Unix socket; null for <see cref="Host"/> and <see cref="Port"/>.</summary>
    public string? SocketPath { get; init; }

    /// <summary>The control plane's name or address. Default 127.0.0.1.</summary>
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>Its port. Default 18000.</summary>
    public uint Port { get; init; } = 18000;

    /// <summary>TLS with the control plane; null for cleartext.</summary>
    public AdsTlsOptions? Tls { get; init; }

    /// <summary>The node's <c>id</c>: tells one Envoy from another in logs and diagnostics.</summary>
    public string NodeId { get; init; } = "nuncio";

    /// <summary>The node's <c>cluster</c>.</summary>
    public string NodeCluster { get; init; } = "ambassador-default";

    /// <summary>The address of Envoy's administration interface; null leaves it out. Default 127.0.0.1, as Emissary has it (spec 1.3).</summary>
    public string? AdminAddress { get; init; } = "127.0.0.1";

    /// <summary>The port of Envoy's administration interface. Default 8001.</summary>
    public uint AdminPort { get; init; } = 8001;
}

/// <summary>Files with what Envoy shows the control plane, and what it believes. Paths on Envoy's machine.</summary>
/// <param name="Certificate">The certificate chain, PEM.</param>
/// <param name="PrivateKey">Its key, PEM.</param>
/// <param name="Authorities">The authorities that sign the control plane's certificate, PEM.</param>
/// <param name="ServerName">The name that must be in the control plane's certificate.</param>
public sealed record AdsTlsOptions(string Certificate, string PrivateKey, string Authorities, string ServerName);
