using Nuncio.Resources.Collections;
using Nuncio.Resources.Core;

namespace Nuncio.Compiler.Tls;

/// <summary>What the recognised keys of one Secret hold (SPEC 2.4), checked once.</summary>
/// <remarks>
/// Emissary goes on using a Secret whose certificate or key does not parse; Envoy then refuses the whole configuration. Here such a Secret is
/// treated as missing by whatever needs the broken part.
/// </remarks>
internal sealed class SecretMaterial
{
    /// <summary>The Secret it was read from.</summary>
    public required SecretResource Resource { get; init; }

    /// <summary>PEM of the certificate chain; null when there is none.</summary>
    public SecretBytes? Certificate { get; init; }

    /// <summary>PEM of the private key; null when there is none.</summary>
    public SecretBytes? PrivateKey { get; init; }

    /// <summary>PEM of <c>root-cert.pem</c>: the roots that come with an Istio certificate.</summary>
    public SecretBytes? Roots { get; init; }

    /// <summary>PEM of <c>crl.pem</c>.</summary>
    public SecretBytes? RevocationList { get; init; }

    /// <summary>Whether <c>user.key</c>, an ACME account key, is there.</summary>
    public bool HasAccountKey { get; init; }

    /// <summary><c>cert_required</c> of a Secret that is used as a CA; null when absent.</summary>
    public bool? CertificateRequired { get; init; }

    /// <summary>Why the certificate and key cannot be served; null when they can, or there are none.</summary>
    public string? KeyPairProblem { get; init; }

    /// <summary>Why the certificate cannot be used as a CA bundle; null when it can, or there is none.</summary>
    public string? CertificateProblem { get; init; }

    /// <summary>Why the roots cannot be used; null when they can, or there are none.</summary>
    public string? RootsProblem { get; init; }

    /// <summary>Why the revocation list cannot be used; null when it can, or there is none.</summary>
    public string? RevocationListProblem { get; init; }

    /// <summary>The name of the xDS secrets made of it.</summary>
    public string Name => $"{Resource.Namespace}/{Resource.Name}";
}
