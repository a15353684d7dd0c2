namespace Nuncio.XdsServer;

/// <summary>How an <see cref="AdsServer"/> treats its clients.</summary>
public sealed record AdsServerOptions
{
    /// <summary>The defaults.</summary>
    public static AdsServerOptions Default { get; } = new();

    /// <summary>
    /// How long everything must have been accepted before clusters that nothing names any more are taken away; 2 seconds. New listeners take over meanwhile,
    /// and requests under way find their cluster.
    /// </summary>
    public TimeSpan RemovalDelay { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>After how long a refused listener is offered again, since its port may be free by then; 15 seconds.</summary>
    public TimeSpan OfferAgainAfter { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Where a response that holds several resources ends, in bytes; 4 MiB. A larger resource goes alone.</summary>
    public int MaxResponseLength { get; init; } = 4 * 1024 * 1024 - 64 * 1024;

    /// <summary>How many names a client may want of a type; 200,000. A stream that asks for more is ended with ResourceExhausted.</summary>
    public int MaxNames { get; init; } = 200_000;

    /// <summary>How many streams are served at once; 1,000. More are refused with ResourceExhausted.</summary>
    public int MaxStreams { get; init; } = 1000;

    /// <summary>What clients see as the name of the control plane.</summary>
    public string Identifier { get; init; } = "nuncio";
}
