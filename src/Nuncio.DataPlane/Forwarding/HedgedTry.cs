using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Upstream;

namespace Nuncio.DataPlane.Forwarding;

/// <summary>
/// One of several tries of a hedged request. Its fields are written by its own work before it is signalled, and read by the main flow after that.
/// </summary>
internal sealed class HedgedTry(EndpointState endpoint, EndpointPool pool)
{
    public EndpointState Endpoint { get; } = endpoint;

    public EndpointPool Pool { get; } = pool;

    public PoolWaiter Waiter { get; } = new();

    /// <summary>What came of waiting for a connection.</summary>
    public PoolLease Lease { get; set; }

    /// <summary>The stream, once the request is being sent.</summary>
    public UpstreamAttempt? Attempt { get; set; }

    /// <summary>When the request began to be sent, as a timestamp of the exchange's clock.</summary>
    public long RequestStarted { get; set; }

    /// <summary>The response's head.</summary>
    public ClientHeadersRead Head { get; set; }

    /// <summary>Another try was begun for this one: it is not tried again for anything else.</summary>
    public bool IsRetried { get; set; }

    /// <summary>Its own time has run out, which its endpoint was blamed for.</summary>
    public bool IsTimeoutKnown { get; set; }

    /// <summary>How far it has come; guarded by the request's lock.</summary>
    public HedgedTryState State { get; set; }

    /// <summary>What is under way for it; the request does not end before that.</summary>
    public Task Work { get; set; } = Task.CompletedTask;
}

/// <summary>How far a try has come.</summary>
internal enum HedgedTryState : byte
{
    /// <summary>It waits for a connection, or for its response.</summary>
    Waiting,

    /// <summary>There is a connection, or none to be had.</summary>
    Connected,

    /// <summary>The response's head has come, or will not.</summary>
    Answered,
}
