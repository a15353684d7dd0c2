using Nuncio.Compiler.Naming;

namespace Nuncio.Compiler.Tls;

/// <summary>TLS settings that are ready to emit: every Secret was found and holds what is needed.</summary>
internal sealed record TlsContextPlan
{
    /// <summary>The name that other resources use: the resource's, or <c>name.namespace</c> where an earlier one has it (SPEC 2.5).</summary>
    public required string Name { get; init; }

    /// <summary>The namespace of the resource it came from.</summary>
    public required string Namespace { get; init; }

    /// <summary>The TLSContext, Host or Module it came from.</summary>
    public required Resource Origin { get; init; }

    /// <summary>The names it is for; empty when it does not say.</summary>
    public ImmutableArray<string> Hosts { get; init; } = [];

    /// <summary>The certificate and key that are presented; null when there are none, as in a context that only originates TLS.</summary>
    public SecretMaterial? Certificate { get; init; }

    /// <summary>What the other side's certificate is checked against; null when it is not.</summary>
    public ValidationPlan? Validation { get; init; }

    /// <summary>Whether a client must present a certificate; null is Envoy's default, no.</summary>
    public bool? CertificateRequired { get; init; }

    public TlsV3.TlsParameters.Types.TlsProtocol MinimumVersion { get; init; }

    public TlsV3.TlsParameters.Types.TlsProtocol MaximumVersion { get; init; }

    /// <summary>BoringSSL's names; for TLS 1.2 and below. Empty is Envoy's default.</summary>
    public ImmutableArray<string> CipherSuites { get; init; } = [];

    /// <summary>Empty is Envoy's default.</summary>
    public ImmutableArray<string> Curves { get; init; } = [];

    /// <summary>In order of preference; empty: no ALPN, so HTTP/1.1 only (SPEC 6.2).</summary>
    public ImmutableArray<string> Alpn { get; init; } = [];

    /// <summary>The server name that is asked for upstream.</summary>
    public string? Sni { get; init; }

    /// <summary>
    /// The same for two contexts that behave alike towards a client. Hosts with the same one may share a filter chain.
    /// </summary>
    public string Fingerprint => _fingerprint ??= ComputeFingerprint();

    private string? _fingerprint;

    private string ComputeFingerprint() => string.Join(
        '\n',
        Certificate?.Name,
        Validation?.SecretName,
        CertificateRequired?.ToString(),
        MinimumVersion.ToString(),
        MaximumVersion.ToString(),
        string.Join(',', CipherSuites),
        string.Join(',', Curves),
        string.Join(',', Alpn));
}

/// <summary>A CA bundle and, with it, a revocation list.</summary>
/// <param name="Ca">The Secret with the CA bundle.</param>
/// <param name="UsesRoots">Whether the bundle is the Secret's <c>root-cert.pem</c> and not its <c>tls.crt</c>.</param>
/// <param name="RevocationList">The Secret with the revocation list; null when there is none.</param>
internal sealed record ValidationPlan(SecretMaterial Ca, bool UsesRoots, SecretMaterial? RevocationList)
{
    /// <summary>The name of the xDS secret.</summary>
    public string SecretName => XdsNames.AuthoritySecret(Ca.Resource.Namespace, Ca.Resource.Name, UsesRoots, RevocationList?.Name);
}
