namespace Nuncio.DataPlane.Discovery;

/// <summary>Who an <see cref="AdsClient"/> says that it is.</summary>
public sealed record AdsClientOptions
{
    /// <summary>Tells this proxy from others in the control plane's log. Default <c>nuncio-proxy</c>.</summary>
    public string NodeId { get; init; } = "nuncio-proxy";

    /// <summary>The group that it belongs to. Default <c>nuncio</c>.</summary>
    public string NodeCluster { get; init; } = "nuncio";

    /// <summary>The program's version; empty for none.</summary>
    public string Version { get; init; } = "";

    /// <summary>The largest response that is taken, in bytes; 256 MiB.</summary>
    public const int MaxResponseLength = 256 * 1024 * 1024;
}
