using System.Text;
using Nuncio.Resources.Collections;
using Nuncio.Resources.Core;

namespace Nuncio.Compiler.Tls;

/// <summary>Reads the recognised keys of a Secret and checks what they hold.</summary>
internal static class SecretReader
{
    /// <summary>The types whose Secrets are looked at (SPEC 2.4); a Secret without a type is Opaque.</summary>
    public static bool IsAcceptedType(string? type) => type is null or "" or "Opaque" or "kubernetes.io/tls" or "istio.io/key-and-cert";

    /// <summary>Null when none of the recognised keys is there.</summary>
    public static SecretMaterial? Read(SecretResource secret)
    {
        var certificate = First(secret, "tls.crt", "cert-chain.pem");
        var key = First(secret, "tls.key", "key.pem");
        var roots = First(secret, "root-cert.pem");
        var revocation = First(secret, "crl.pem");
        var account = First(secret, "user.key") is not null;
        if (certificate is null && key is null && roots is null && revocation is null && !account) return null;

        var certificateProblem = certificate is null ? null : PemCheck.Certificates(Text(certificate));
        string? pairProblem = null;
        if (certificate is not null && key is not null) pairProblem = certificateProblem ?? PemCheck.KeyPair(Text(certificate), Text(key));
        return new SecretMaterial
        {
            Resource = secret,
            Certificate = certificate,
            PrivateKey = key,
            Roots = roots,
            RevocationList = revocation,
            HasAccountKey = account,
            CertificateRequired = secret.Data.TryGetValue("cert_required", out var required)
                ? string.Equals(Text(required), "true", StringComparison.OrdinalIgnoreCase)
                : null,
            CertificateProblem = certificateProblem,
            KeyPairProblem = pairProblem,
            RootsProblem = roots is null ? null : PemCheck.Certificates(Text(roots)),
            RevocationListProblem = revocation is null ? null : PemCheck.RevocationLists(Text(revocation)),
        };
    }

    private static SecretBytes? First(SecretResource secret, params ReadOnlySpan<string> keys)
    {
        foreach (var key in keys)
        {
            if (secret.Data.TryGetValue(key, out var value) && !value.Value.IsEmpty) return value;
        }
        return null;
    }

    private static string Text(SecretBytes bytes) => Encoding.UTF8.GetString(bytes.Value.Span).Trim();
}
