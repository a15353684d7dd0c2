using System.Collections.Immutable;
using Nuncio.Xds;

namespace Nuncio.Host.Planes;

/// <summary>What takes traffic for a gateway: the proxy in this process, an Envoy beside it, or a fleet elsewhere.</summary>
internal interface IGatewayPlane : IXdsSnapshotSink, IAsyncDisposable
{
    /// <summary>Told, on any thread, when <see cref="IsServing"/> or <see cref="Rejections"/> may have changed by themselves.</summary>
    event Action? Changed;

    /// <summary>The newest snapshot that was applied is in effect, as far as it was not refused.</summary>
    bool IsServing { get; }

    /// <summary>A revision, or a later one, is in effect, as far as it was not refused.</summary>
    bool HasAccepted(long revision);

    /// <summary>
    /// Whether a revision, or a later one, is known to be in effect somewhere, as far as it was not refused: what is worth keeping for a restart.
    /// </summary>
    bool IsProven(long revision);

    /// <summary>What of the newest snapshot is refused.</summary>
    ImmutableArray<XdsRejection> Rejections { get; }

    /// <summary>What takes traffic is elsewhere, and may go on with what a process before this one gave it.</summary>
    bool OutlivesProcess => false;

    /// <summary>A newer process has begun to take over the ports.</summary>
    bool IsReplaced => false;

    /// <summary>Gets ready to take snapshots. A reason when that is impossible, else null.</summary>
    Task<string?> StartAsync(CancellationToken cancellationToken);

    /// <summary>The data plane's statistics in Prometheus' text form; null where they are elsewhere.</summary>
    Task<ReadOnlyMemory<byte>?> MetricsAsync(CancellationToken cancellationToken);

    /// <summary>The end: no new connections, and a time for what is open.</summary>
    Task DrainAsync(TimeSpan time, CancellationToken cancellationToken);
}
