using Nuncio.Resources.Collections;
using Nuncio.Resources.Getambassador;

namespace Nuncio.Compiler.Tls;

/// <summary>TLS settings as they were written, wherever that was: a TLSContext, a Host's <c>tls</c>, a block of the Module <c>tls</c>.</summary>
internal sealed record TlsContextDraft
{
    public required string Name { get; init; }

    public required Resource Origin { get; init; }

    /// <summary>The path of the fields of <see cref="Config"/> in the origin: <c>spec</c>, <c>spec.tls</c>, <c>spec.config.server</c>.</summary>
    public required string FieldPath { get; init; }

    public ValueList<string> Hosts { get; init; } = ValueList<string>.Empty;

    /// <summary><c>name</c> or <c>name.namespace</c>; null when none is named.</summary>
    public string? Secret { get; init; }

    /// <summary>Null: as the Module <c>ambassador</c> says, else true.</summary>
    public bool? SecretNamespacing { get; init; }

    public TlsConfig Config { get; init; } = TlsConfig.Empty;

    public string Namespace => Origin.Namespace;
}
