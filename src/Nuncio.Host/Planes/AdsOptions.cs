using System.Net;

namespace Nuncio.Host.Planes;

/// <summary>Where snapshots are served to an Envoy fleet.</summary>
public sealed record AdsOptions
{
    /// <summary>The address. Private keys travel on it: anything but loopback needs <see cref="Tls"/>. Default 127.0.0.1:18000.</summary>
    public IPEndPoint Address { get; init; } = new(IPAddress.Loopback, 18000);

    /// <summary>Mutual TLS; null for cleartext.</summary>
    public AdsServerTlsOptions? Tls { get; init; }
}

/// <summary>Files for mutual TLS, PEM.</summary>
/// <param name="Certificate">The certificate chain that is shown.</param>
/// <param name="PrivateKey">Its key.</param>
/// <param name="ClientAuthorities">The authorities that sign the certificates of clients; a client without one is refused.</param>
public sealed record AdsServerTlsOptions(string Certificate, string PrivateKey, string ClientAuthorities);
