using Nuncio.DataPlane.Telemetry;
using Nuncio.DataPlane.Time;

namespace Nuncio.DataPlane.Upstream;

/// <summary>What all clusters of a process share.</summary>
public sealed class UpstreamEnvironment
{
    /// <summary>Timers and the clock.</summary>
    public required TimerService Timers { get; init; }

    /// <summary>Where statistics live.</summary>
    public required MetricsRegistry Metrics { get; init; }

    /// <summary>Makes connections.</summary>
    public required ClientConnector Connections { get; init; }

    /// <summary>Makes bare connections, for checks of ports.</summary>
    public required Transport.TransportConnector Transports { get; init; }

    /// <summary>Resolves names.</summary>
    public required NameDirectory Names { get; init; }
}
