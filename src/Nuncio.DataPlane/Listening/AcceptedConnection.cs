using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Telemetry;
using Nuncio.DataPlane.Transport;

namespace Nuncio.DataPlane.Listening;

/// <summary>A connection whose chain was found and whose handshake is done: what a network filter gets.</summary>
public sealed class AcceptedConnection
{
    /// <summary>The bytes, decrypted.</summary>
    public required TransportConnection Transport { get; init; }

    /// <summary>Who it is.</summary>
    public required DownstreamConnectionInfo Connection { get; init; }

    /// <summary>The listener's statistics.</summary>
    public required ListenerMetrics Metrics { get; init; }

    /// <summary>The clusters as they were before the listener's configuration was looked at.</summary>
    public required ClusterGeneration Clusters { get; init; }

    /// <summary>What the listener's logs will show of it; null where there are none.</summary>
    internal AccessLogging.ConnectionRecord? Record { get; init; }

    /// <summary>For a filter that has to wait for the first bytes before it can begin a session; null where nobody measures.</summary>
    internal IOpeningDeadline? Opening { get; init; }

    /// <summary>Bytes of <see cref="Transport"/> that were read already, and the way to read more ahead. Released once the filter's session runs.</summary>
    public required PeekBuffer Peek { get; init; }
}
