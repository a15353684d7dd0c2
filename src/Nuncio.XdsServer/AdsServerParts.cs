using Microsoft.Extensions.Logging;

namespace Nuncio.XdsServer;

/// <summary>What all streams of a server share.</summary>
internal sealed record AdsServerParts(
    AdsServerOptions Options, XdsSnapshotHub Hub, AckTracker Acks, EncodedResources Encoded, ListenerRoutes ListenerRoutes, TimeProvider Time, ILogger Logger);
