using Nuncio.DataPlane.Listening;

namespace Nuncio.Host.Planes.LocalEnvoy;

/// <summary>
/// A standby socket and where the kernel has it among the sockets at its address. The kernel numbers them from 0 in the order in which they began to listen;
/// where one closes, the last takes its number. So one that was opened behind those of an Envoy is the first once that Envoy has ended, and stays it.
/// </summary>
/// <param name="socket">The socket.</param>
/// <param name="others">How many sockets of Envoy listened there before it.</param>
/// <param name="endings">How many Envoys had ended before it was opened.</param>
/// <param name="time">All time.</param>
internal sealed class StandbyPlace(StandbySocket socket, int others, int endings, TimeProvider time)
{
    // Envoy's sockets come and go one by one.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private long? _otherwiseSince;

    /// <summary>The socket.</summary>
    public StandbySocket Socket => socket;

    /// <summary>It cannot be known where it is any more.</summary>
    public bool IsLost => _otherwiseSince is { } since && time.GetElapsedTime(since) >= Patience;

    /// <summary>Has the kernel give new connections to Envoy's sockets as they are now.</summary>
    /// <param name="ended">How many Envoys have ended.</param>
    /// <param name="isServing">All of Envoy's sockets are there.</param>
    public void Aim(int ended, bool isServing)
    {
        var listening = isServing ? socket.Others : 0;
        if (others == 0 || ended > endings)
        {
            // While Envoy is away, what it had is what it will have: connections go to its new sockets from the first moment.
            _otherwiseSince = null;
            var expected = listening > 0 ? listening : socket.Chosen;
            if (expected > 0) socket.TryLeaveTo(1, expected);
        }
        else if (listening == others)
        {
            _otherwiseSince = null;
            socket.TryLeaveTo(0, others);
        }
        else if (listening > 0) _otherwiseSince ??= time.GetTimestamp();
    }
}
