using System.Net;
using Nuncio.DataPlane.Discovery;
using Nuncio.DataPlane.Overload;
using Nuncio.Xds.Bootstrap;

namespace Nuncio.Host;

/// <summary>How <c>nuncio proxy --xds</c> runs.</summary>
public sealed record RemoteProxyOptions
{
    /// <summary>The control plane's name or address.</summary>
    public required string Host { get; init; }

    /// <summary>Its port.</summary>
    public required uint Port { get; init; }

    /// <summary>Mutual TLS with it; null for cleartext.</summary>
    public AdsTlsOptions? Tls { get; init; }

    /// <summary>Who this proxy says that it is.</summary>
    public AdsClientOptions Client { get; init; } = new();

    /// <summary>Where health and metrics are served. Default 127.0.0.1:8877.</summary>
    public IPEndPoint AdminEndPoint { get; init; } = new(IPAddress.Loopback, 8877);

    /// <summary>When the proxy in this process takes no more work.</summary>
    public OverloadOptions Overload { get; init; } = OverloadOptions.Default;

    /// <summary>How long open requests may go on after SIGTERM.</summary>
    public TimeSpan DrainTime { get; init; } = TimeSpan.FromSeconds(30);
}
