using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Nuncio.Compiler.Tls;

/// <summary>Says of PEM text why a TLS server would refuse it: what Envoy refuses must not reach it, since it then refuses everything.</summary>
internal static class PemCheck
{
    /// <summary>The smallest RSA key that Envoy serves (its certificate selector, since 1.13).</summary>
    private const int SmallestRsaKey = 2048;

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
