using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Nuncio.Compiler.Naming;

/// <summary>The names of messages. All of them are made here, so that two passes cannot give two things one name.</summary>
public static class XdsNames
{
    /// <summary>The longest cluster name that is left as it is (SPEC 8.3).</summary>
    private const int LongestClusterName = 60;

    private const int KeptOfLongClusterName = 40;

    private const string CertificatePrefix = "certificate/";
    private const string AuthorityPrefix = "ca/";

    /// <summary>The name of a route: its resource, then what makes it one of several of that resource.</summary>
    public static string Route(ResourceKey resource, string variant) => variant.Length == 0 ? resource.ToString() : $"{resource}#{variant}";

    /// <summary>The resource in a route's name; null when it has none.</summary>
    public static ResourceKey? ResourceOfRoute(string routeName)
    {
        var end = routeName.IndexOf('#', StringComparison.Ordinal);
        var parts = (end < 0 ? routeName : routeName[..end]).Split('/');
        return parts.Length switch
        {
            3 => new ResourceKey(parts[0], parts[1], parts[2]),
            2 => new ResourceKey(parts[0], "", parts[1]),
            _ => null,
        };
    }

    /// <summary>The SDS resource with the certificate and key of a Secret.</summary>
    public static string CertificateSecret(string @namespace, string secret) => $"{CertificatePrefix}{@namespace}/{secret}";

    /// <summary>The SDS resource with the authorities in a Secret.</summary>
    /// <param name="namespace">The Secret's namespace.</param>
    /// <param name="secret">The Secret's name.</param>
    /// <param name="ofRoots">The authorities are its <c>root-cert.pem</c>.</param>
    /// <param name="revocationList">The Secret with the revocation list beside it, <c>namespace/name</c>; null for none.</param>
    public static string AuthoritySecret(string @namespace, string secret, bool ofRoots, string? revocationList) =>
        $"{AuthorityPrefix}{@namespace}/{secret}" + (ofRoots ? "#root" : "") + (revocationList is null ? "" : $"+crl/{revocationList}");

    /// <summary>The Secret that an SDS resource was made of; of two, that with the certificates. Null for a name that is none of these.</summary>
    public static ResourceKey? ResourceOfSecret(string name)
    {
        var rest = name.StartsWith(CertificatePrefix, StringComparison.Ordinal) ? name[CertificatePrefix.Length..]
            : name.StartsWith(AuthorityPrefix, StringComparison.Ordinal) ? name[AuthorityPrefix.Length..]
            : "";

        // Neither sign is in the name of an object.
        var parts = rest.Split('#', '+')[0].Split('/');
        return parts.Length == 2 ? new ResourceKey("Secret", parts[0], parts[1]) : null;
    }

    /// <summary>The EDS resource of a Service for the endpoint resolver, as Emissary names it.</summary>
    public static string ServiceEndpoints(string @namespace, string service, int port) =>
        string.Create(CultureInfo.InvariantCulture, $"k8s/{@namespace}/{service}/{port}");

    /// <summary>The EDS resource of a name that the DNS resolver finds in the input.</summary>
    public static string NamedEndpoints(string host, int port) => string.Create(CultureInfo.InvariantCulture, $"dns/{host}/{port}");

    /// <summary>A cluster name from its parts: joined by underscores, everything but letters, digits and underscores replaced by one (SPEC 8.3).</summary>
    public static string Cluster(IEnumerable<string> parts) => Underscored(string.Join('_', parts));

    /// <summary>What a statistics name is made of: letters, digits, underscores.</summary>
    public static string Underscored(string text) => string.Create(text.Length, text, static (span, source) =>
    {
        for (var i = 0; i < span.Length; i++)
            span[i] = char.IsAsciiLetterOrDigit(source[i]) ? source[i] : '_';
    });

    /// <summary>
    /// Shortens a cluster name as Emissary does: the first 40 characters, 16 digits of the SHA-1 and a counter, which is always 0 here because the hash is of
    /// the full name.
    /// </summary>
    public static string ShortCluster(string name)
    {
        if (name.Length <= LongestClusterName)
            return name;
#pragma warning disable CA5350 // A name, not a signature: it has to be the one that Emissary's metrics carry.
        var hash = Convert.ToHexString(SHA1.HashData(Encoding.UTF8.GetBytes(name)))[..16];
#pragma warning restore CA5350
        return $"{name[..KeptOfLongClusterName]}-{hash}-0";
    }

    /// <summary>The name of a cluster whose plain name belongs to another one with other settings.</summary>
    /// <param name="name">The plain name, before it is shortened.</param>
    /// <param name="settings">A text that tells the two apart.</param>
    public static string DistinctCluster(string name, string settings)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(settings)))[..10];
        return name.Length + 11 > LongestClusterName ? $"{name[..KeptOfLongClusterName]}-{hash}" : $"{name}-{hash}";
    }
}
