namespace Nuncio.Xds.Bootstrap;

/// <summary>What a bootstrap says beside the snapshot.</summary>
public sealed record BootstrapOptions
{
    /// <summary>The address of Envoy's administration interface; null leaves it out. Default 127.0.0.1, as Emissary has it (spec 1.3).</summary>
    public string? AdminAddress { get; init; } = "127.0.0.1";

    /// <summary>The port of Envoy's administration interface. Default 8001.</summary>
    public uint AdminPort { get; init; } = 8001;

    /// <summary>The node's <c>id</c> and <c>cluster</c>, which services of rate limits and traces are told: as Emissary names its Envoy.</summary>
    public string NodeName { get; init; } = "ambassador-default";
}
