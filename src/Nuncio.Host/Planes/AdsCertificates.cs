using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Nuncio.Host.Planes;

/// <summary>What mutual TLS of ADS needs, read from files.</summary>
internal sealed class AdsCertificates : IDisposable
{
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";
    private readonly X509Certificate2Collection _authorities;

    private AdsCertificates(X509Certificate2 server, X509Certificate2Collection intermediates, X509Certificate2Collection authorities)
    {
        Server = server;
        Intermediates = intermediates;
        _authorities = authorities;
    }

    /// <summary>What is shown to clients.</summary>
    public X509Certificate2 Server { get; }

    /// <summary>What is shown with it: clients may know the authority at its end alone.</summary>
    public X509Certificate2Collection Intermediates { get; }

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
            return problem is null
                ? new AdsCertificates(
                    X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null), IntermediatesIn(options.Certificate), authorities)
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            problem = $"TLS of ADS cannot be set up: {e.Message}";
            return null;
        }
    }

    /// <summary>The certificates in a file after the first.</summary>
    public static X509Certificate2Collection IntermediatesIn(string file)
    {
        var certificates = new X509Certificate2Collection();
        certificates.ImportFromPemFile(file);
        certificates[0].Dispose();
        certificates.RemoveAt(0);
        return certificates;
    }

    /// <summary>
    /// A client's certificate is signed by one of the authorities, itself or through others that the client showed, in its time, and for clients.
    /// </summary>
    public bool Accepts(X509Certificate2 client, X509Certificate2Collection shown)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_authorities);
        chain.ChainPolicy.ExtraStore.AddRange(shown);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;

        // Whoever may connect could have this process fetch any address otherwise.
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ClientAuthentication));
        return chain.Build(client);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Server.Dispose();
        foreach (var intermediate in Intermediates) intermediate.Dispose();
        foreach (var authority in _authorities) authority.Dispose();
    }
}
