namespace Nuncio.Resources.Snapshots;

/// <summary>Which of the resources that were read belong to this process. Spec section 2.2.</summary>
public sealed record SnapshotOptions
{
    /// <summary>The defaults.</summary>
    public static SnapshotOptions Default { get; } = new();

    /// <summary><c>AMBASSADOR_ID</c>.</summary>
    public string AmbassadorId { get; init; } = AmbassadorIdPolicy.DefaultId;

    /// <summary>Set in single-namespace mode: only resources of this namespace count, and no IngressClass does.</summary>
    public string? OnlyNamespace { get; init; }

    /// <summary>Set when Secrets of this namespace alone count; null follows <see cref="OnlyNamespace"/>.</summary>
    public string? OnlySecretsOfNamespace { get; init; }
}
