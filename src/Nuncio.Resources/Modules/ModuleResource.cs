using Nuncio.Resources.Getambassador;

namespace Nuncio.Resources.Modules;

/// <summary>
/// Settings of the whole gateway (kind Module). Spec section 4.5. At most one of the configurations is set; a Module of any other name has neither.
/// </summary>
public sealed record ModuleResource : AmbassadorResource
{
    /// <summary>The kind's name.</summary>
    public const string KindName = "Module";

    /// <summary>Set in the Module named <c>ambassador</c>.</summary>
    public AmbassadorModuleConfig? Ambassador { get; init; }

    /// <summary>Set in the Module named <c>tls</c>.</summary>
    public TlsModuleConfig? Tls { get; init; }
}
