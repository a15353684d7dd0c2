using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Nuncio.Testing;

namespace Nuncio.EndToEndTests.Features;

/// <summary>
/// Certificates that manifests and clients name, made when first named: <c>a.example.com</c> is self-signed, <c>a.example.com@authority</c> issued by an
/// authority of that name.
/// </summary>
public sealed class Certificates : IDisposable
{
    private readonly ConcurrentDictionary<string, Lazy<TestCertificate>> _made = new();

    /// <summary>The certificate with its key.</summary>
    public X509Certificate2 this[string name] => Get(name).Certificate;

    /// <summary>
    /// The data of a Secret: <c>pair:NAME</c> has certificate and key, <c>ca:AUTHORITY</c> the certificate alone, <c>crl:AUTHORITY:NAME</c> a list that
    /// revokes one certificate, <c>broken:NAME</c> a key that is none. Null for any other name.
    /// </summary>
    public string? SecretData(string name)
    {
        var words = name.Split(':');
        return words[0] switch
        {
            "pair" => $"{{ tls.crt: {Base64(Get(words[1]).ChainPem)}, tls.key: {Base64(Get(words[1]).KeyPem)} }}",
            "ca" => $"{{ tls.crt: {Base64(Authority(words[1]).CertificatePem)} }}",
            "crl" => $"{{ crl.pem: {Base64(Revocation(words[1], words[2]))} }}",
            "broken" => $"{{ tls.crt: {Base64(Get(words[1]).ChainPem)}, tls.key: {Base64("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")} }}",
            _ => null,
        };
    }

    /// <summary>A certificate of the name and authority that is no longer valid, with its key.</summary>
    public X509Certificate2 Expired(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var words = name.Split('@');
        return Make("expired " + name, () => TestCertificate.Create([words[0]], Authority(words[1]), days: 0)).Certificate;
    }

    /// <summary>Text of a PEM file: <c>chain:NAME</c>, <c>key:NAME</c>, <c>ca:AUTHORITY</c> or <c>crl:AUTHORITY:NAME</c>.</summary>
    public string Pem(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var words = name.Split(':');
        return words[0] switch
        {
            "chain" => Get(words[1]).ChainPem,
            "key" => Get(words[1]).KeyPem,
            "ca" => Authority(words[1]).CertificatePem,
            _ => Revocation(words[1], words[2]),
        };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var certificate in _made.Values) certificate.Value.Dispose();
    }

    private TestCertificate Get(string name) => Make(name, () =>
    {
        var words = name.Split('@');
        return TestCertificate.Create([words[0]], words.Length == 1 ? null : Authority(words[1]));
    });

    private TestCertificate Authority(string name) => Make("authority " + name, () => TestCertificate.CreateAuthority(name));

    private TestCertificate Make(string key, Func<TestCertificate> make) => _made.GetOrAdd(key, _ => new Lazy<TestCertificate>(make)).Value;

    private string Revocation(string authority, string name)
    {
        var list = new CertificateRevocationListBuilder();
        list.AddEntry(this[name + "@" + authority]);
        var bytes = list.Build(
            Authority(authority).Certificate, 1, DateTimeOffset.UtcNow.AddDays(10), HashAlgorithmName.SHA256, thisUpdate: DateTimeOffset.UtcNow.AddHours(-1));
        return PemEncoding.WriteString("X509 CRL", bytes) + "\n";
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.ASCII.GetBytes(text));
}
