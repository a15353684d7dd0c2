using Nuncio.Resources.Collections;

namespace Nuncio.Resources.Getambassador;

/// <summary>A host name that is served (kind Host). Spec section 4.3.</summary>
public sealed record HostResource : AmbassadorResource
{
    /// <summary>The kind's name.</summary>
    public const string KindName = "Host";

    /// <summary>What was written under <c>spec</c>.</summary>
    public required HostSpec Spec { get; init; }
}

/// <summary>The fields of a Host.</summary>
public sealed record HostSpec
{
    /// <summary>A glob, possibly with a port; null is <c>*</c>.</summary>
    public string? Hostname { get; init; }

    /// <summary><c>mappingSelector</c>, or the deprecated <c>selector</c> where that is absent.</summary>
    public LabelSelector? MappingSelector { get; init; }

    public SecretReference? TlsSecret { get; init; }

    /// <summary>Inline TLS settings.</summary>
    public TlsConfig? Tls { get; init; }

    /// <summary><c>tlsContext.name</c>.</summary>
    public string? TlsContextName { get; init; }

    /// <summary><c>requestPolicy.insecure.action</c>; null is Redirect.</summary>
    public InsecureAction? InsecureAction { get; init; }

    /// <summary><c>requestPolicy.insecure.additionalPort</c>; has no effect since Listeners exist.</summary>
    public int? InsecureAdditionalPort { get; init; }

    public AcmeProviderConfig? AcmeProvider { get; init; }

    public PreviewUrlConfig? PreviewUrl { get; init; }
}

/// <summary>What becomes of a request that came without TLS.</summary>
public enum InsecureAction
{
    Redirect,
    Reject,
    Route,
}

/// <summary>Selects by labels.</summary>
/// <param name="MatchLabels">All of these must be there; null when absent.</param>
/// <param name="HasMatchExpressions">Whether <c>matchExpressions</c> was written: accepted by the schema, but Emissary ignores it.</param>
public sealed record LabelSelector(ValueMap<string>? MatchLabels, bool HasMatchExpressions);

/// <summary>A native reference to a Secret: no namespace is read out of the name.</summary>
/// <param name="Name">Null or empty: none.</param>
/// <param name="Namespace">Null: that of the referring resource.</param>
public sealed record SecretReference(string? Name, string? Namespace);

/// <summary>Has an effect in Edge Stack only. Spec section 15.7.</summary>
public sealed record AcmeProviderConfig
{
    /// <summary>A directory URL, or <c>none</c>.</summary>
    public string? Authority { get; init; }

    public string? Email { get; init; }

    /// <summary><c>privateKeySecret.name</c>.</summary>
    public string? PrivateKeySecretName { get; init; }

    public string? Registration { get; init; }
}

/// <summary>Ignored, with a warning.</summary>
public sealed record PreviewUrlConfig(bool? Enabled, string? Type);
