using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Nuncio.Host.Planes;

/// <summary>What mutual TLS of ADS needs, read from files.</summary>
internal sealed class AdsCertificates : IDisposable
{
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";
    private readonly X509Certificate2Collection _authorities;

    private AdsCertificates(X509Certificate2 server, X509Certificate2Collection authorities)
    {
        Server = server;
        _authorities = authorities;
    }

    /// <summary>What is shown to clients.</summary>
    public X509Certificate2 Server { get; }

    /// <summary>Reads the files; null and a reason when that fails.</summary>
    public static AdsCertificates? Read(AdsServerTlsOptions options, out string? problem)
    {
        try
        {
            using var certificate = X509Certificate2.CreateFromPemFile(options.Certificate, options.PrivateKey);
            var authorities = new X509Certificate2Collection();
            authorities.ImportFromPemFile(options.ClientAuthorities);
            problem = authorities.Count == 0 ? $"{options.ClientAuthorities} holds no certificate" : null;
            // A key in memory alone cannot be used for TLS on every platform.
            return problem is null ? new AdsCertificates(X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null), authorities) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            problem = $"TLS of ADS cannot be set up: {e.Message}";
            return null;
        }
    }

    /// <summary>A client's certificate is signed by one of the authorities, in its time, and for clients.</summary>
    public bool Accepts(X509Certificate2 client)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ClientAuthentication));
        return chain.Build(client);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Server.Dispose();
        foreach (var authority in _authorities) authority.Dispose();
    }
}
