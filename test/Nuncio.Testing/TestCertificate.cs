using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Nuncio.Testing;

/// <summary>A certificate with its key, made for one run of a test.</summary>
public sealed class TestCertificate : IDisposable
{
    private TestCertificate(X509Certificate2 certificate, TestCertificate? issuer)
    {
        Certificate = certificate;
        CertificatePem = certificate.ExportCertificatePem() + "\n";
        ChainPem = CertificatePem + (issuer is null || issuer.IsSelfSigned ? "" : issuer.ChainPem);
        KeyPem = certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem() + "\n";
        IsSelfSigned = issuer is null;
    }

    /// <summary>With its private key.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>The certificate alone.</summary>
    public string CertificatePem { get; }

    /// <summary>The certificate and its intermediate issuers, without the root: what <c>tls.crt</c> holds.</summary>
    public string ChainPem { get; }

    /// <summary>PKCS#8: what <c>tls.key</c> holds.</summary>
    public string KeyPem { get; }

    private bool IsSelfSigned { get; }

    /// <summary>A certification authority, self-signed or below another.</summary>
    public static TestCertificate CreateAuthority(string name, TestCertificate? issuer = null) => Create(name, [], issuer, isAuthority: true, days: 30);

    /// <summary>A certificate for servers and clients.</summary>
    /// <param name="names">DNS names or IP addresses; the first is the common name too.</param>
    /// <param name="issuer">Null for a self-signed one.</param>
    /// <param name="days">How long it is valid from yesterday on; 0 makes it expired.</param>
    /// <param name="purpose">What it is good for only (the identifier of an extended key usage); null for everything.</param>
    public static TestCertificate Create(IReadOnlyList<string> names, TestCertificate? issuer = null, int days = 30, string? purpose = null)
    {
        ArgumentNullException.ThrowIfNull(names);
        return Create(names[0], names, issuer, isAuthority: false, days, purpose);
    }

    /// <summary>A Kubernetes Secret of type kubernetes.io/tls, as YAML.</summary>
    public string ToSecretYaml(string name, string @namespace = "default") => $"""
        apiVersion: v1
        kind: Secret
        type: kubernetes.io/tls
        metadata:
          name: {name}
          namespace: {@namespace}
        data:
          tls.crt: {Convert.ToBase64String(Encoding.ASCII.GetBytes(ChainPem))}
          tls.key: {Convert.ToBase64String(Encoding.ASCII.GetBytes(KeyPem))}

        """;

    /// <summary>The certificate and its intermediate issuers, as .NET presents them in a handshake.</summary>
    public SslStreamCertificateContext ToContext()
    {
        var chain = new X509Certificate2Collection();
        chain.ImportFromPem(ChainPem);
        chain.RemoveAt(0);
        return SslStreamCertificateContext.Create(Certificate, chain, offline: true);
    }

    /// <inheritdoc/>
    public void Dispose() => Certificate.Dispose();

    private static TestCertificate Create(string commonName, IReadOnlyList<string> names, TestCertificate? issuer, bool isAuthority, int days, string? purpose = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={commonName}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(
            isAuthority ? X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign : X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        if (purpose is not null) request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(purpose)], critical: false));
        if (names.Count > 0)
        {
            var alternatives = new SubjectAlternativeNameBuilder();
            foreach (var name in names)
            {
                if (IPAddress.TryParse(name, out var address)) alternatives.AddIpAddress(address);
                else alternatives.AddDnsName(name);
            }

            request.CertificateExtensions.Add(alternatives.Build());
        }

        var from = DateTimeOffset.UtcNow.AddDays(-1);
        var to = from.AddDays(days).AddMinutes(1);
        if (issuer is null) return new TestCertificate(request.CreateSelfSigned(from, to), null);
        var issuerEnd = new DateTimeOffset(issuer.Certificate.NotAfter.ToUniversalTime(), TimeSpan.Zero);
        var issuerStart = new DateTimeOffset(issuer.Certificate.NotBefore.ToUniversalTime(), TimeSpan.Zero);
        using var signed = request.Create(
            issuer.Certificate, from < issuerStart ? issuerStart : from, to < issuerEnd ? to : issuerEnd, RandomNumberGenerator.GetBytes(16));
        return new TestCertificate(signed.CopyWithPrivateKey(key), issuer);
    }
}
