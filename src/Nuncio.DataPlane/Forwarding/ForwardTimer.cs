using Nuncio.DataPlane.Time;

namespace Nuncio.DataPlane.Forwarding;

/// <summary>Why a request ends other than by its response.</summary>
internal enum ForwardEnd : byte
{
    /// <summary>It has not.</summary>
    None,

    /// <summary>The client went away.</summary>
    ClientGone,

    /// <summary>The route's timeout.</summary>
    Timeout,

    /// <summary>The timeout of one try.</summary>
    PerTryTimeout,

    /// <summary>Nothing moved for too long.</summary>
    IdleTimeout,

    /// <summary>The longest duration of a stream to an upstream, of the cluster.</summary>
    MaxDuration,

    /// <summary>The longest duration of a client's stream, of the route or the connection manager.</summary>
    StreamDuration,

    /// <summary>Nothing moved in one try for too long.</summary>
    PerTryIdleTimeout,

    /// <summary>The request did not arrive in time.</summary>
    RequestTimeout,

    /// <summary>The request's body is framed wrongly.</summary>
    BadBody,
}

/// <summary>A timer of a request.</summary>
internal sealed class ForwardTimer(ForwardState owner, ForwardEnd end, TimerService timers) : TimerEntry(timers)
{
    protected override void OnTimer(int version) => owner.OnTimer(this, version, end);
}
