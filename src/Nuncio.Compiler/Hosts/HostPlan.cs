using Nuncio.Compiler.Tls;
using Nuncio.Resources.Collections;
using Nuncio.Resources.Getambassador;

namespace Nuncio.Compiler.Hosts;

/// <summary>A Host that is ready to be served: its TLS settings are found, or known to be broken.</summary>
internal sealed class HostPlan
{
    /// <summary>The Host; null for the one that stands in where there are none at all (SPEC 5.1).</summary>
    public required HostResource? Resource { get; init; }

    /// <summary>Under which messages and other resources know it: the resource's name, or <c>name.namespace</c> (SPEC 2.5).</summary>
    public required string Name { get; init; }

    public required string Namespace { get; init; }

    /// <summary>The virtual host's domain: a name or glob in lower case, possibly with a port.</summary>
    public required string Hostname { get; init; }

    /// <summary>The hostname without port: what TLS clients ask for.</summary>
    public required string ServerName { get; init; }

    /// <summary>What Listeners select by.</summary>
    public ValueMap<string> Labels { get; init; } = ValueMap<string>.Empty;

    /// <summary>The labels that its Mappings must have; null when it has no mappingSelector. Empty: it takes every Mapping.</summary>
    public ValueMap<string>? Selector { get; init; }

    public required InsecureAction InsecureAction { get; init; }

    /// <summary>Null: it is served without TLS only, or its TLS settings are broken.</summary>
    public TlsContextPlan? Tls { get; init; }

    /// <summary>
    /// TLS was asked for and cannot be built. Its name then answers TLS errors or 503, never a Mapping in the clear (ACME challenges excepted, which serve to
    /// get the certificate).
    /// </summary>
    public bool IsBroken { get; init; }

    /// <summary>The name of its TLS settings as given, to tell Hosts apart that want the same server name with other settings.</summary>
    public string TlsFingerprint => Tls?.Fingerprint ?? "";
}
