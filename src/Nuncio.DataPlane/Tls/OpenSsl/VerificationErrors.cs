namespace Nuncio.DataPlane.Tls.OpenSsl;

/// <summary>Why a certificate is refused, by OpenSSL's codes (&lt;openssl/x509_vfy.h&gt;), which decide the alert that the peer gets.</summary>
internal static class VerificationErrors
{
    /// <summary>None of the others; internal_error to the peer.</summary>
    public const int Unspecified = 1;

    /// <summary>unknown_ca to the peer.</summary>
    public const int NoIssuer = 20;

    /// <summary>unknown_ca to the peer.</summary>
    public const int TooLong = 22;

    /// <summary>bad_certificate to the peer.</summary>
    public const int Rejected = 28;

    /// <summary>certificate_unknown to the peer.</summary>
    public const int NameNotPermitted = 47;

    /// <summary>A signature in the chain is not good; decrypt_error to the peer.</summary>
    public const int Signature = 7;

    /// <summary>certificate_expired to the peer, by way of <see cref="ForPeer"/>.</summary>
    public const int NotYetValid = 9;

    /// <summary>certificate_expired to the peer.</summary>
    public const int Expired = 10;

    private const int RevocationsNotYetValid = 11;
    private const int RevocationsExpired = 12;

    /// <summary>What to tell the peer: certificate_expired, as Envoy does, of what is not valid yet too.</summary>
    public static int ForPeer(int error) => error switch
    {
        NotYetValid => Expired,
        RevocationsNotYetValid => RevocationsExpired,
        _ => error,
    };
}
