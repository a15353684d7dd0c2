using System.Collections.Frozen;

namespace Nuncio.Compiler.Tls;

/// <summary>The names that Envoy's TLS library (BoringSSL) knows. It refuses a whole listener or cluster for one it does not know.</summary>
internal static class TlsVocabulary
{
    /// <summary>Cipher suites of TLS 1.2 and below that can be configured (BoringSSL, <c>ssl_cipher.cc</c>).</summary>
    private static readonly FrozenSet<string> CipherSuites = new[]
    {
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305", "ECDHE-PSK-CHACHA20-POLY1305",
        "ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA", "ECDHE-PSK-AES128-CBC-SHA", "ECDHE-ECDSA-AES128-SHA256", "ECDHE-RSA-AES128-SHA256",
        "ECDHE-ECDSA-AES256-SHA", "ECDHE-RSA-AES256-SHA", "ECDHE-PSK-AES256-CBC-SHA",
        "AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA", "PSK-AES128-CBC-SHA", "AES256-SHA",
        "PSK-AES256-CBC-SHA", "DES-CBC3-SHA",
        "ALL", "HIGH", "AESGCM", "CHACHA20", "ECDHE", "AES128", "AES256", "aRSA", "aECDSA", "kECDHE", "kRSA", "TLSv1.2",
    }.ToFrozenSet(StringComparer.Ordinal);

    private static readonly FrozenSet<string> Curves = new[]
    {
        "P-256", "P-384", "P-521", "X25519", "X25519MLKEM768",
        "prime256v1", "secp384r1", "secp521r1", "x25519",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>
    /// Whether it can stand in <c>cipher_suites</c>: a name, or in brackets names of equal preference (<c>[A|B]</c>). OpenSSL's operators (<c>-</c>, <c>!</c>)
    /// cannot, since whether Envoy takes them depends on what is left.
    /// </summary>
    public static bool IsCipherSuite(string text)
    {
        var span = text.AsSpan();
        if (span is ['[', .., ']'])
        {
            foreach (var range in span[1..^1].Split('|'))
            {
                if (!Known(CipherSuites, span[1..^1][range])) return false;
            }
            return true;
        }
        return Known(CipherSuites, span);
    }

    /// <summary>Whether Envoy takes it in <c>ecdh_curves</c>.</summary>
    public static bool IsCurve(string text) => Curves.Contains(text);

    /// <summary>The protocol for <c>v1.0</c> to <c>v1.3</c>; null for any other text.</summary>
    public static TlsV3.TlsParameters.Types.TlsProtocol? Version(string text) => text switch
    {
        "v1.0" => TlsV3.TlsParameters.Types.TlsProtocol.Tlsv10,
        "v1.1" => TlsV3.TlsParameters.Types.TlsProtocol.Tlsv11,
        "v1.2" => TlsV3.TlsParameters.Types.TlsProtocol.Tlsv12,
        "v1.3" => TlsV3.TlsParameters.Types.TlsProtocol.Tlsv13,
        _ => null,
    };

    private static bool Known(FrozenSet<string> names, ReadOnlySpan<char> name) => names.GetAlternateLookup<ReadOnlySpan<char>>().Contains(name);
}
