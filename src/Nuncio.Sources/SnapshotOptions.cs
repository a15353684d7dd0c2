using Nuncio.Resources.Snapshots;

namespace Nuncio.Sources;

/// <summary>How events become snapshots.</summary>
public sealed record SnapshotOptions
{
    /// <summary>The defaults.</summary>
    public static SnapshotOptions Default { get; } = new();

    /// <summary><c>AMBASSADOR_ID</c>; resources of other ids are left out.</summary>
    public string AmbassadorId { get; init; } = AmbassadorIdPolicy.DefaultId;

    /// <summary>With <c>AMBASSADOR_SINGLE_NAMESPACE</c>: resources of other namespaces are left out. Null: all are taken.</summary>
    public string? OnlyNamespace { get; init; }

    /// <summary>With <c>AMBASSADOR_CERTS_SINGLE_NAMESPACE</c>: Secrets of other namespaces are left out. Null: all are taken.</summary>
    public string? OnlySecretNamespace { get; init; }

    /// <summary>A batch ends when nothing happened for this long.</summary>
    public TimeSpan HoldOff { get; init; } = TimeSpan.FromMilliseconds(5);

    /// <summary>A batch ends after this long whatever happens, so that a stream of changes cannot hold everything back.</summary>
    public TimeSpan MaximumHoldOff { get; init; } = TimeSpan.FromMilliseconds(50);
}
