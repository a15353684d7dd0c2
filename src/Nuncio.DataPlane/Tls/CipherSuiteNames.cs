using System.Net.Security;

namespace Nuncio.DataPlane.Tls;

/// <summary>
/// The names of cipher suites that Envoy accepts (BoringSSL's, which are OpenSSL's; IANA's too), for TLS 1.2 and older. TLS 1.3 has no choice of suites there.
/// </summary>
public static class CipherSuiteNames
{
    private static readonly Dictionary<string, TlsCipherSuite> Known = new(StringComparer.Ordinal)
    {
        ["ECDHE-ECDSA-AES128-GCM-SHA256"] = TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        ["ECDHE-RSA-AES128-GCM-SHA256"] = TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        ["ECDHE-ECDSA-AES256-GCM-SHA384"] = TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        ["ECDHE-RSA-AES256-GCM-SHA384"] = TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        ["ECDHE-ECDSA-CHACHA20-POLY1305"] = TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        ["ECDHE-RSA-CHACHA20-POLY1305"] = TlsCipherSuite.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        ["ECDHE-ECDSA-AES128-SHA"] = TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,
        ["ECDHE-RSA-AES128-SHA"] = TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
        ["ECDHE-PSK-AES128-CBC-SHA"] = TlsCipherSuite.TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA,
        ["AES128-GCM-SHA256"] = TlsCipherSuite.TLS_RSA_WITH_AES_128_GCM_SHA256,
        ["AES128-SHA"] = TlsCipherSuite.TLS_RSA_WITH_AES_128_CBC_SHA,
        ["PSK-AES128-CBC-SHA"] = TlsCipherSuite.TLS_PSK_WITH_AES_128_CBC_SHA,
        ["ECDHE-ECDSA-AES256-SHA"] = TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA,
        ["ECDHE-RSA-AES256-SHA"] = TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
        ["ECDHE-PSK-AES256-CBC-SHA"] = TlsCipherSuite.TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA,
        ["AES256-GCM-SHA384"] = TlsCipherSuite.TLS_RSA_WITH_AES_256_GCM_SHA384,
        ["AES256-SHA"] = TlsCipherSuite.TLS_RSA_WITH_AES_256_CBC_SHA,
        ["PSK-AES256-CBC-SHA"] = TlsCipherSuite.TLS_PSK_WITH_AES_256_CBC_SHA,
        ["DES-CBC3-SHA"] = TlsCipherSuite.TLS_RSA_WITH_3DES_EDE_CBC_SHA,
    };

    private static readonly Dictionary<TlsCipherSuite, string> Names = Known.ToDictionary(pair => pair.Value, pair => pair.Key);

    /// <summary>The suites of TLS 1.3, which a list for older versions leaves untouched.</summary>
    public static IReadOnlyList<TlsCipherSuite> Tls13 { get; } =
        [TlsCipherSuite.TLS_AES_128_GCM_SHA256, TlsCipherSuite.TLS_AES_256_GCM_SHA384, TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256];

    /// <summary>Reads one entry of <c>cipher_suites</c>: a name, or a group <c>[A|B]</c> of equal preference. False for a name nobody knows.</summary>
    public static bool TryParse(string entry, List<TlsCipherSuite> suites)
    {
        ArgumentNullException.ThrowIfNull(entry);
        ArgumentNullException.ThrowIfNull(suites);
        var names = entry.StartsWith('[') && entry.EndsWith(']') ? entry[1..^1].Split('|') : [entry];
        foreach (var name in names)
        {
            if (!Known.TryGetValue(name, out var suite) && (!name.StartsWith("TLS_", StringComparison.Ordinal) || !Enum.TryParse(name, out suite)))
                return false;
            suites.Add(suite);
        }

        return true;
    }

    /// <summary>OpenSSL's list of the suites for TLS 1.2; null when it has no name for one of them.</summary>
    internal static string? OpenSslListOf(IEnumerable<TlsCipherSuite> suites)
    {
        var names = suites.Where(static suite => !Tls13.Contains(suite)).Select(static suite => Names.GetValueOrDefault(suite)).ToList();
        return names.Count == 0 || names.Contains(null) ? null : string.Join(':', names);
    }

    /// <summary>OpenSSL's name of a negotiated suite, as access logs show it.</summary>
    public static string NameOf(TlsCipherSuite suite) => Names.TryGetValue(suite, out var name) ? name : suite.ToString();
}
