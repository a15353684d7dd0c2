using System.Net;
using Nuncio.Compiler;
using Nuncio.DataPlane.Overload;
using Nuncio.Host.Planes;
using Nuncio.Host.Planes.LocalEnvoy;
using Nuncio.Sources;

namespace Nuncio.Host;

/// <summary>How one gateway process runs.</summary>
public sealed record GatewayOptions
{
    /// <summary>Files and folders with manifests.</summary>
    public required IReadOnlyList<string> Paths { get; init; }

    /// <summary>The folder where an Istio sidecar writes its certificate; null when there is none.</summary>
    public string? IstioSecretFolder { get; init; }

    /// <summary>For the compiler.</summary>
    public required CompilerOptions Compiler { get; init; }

    /// <summary>For what is taken from the sources.</summary>
    public SnapshotOptions Snapshots { get; init; } = SnapshotOptions.Default;

    /// <summary>Where health, metrics and dumps are served; port 0 takes a free one. Default 127.0.0.1:8877: these pages are for operators only.</summary>
    public IPEndPoint AdminEndPoint { get; init; } = new(IPAddress.Loopback, 8877);

    /// <summary>When the proxy in this process takes no more work.</summary>
    public OverloadOptions Overload { get; init; } = OverloadOptions.Default;

    /// <summary>How long open requests may go on after SIGTERM.</summary>
    public TimeSpan DrainTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The Envoy that takes traffic; null for the proxy in this process, or <see cref="Fleet"/>.</summary>
    public EnvoyOptions? Envoy { get; init; }

    /// <summary>Where Envoys that were started elsewhere get their configuration; null for the proxy in this process, or <see cref="Envoy"/>.</summary>
    public AdsOptions? Fleet { get; init; }

    /// <summary>The last snapshot that was in effect is kept here for a start without sources; null keeps none.</summary>
    public LastGoodOptions? LastGood { get; init; }
}
