namespace Nuncio.Resources.Reading;

/// <summary>How texts are read.</summary>
public sealed record ReadingOptions
{
    /// <summary>The defaults: no environment.</summary>
    public static ReadingOptions Default { get; } = new();

    /// <summary>Bounds on one file.</summary>
    public ReadingLimits Limits { get; init; } = ReadingLimits.Default;

    /// <summary>Looks up an environment variable; used for <c>ConsulResolver.address</c> alone, no other field is expanded.</summary>
    public Func<string, string?> Environment { get; init; } = static _ => null;
}
