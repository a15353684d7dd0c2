namespace Nuncio.DataPlane.Tls.OpenSsl;

/// <summary>
/// What a handshake agreed on, by the names that Envoy counts it under (BoringSSL's). Numbers are of &lt;openssl/obj_mac.h&gt; and RFC 8446 section 4.2.7.
/// </summary>
internal static class NegotiatedNames
{
    // How OpenSSL shows a group that it has no object of: with this added to the number on the wire.
    private const int GroupWithoutObject = 0x1000000;

    private const int KeyRsa = 6;
    private const int KeyElliptic = 408;
    private const int KeyRsaPss = 912;
    private const int KeyEd25519 = 1087;
    private const int Sha1 = 64;
    private const int Sha256 = 672;
    private const int Sha384 = 673;
    private const int Sha512 = 674;

    /// <summary>A group of the key exchange; empty for none, and for one that Envoy does not know.</summary>
    public static string Group(int number) => number switch
    {
        415 or (GroupWithoutObject | 0x0017) => "P-256",
        715 or (GroupWithoutObject | 0x0018) => "P-384",
        716 or (GroupWithoutObject | 0x0019) => "P-521",
        1034 or (GroupWithoutObject | 0x001D) => "X25519",
        GroupWithoutObject | 0x11EC => "X25519MLKEM768",
        _ => "",
    };

    /// <summary>How a client has signed with its certificate's key; empty for not at all, and for what Envoy does not know.</summary>
    public static string Signature(int key, int hash) => (key, hash) switch
    {
        (KeyElliptic, Sha256) => "ecdsa_secp256r1_sha256",
        (KeyElliptic, Sha384) => "ecdsa_secp384r1_sha384",
        (KeyElliptic, Sha512) => "ecdsa_secp521r1_sha512",
        (KeyElliptic, Sha1) => "ecdsa_sha1",
        (KeyRsaPss, Sha256) => "rsa_pss_rsae_sha256",
        (KeyRsaPss, Sha384) => "rsa_pss_rsae_sha384",
        (KeyRsaPss, Sha512) => "rsa_pss_rsae_sha512",
        (KeyRsa, Sha256) => "rsa_pkcs1_sha256",
        (KeyRsa, Sha384) => "rsa_pkcs1_sha384",
        (KeyRsa, Sha512) => "rsa_pkcs1_sha512",
        (KeyRsa, Sha1) => "rsa_pkcs1_sha1",
        (KeyEd25519, _) => "ed25519",
        _ => "",
    };
}
