namespace Nuncio.Compiler.Emitting;

/// <summary>Where a data plane gets the resources that a message names: the same ADS stream.</summary>
internal static class XdsSources
{
    /// <summary>ADS, resources of API version 3. A new object each time, since messages own their parts.</summary>
    public static CoreV3.ConfigSource Ads() => new() { Ads = new CoreV3.AggregatedConfigSource(), ResourceApiVersion = CoreV3.ApiVersion.V3 };
}
