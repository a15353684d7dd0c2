using Nuncio.Resources.Collections;

namespace Nuncio.Resources.Getambassador;

/// <summary>TLS settings with a name (kind TLSContext). Spec sections 4.6 and 6.</summary>
public sealed record TlsContextResource : AmbassadorResource
{
    /// <summary>The kind's name.</summary>
    public const string KindName = "TLSContext";

    /// <summary>What was written under <c>spec</c>.</summary>
    public required TlsContextSpec Spec { get; init; }
}

/// <summary>The fields of a TLSContext.</summary>
public sealed record TlsContextSpec
{
    public ValueList<string>? Hosts { get; init; }

    /// <summary><c>name</c> or <c>name.namespace</c>.</summary>
    public string? Secret { get; init; }

    /// <summary>Whether a dot in a Secret's name separates its namespace; null: as the Module says, else true.</summary>
    public bool? SecretNamespacing { get; init; }

    /// <summary>The rest, shared with a Host's inline settings.</summary>
    public TlsConfig Config { get; init; } = TlsConfig.Empty;
}

/// <summary>The settings that a TLSContext and a Host's <c>tls</c> have in common.</summary>
public sealed record TlsConfig
{
    /// <summary>Nothing set.</summary>
    public static TlsConfig Empty { get; } = new();

    public string? CertChainFile { get; init; }

    public string? PrivateKeyFile { get; init; }

    public string? CaSecret { get; init; }

    public string? CaCertChainFile { get; init; }

    public string? CrlSecret { get; init; }

    /// <summary>Comma-separated.</summary>
    public string? AlpnProtocols { get; init; }

    public bool? CertRequired { get; init; }

    /// <summary><c>v1.0</c> to <c>v1.3</c>; in a Host not checked by the schema.</summary>
    public string? MinTlsVersion { get; init; }

    /// <summary><c>v1.0</c> to <c>v1.3</c>; in a Host not checked by the schema.</summary>
    public string? MaxTlsVersion { get; init; }

    public ValueList<string>? CipherSuites { get; init; }

    public ValueList<string>? EcdhCurves { get; init; }

    public int? RedirectCleartextFrom { get; init; }

    /// <summary>For upstream connections only.</summary>
    public string? Sni { get; init; }
}
