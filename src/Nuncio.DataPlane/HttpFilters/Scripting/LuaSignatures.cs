using System.Security.Cryptography;

namespace Nuncio.DataPlane.HttpFilters.Scripting;

/// <summary>Signatures that scripts check with a public key (importPublicKey and verifySignature of the stream handle).</summary>
internal static class LuaSignatures
{
    private const int MaxBytes = 1024 * 1024;

    /// <summary>Whether a key, as DER of a SubjectPublicKeyInfo, can be used.</summary>
    public static bool Import(string key)
    {
        using var loaded = Load(LuaRun.Octets(key));
        return loaded is not null;
    }

    /// <summary>Checks: true, or nil with Envoy's words for why not.</summary>
    /// <param name="hash">sha1, sha224, sha256, sha384 or sha512, in any case.</param>
    /// <param name="key">As for <see cref="Import"/>.</param>
    /// <param name="signature">PKCS #1 v1.5 of an RSA key; DER of an EC key.</param>
    /// <param name="data">What was signed.</param>
    public static LuaAnswer Verify(string hash, string key, string signature, string data)
    {
        var isSha224 = hash.Equals("sha224", StringComparison.OrdinalIgnoreCase);
        var algorithm = Algorithm(hash);
        if (algorithm is null && !isSha224)
        {
            return LuaAnswer.Of($"{hash} is not supported.");
        }

        using var loaded = Load(LuaRun.Octets(key));
        if (loaded is null)
        {
            return LuaAnswer.Of("Failed to initialize digest verify.");
        }

        if (signature.Length > MaxBytes || data.Length > MaxBytes)
        {
            return LuaAnswer.Of("Failed to verify digest. Error code: 0");
        }

        return IsGood(loaded, algorithm, LuaRun.Octets(signature), LuaRun.Octets(data))
            ? LuaAnswer.True : LuaAnswer.Of("Failed to verify digest. Error code: 0");
    }

    private static bool IsGood(AsymmetricAlgorithm key, HashAlgorithmName? hash, byte[] signature, byte[] data)
    {
        try
        {
            return key switch
            {
                RSA rsa when hash is { } known => rsa.VerifyData(data, signature, known, RSASignaturePadding.Pkcs1),
                RSA rsa => Sha224.IsGood(rsa, signature, data),
                ECDsa ec when hash is { } known => ec.VerifyData(data, signature, known, DSASignatureFormat.Rfc3279DerSequence),
                ECDsa ec => ec.VerifyHash(Sha224.Hash(data), signature, DSASignatureFormat.Rfc3279DerSequence),
                _ => false,
            };
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private static HashAlgorithmName? Algorithm(string hash) => hash.ToLowerInvariant() switch
    {
        "sha1" => HashAlgorithmName.SHA1,
        "sha256" => HashAlgorithmName.SHA256,
        "sha384" => HashAlgorithmName.SHA384,
        "sha512" => HashAlgorithmName.SHA512,
        _ => null,
    };

    private static AsymmetricAlgorithm? Load(byte[] der)
    {
        if (der.Length is 0 or > 16 * 1024)
        {
            return null;
        }

        var rsa = RSA.Create();
        try
        {
            rsa.ImportSubjectPublicKeyInfo(der, out _);
            return rsa;
        }
        catch (CryptographicException)
        {
            rsa.Dispose();
        }

        var ec = ECDsa.Create();
        try
        {
            ec.ImportSubjectPublicKeyInfo(der, out _);
            return ec;
        }
        catch (CryptographicException)
        {
            ec.Dispose();
            return null;
        }
    }
}
