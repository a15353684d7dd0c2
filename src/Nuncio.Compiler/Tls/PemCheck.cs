using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Nuncio.Compiler.Tls;

/// <summary>Says of PEM text why a TLS server would refuse it: what Envoy refuses must not reach it, since it then refuses everything.</summary>
internal static class PemCheck
{
    /// <summary>The smallest RSA key that Envoy serves (its certificate selector, since 1.13).</summary>
    private const int SmallestRsaKey = 2048;

    /// <summary>The curves that Envoy's TLS library signs with: P-256, P-384 and P-521.</summary>
    private static readonly string[] Curves = ["1.2.840.10045.3.1.7", "1.3.132.0.34", "1.3.132.0.35"];

    /// <summary>RFC 7633: a certificate that must come with a stapled OCSP response, of which there is none.</summary>
    private const string MustStaple = "1.3.6.1.5.5.7.1.24";

    /// <summary>Null when there is at least one certificate and all of them parse.</summary>
    public static string? Certificates(string pem)
    {
        var count = 0;
        var rest = pem.AsSpan();
        while (PemEncoding.TryFind(rest, out var fields))
        {
            var label = rest[fields.Label];
            if (label is "CERTIFICATE" or "TRUSTED CERTIFICATE" or "X509 CERTIFICATE")
            {
                if (!Parses(rest[fields.Base64Data])) return "a certificate in it does not parse";
                count++;
            }
            rest = rest[fields.Location.End..];
        }
        return count == 0 ? "there is no PEM certificate in it" : null;
    }

    /// <summary>Null when the key parses, is of a kind and size that is served, and belongs to the first certificate.</summary>
    public static string? KeyPair(string certificatePem, string keyPem)
    {
        if (!HasKey(keyPem)) return "there is no PEM private key in it";
        try
        {
            using var certificate = X509Certificate2.CreateFromPem(certificatePem);
            if (certificate.Extensions.Any(extension => extension.Oid?.Value == MustStaple))
                return "it must be stapled with an OCSP response, which is not supported";
            if (certificate.GetRSAPublicKey() is { } rsa)
            {
                using (rsa)
                {
                    if (rsa.KeySize < SmallestRsaKey) return $"its RSA key has {rsa.KeySize} bits, fewer than {SmallestRsaKey}";
                    using var key = RSA.Create();
                    key.ImportFromPem(keyPem);
                    return SameKey(rsa.ExportSubjectPublicKeyInfo(), key.ExportSubjectPublicKeyInfo());
                }
            }
            if (certificate.GetECDsaPublicKey() is { } ecdsa)
            {
                using (ecdsa)
                {
                    if (ecdsa.ExportParameters(includePrivateParameters: false).Curve is not { IsNamed: true } curve || !Curves.Contains(curve.Oid.Value))
                        return "its ECDSA key is on none of the curves P-256, P-384 and P-521";
                    using var key = ECDsa.Create();
                    key.ImportFromPem(keyPem);
                    return SameKey(ecdsa.ExportSubjectPublicKeyInfo(), key.ExportSubjectPublicKeyInfo());
                }
            }
            return "its key is neither RSA nor ECDSA";
        }
        catch (Exception error) when (error is CryptographicException or ArgumentException or NotSupportedException)
        {
            return "its private key does not parse, or does not belong to the certificate";
        }
    }

    /// <summary>Null when there is at least one revocation list and all of them parse.</summary>
    public static string? RevocationLists(string pem)
    {
        var count = 0;
        var rest = pem.AsSpan();
        while (PemEncoding.TryFind(rest, out var fields))
        {
            if (rest[fields.Label] is "X509 CRL")
            {
                if (!ParsesAsRevocationList(rest[fields.Location])) return "a revocation list in it does not parse";
                count++;
            }
            rest = rest[fields.Location.End..];
        }
        return count == 0 ? "there is no PEM revocation list in it" : null;
    }

    private static bool HasKey(string pem)
    {
        var rest = pem.AsSpan();
        while (PemEncoding.TryFind(rest, out var fields))
        {
            if (rest[fields.Label].EndsWith("PRIVATE KEY", StringComparison.Ordinal)) return true;
            rest = rest[fields.Location.End..];
        }
        return false;
    }

    private static string? SameKey(ReadOnlySpan<byte> certificate, ReadOnlySpan<byte> key) =>
        certificate.SequenceEqual(key) ? null : "its private key does not belong to the certificate";

    private static bool Parses(ReadOnlySpan<char> base64)
    {
        try
        {
            using var certificate = X509CertificateLoader.LoadCertificate(Convert.FromBase64String(base64.ToString()));
            return true;
        }
        catch (Exception error) when (error is CryptographicException or FormatException)
        {
            return false;
        }
    }

    private static bool ParsesAsRevocationList(ReadOnlySpan<char> pem)
    {
        try
        {
            CertificateRevocationListBuilder.LoadPem(pem, out _);
            return true;
        }
        catch (Exception error) when (error is CryptographicException or FormatException)
        {
            return false;
        }
    }
}
