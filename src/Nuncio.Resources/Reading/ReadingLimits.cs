namespace Nuncio.Resources.Reading;

/// <summary>Bounds on what one file may cost, so that a hostile or damaged one stays a finding.</summary>
public sealed record ReadingLimits
{
    /// <summary>The defaults.</summary>
    public static ReadingLimits Default { get; } = new();

    /// <summary>Characters of one file; 128 Mi.</summary>
    public int MaxFileLength { get; init; } = 128 << 20;

    /// <summary>How deep maps and lists may be nested; 100.</summary>
    public int MaxDepth { get; init; } = 100;

    /// <summary>Nodes of one document after all aliases are expanded; 4 million. An alias bomb reaches it at once.</summary>
    public int MaxNodes { get; init; } = 4_000_000;

    /// <summary>Findings kept of one document; more are counted, not kept. 200.</summary>
    public int MaxFindingsPerDocument { get; init; } = 200;
}
