namespace Nuncio.Sources.Files;

/// <summary>How files are watched.</summary>
public sealed record FileSourceOptions
{
    /// <summary>The defaults.</summary>
    public static FileSourceOptions Default { get; } = new();

    /// <summary>A file is read when nothing was written for this long.</summary>
    public TimeSpan Settle { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <summary>A file that is written without pause is read after this long all the same.</summary>
    public TimeSpan MaximumSettle { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>How often to look without having been notified.</summary>
    public TimeSpan RescanInterval { get; init; } = TimeSpan.FromSeconds(2);
}
