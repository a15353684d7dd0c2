namespace Nuncio.XdsServer;

/// <summary>Which Envoys are supported.</summary>
public static class EnvoySupport
{
    /// <summary>The oldest. An older one is served all the same, with a finding.</summary>
    public static Version Oldest { get; } = new(1, 36);
}
