using System.Collections.Concurrent;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Time;

namespace Nuncio.DataPlane.External;

/// <summary>Where calls of the proxy's own come from: the clusters they may go to, and call objects that are used again.</summary>
internal sealed class UpstreamCalls(ClusterTable clusters, TimerService timers)
{
    private const int MaxIdle = 256;

    private readonly ConcurrentQueue<UpstreamCall> _idle = new();
    private int _idleCount;

    /// <summary>All clusters.</summary>
    public ClusterTable Clusters => clusters;

    /// <summary>The timers of the proxy.</summary>
    public TimerService Timers => timers;

    /// <summary>An empty call.</summary>
    public UpstreamCall Rent()
    {
        if (!_idle.TryDequeue(out var call))
        {
            return new UpstreamCall(timers);
        }

        Interlocked.Decrement(ref _idleCount);
        return call;
    }

    /// <summary>Nobody needs the call or its answer any more.</summary>
    public void Return(UpstreamCall call)
    {
        if (Volatile.Read(ref _idleCount) >= MaxIdle || call.ResponseBody.Length > 64 * 1024)
        {
            return;
        }

        call.Clear();
        Interlocked.Increment(ref _idleCount);
        _idle.Enqueue(call);
    }
}
