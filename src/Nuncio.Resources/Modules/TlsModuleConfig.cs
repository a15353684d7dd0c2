using Nuncio.Resources.Collections;

namespace Nuncio.Resources.Modules;

/// <summary>The legacy Module <c>tls</c>: named blocks, of which <c>server</c> and <c>client</c> are special. Spec section 4.5.</summary>
/// <param name="Blocks">In the order they were written.</param>
public sealed record TlsModuleConfig(ValueMap<TlsModuleBlock> Blocks);

/// <summary>One block of the Module <c>tls</c>.</summary>
public sealed record TlsModuleBlock
{
    public bool? Enabled { get; init; }

    public string? Secret { get; init; }

    public string? CertChainFile { get; init; }

    public string? PrivateKeyFile { get; init; }

    public string? CaSecret { get; init; }

    public string? CaCertChainFile { get; init; }

    public string? AlpnProtocols { get; init; }

    public bool? CertRequired { get; init; }

    public int? RedirectCleartextFrom { get; init; }
}
