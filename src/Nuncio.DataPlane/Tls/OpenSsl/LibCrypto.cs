using System.Runtime.InteropServices;

namespace Nuncio.DataPlane.Tls.OpenSsl;

/// <summary>What is used of OpenSSL 3 to verify certificates (values of &lt;openssl/x509_vfy.h&gt;). There when <see cref="LibSsl.IsAvailable"/>.</summary>
internal static unsafe partial class LibCrypto
{
    // Of RSA with MD2, MD4 and MD5.
    private const int SignedWithMd2 = 7;
    private const int SignedWithMd4 = 396;
    private const int SignedWithMd5 = 8;

    private const nuint FlagCheckRevocation = 0x4;
    private const nuint FlagCheckRevocationOfAll = 0x8;
    private const nuint FlagPartialChain = 0x80000;

    /// <summary>An empty store of authorities; 0 when the library has no memory.</summary>
    public static nint CreateStore() => X509_STORE_new();

    /// <summary>Adds a certificate (DER) that is trusted. False when the library does not take it.</summary>
    public static bool TryTrust(nint store, ReadOnlySpan<byte> certificate)
    {
        var parsed = Parse(certificate);
        var isAdded = parsed != 0 && X509_STORE_add_cert(store, parsed) == 1;
        Free(parsed);
        return isAdded;
    }

    /// <summary>Adds a revocation list (DER). False when the library does not take it.</summary>
    public static bool TryAddRevocations(nint store, ReadOnlySpan<byte> list)
    {
        fixed (byte* bytes = list)
        {
            var at = bytes;
            var parsed = d2i_X509_CRL(null, &at, list.Length);
            var isAdded = parsed != 0 && X509_STORE_add_crl(store, parsed) == 1;
            X509_CRL_free(parsed);
            return isAdded;
        }
    }

    /// <summary>Whatever was added by its own name is trusted, be it an intermediate; revocation is looked at for nobody, the leaf, or all of the chain.</summary>
    public static bool TrySetFlags(nint store, bool revocation, bool onlyOfLeaf) =>
        X509_STORE_set_flags(store, FlagPartialChain | (!revocation ? 0 : onlyOfLeaf ? FlagCheckRevocation : FlagCheckRevocation | FlagCheckRevocationOfAll)) == 1;

    /// <summary>Verifies a certificate (DER). 0 when it passes, else the code of the first error, which is never 0.</summary>
    /// <param name="store">The authorities.</param>
    /// <param name="leaf">The certificate.</param>
    /// <param name="others">What else the chain may be made of.</param>
    /// <param name="check">How it is verified.</param>
    public static int Verify(nint store, ReadOnlySpan<byte> leaf, IReadOnlyList<byte[]> others, in ChainCheck check)
    {
        nint context = 0, list = 0, parsed = 0;
        try
        {
            context = X509_STORE_CTX_new();
            list = OPENSSL_sk_new_null();
            parsed = Parse(leaf);
            if (context == 0 || list == 0 || parsed == 0 || !TryPush(list, others)
                || X509_STORE_CTX_init(context, store, parsed, list) != 1
                || X509_STORE_CTX_set_default(context, check.PeerIsClient ? "ssl_client" : "ssl_server") != 1)
            {
                return VerificationErrors.Unspecified;
            }

            var parameters = X509_STORE_CTX_get0_param(context);
            X509_VERIFY_PARAM_set_depth(parameters, check.MaxIntermediates);
            X509_VERIFY_PARAM_set_time(parameters, (nint)check.Time.ToUnixTimeSeconds());
            if (check.AllowExpired)
            {
                X509_STORE_CTX_set_verify_cb(context, &PassOverTime);
            }

            if (X509_verify_cert(context) == 1)
            {
                return IsForgeable(X509_STORE_CTX_get0_chain(context)) ? VerificationErrors.Signature : 0;
            }

            var error = X509_STORE_CTX_get_error(context);
            return error == 0 ? VerificationErrors.Unspecified : error;
        }
        finally
        {
            while (list != 0 && OPENSSL_sk_pop(list) is var other && other != 0)
            {
                Free(other);
            }

            OPENSSL_sk_free(list);
            X509_STORE_CTX_free(context);
            Free(parsed);
            ClearErrors();
        }
    }

    /// <summary>OpenSSL's words for an error of <see cref="Verify"/>.</summary>
    public static string Text(int error) => Marshal.PtrToStringAnsi(X509_verify_cert_error_string(error)) ?? "";

    /// <summary>A certificate's DER.</summary>
    /// <exception cref="InvalidOperationException">The library has no memory.</exception>
    public static byte[] DerOf(nint certificate)
    {
        var length = i2d_X509(certificate, null);
        if (length <= 0)
        {
            throw new InvalidOperationException("A certificate cannot be encoded.");
        }

        var der = new byte[length];
        fixed (byte* bytes = der)
        {
            var at = bytes;
            _ = i2d_X509(certificate, &at);
        }

        return der;
    }

    /// <summary>A certificate (DER) for <see cref="Free"/>; 0 when the library does not take it.</summary>
    public static nint Parse(ReadOnlySpan<byte> certificate)
    {
        fixed (byte* bytes = certificate)
        {
            var at = bytes;
            return d2i_X509(null, &at, certificate.Length);
        }
    }

    public static void FreeStore(nint store) => X509_STORE_free(store);

    private static bool TryPush(nint list, IReadOnlyList<byte[]> certificates)
    {
        foreach (var one in certificates)
        {
            var parsed = Parse(one);
            if (parsed == 0)
            {
                return false;
            }

            if (OPENSSL_sk_push(list, parsed) <= 0)
            {
                Free(parsed);
                return false;
            }
        }

        return true;
    }

    // What others can find a second certificate for, which Envoy does not verify either. Nobody relies on the signature of the authority itself.
    private static bool IsForgeable(nint chain)
    {
        for (var i = 0; i < Count(chain) - 1; i++)
        {
            if (X509_get_signature_nid(At(chain, i)) is SignedWithMd2 or SignedWithMd4 or SignedWithMd5)
            {
                return true;
            }
        }

        return false;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(System.Runtime.CompilerServices.CallConvCdecl)])]
    private static int PassOverTime(int isGood, nint context) =>
        isGood == 1 || X509_STORE_CTX_get_error(context) is VerificationErrors.NotYetValid or VerificationErrors.Expired ? 1 : 0;

    [LibraryImport("libcrypto.so.3", EntryPoint = "X509_free")]
    public static partial void Free(nint certificate);

    [LibraryImport("libcrypto.so.3", EntryPoint = "ERR_clear_error")]
    public static partial void ClearErrors();

    [LibraryImport("libcrypto.so.3", EntryPoint = "ERR_peek_last_error")]
    public static partial nuint LastError();

    [LibraryImport("libcrypto.so.3", EntryPoint = "OPENSSL_sk_num")]
    public static partial int Count(nint list);

    [LibraryImport("libcrypto.so.3", EntryPoint = "OPENSSL_sk_value")]
    public static partial nint At(nint list, int index);

    [LibraryImport("libcrypto.so.3", EntryPoint = "X509_STORE_CTX_get0_cert")]
    public static partial nint CertificateOf(nint context);

    [LibraryImport("libcrypto.so.3", EntryPoint = "X509_STORE_CTX_get0_untrusted")]
    public static partial nint UntrustedOf(nint context);

    [LibraryImport("libcrypto.so.3", EntryPoint = "X509_STORE_CTX_set_error")]
    public static partial void SetError(nint context, int error);

    [LibraryImport("libcrypto.so.3", EntryPoint = "X509_STORE_CTX_get_error")]
    private static partial int X509_STORE_CTX_get_error(nint context);

#pragma warning disable IDE1006, SA1300 // the names are OpenSSL's
    [LibraryImport("libcrypto.so.3")]
    private static partial nint X509_STORE_new();

    [LibraryImport("libcrypto.so.3")]
    private static partial void X509_STORE_free(nint store);

    [LibraryImport("libcrypto.so.3")]
    private static partial int X509_STORE_add_cert(nint store, nint certificate);

    [LibraryImport("libcrypto.so.3")]
    private static partial int X509_STORE_add_crl(nint store, nint list);

    [LibraryImport("libcrypto.so.3")]
    private static partial int X509_STORE_set_flags(nint store, nuint flags);

    [LibraryImport("libcrypto.so.3")]
    private static partial nint X509_STORE_CTX_new();

    [LibraryImport("libcrypto.so.3")]
    private static partial void X509_STORE_CTX_free(nint context);

    [LibraryImport("libcrypto.so.3")]
    private static partial int X509_STORE_CTX_init(nint context, nint store, nint certificate, nint untrusted);

    [LibraryImport("libcrypto.so.3", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int X509_STORE_CTX_set_default(nint context, string name);

    [LibraryImport("libcrypto.so.3")]
    private static partial void X509_STORE_CTX_set_verify_cb(nint context, delegate* unmanaged[Cdecl]<int, nint, int> callback);

    [LibraryImport("libcrypto.so.3")]
    private static partial nint X509_STORE_CTX_get0_param(nint context);

    [LibraryImport("libcrypto.so.3")]
    private static partial nint X509_STORE_CTX_get0_chain(nint context);

    [LibraryImport("libcrypto.so.3")]
    private static partial int X509_get_signature_nid(nint certificate);

    [LibraryImport("libcrypto.so.3")]
    private static partial void X509_VERIFY_PARAM_set_depth(nint parameters, int depth);

    [LibraryImport("libcrypto.so.3")]
    private static partial void X509_VERIFY_PARAM_set_time(nint parameters, nint seconds);

    [LibraryImport("libcrypto.so.3")]
    private static partial int X509_verify_cert(nint context);

    [LibraryImport("libcrypto.so.3")]
    private static partial nint X509_verify_cert_error_string(nint error);

    [LibraryImport("libcrypto.so.3")]
    private static partial nint d2i_X509(nint* result, byte** der, nint length);

    [LibraryImport("libcrypto.so.3")]
    private static partial int i2d_X509(nint certificate, byte** der);

    [LibraryImport("libcrypto.so.3")]
    private static partial nint d2i_X509_CRL(nint* result, byte** der, nint length);

    [LibraryImport("libcrypto.so.3")]
    private static partial void X509_CRL_free(nint list);

    [LibraryImport("libcrypto.so.3")]
    private static partial nint OPENSSL_sk_new_null();

    [LibraryImport("libcrypto.so.3")]
    private static partial int OPENSSL_sk_push(nint list, nint item);

    [LibraryImport("libcrypto.so.3")]
    private static partial nint OPENSSL_sk_pop(nint list);

    [LibraryImport("libcrypto.so.3")]
    private static partial void OPENSSL_sk_free(nint list);
#pragma warning restore IDE1006, SA1300
}
