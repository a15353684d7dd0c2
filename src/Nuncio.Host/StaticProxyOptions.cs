using System.Net;
using Nuncio.DataPlane.Overload;

namespace Nuncio.Host;

/// <summary>How a process runs that serves one Envoy configuration.</summary>
public sealed record StaticProxyOptions
{
    /// <summary>A bootstrap in Envoy's JSON form, of which the static resources are served.</summary>
    public required string ConfigurationFile { get; init; }

    /// <summary>Where health, metrics and dumps are served; port 0 takes a free one. Default 127.0.0.1:8877: these pages are for operators only.</summary>
    public IPEndPoint AdminEndPoint { get; init; } = new(IPAddress.Loopback, 8877);

    /// <summary>When the proxy in this process takes no more work.</summary>
    public OverloadOptions Overload { get; init; } = OverloadOptions.Default;

    /// <summary>How long open requests may go on after SIGTERM. Default 30 s.</summary>
    public TimeSpan DrainTime { get; init; } = TimeSpan.FromSeconds(30);
}
