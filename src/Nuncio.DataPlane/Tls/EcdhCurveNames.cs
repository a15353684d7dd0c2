using Nuncio.DataPlane.Tls.OpenSsl;

namespace Nuncio.DataPlane.Tls;

/// <summary>The names that Envoy takes in <c>ecdh_curves</c> (BoringSSL's), and what OpenSSL calls the same groups.</summary>
internal static class EcdhCurveNames
{
    private static readonly Dictionary<string, string> Known = new(StringComparer.Ordinal)
    {
        ["P-256"] = "P-256",
        ["P-384"] = "P-384",
        ["P-521"] = "P-521",
        ["X25519"] = "X25519",
        ["X25519MLKEM768"] = "X25519MLKEM768",
        ["prime256v1"] = "P-256",
        ["secp384r1"] = "P-384",
        ["secp521r1"] = "P-521",
        ["x25519"] = "X25519",
    };

    /// <summary>OpenSSL's name; null for one that Envoy does not take.</summary>
    public static string? OpenSslNameOf(string name) => Known.GetValueOrDefault(name);

    /// <summary>This OpenSSL has the group; older ones have none with ML-KEM.</summary>
    public static bool IsSupported(string openSslName) => LibSsl.IsAvailable && LibSsl.KnowsGroup(openSslName);
}
