using System.Threading.Tasks.Sources;
using Nuncio.DataPlane.Http;

namespace Nuncio.DataPlane.Upstream;

/// <summary>A place in the queue for a connection; embedded in its request's pooled state and used over and over, one wait at a time.</summary>
internal sealed class PoolWaiter : IValueTaskSource<PoolLease>, IThreadPoolWorkItem
{
    private ManualResetValueTaskSourceCore<PoolLease> _source;
    private PoolLease _granted;

    // The queue's own, guarded by the pool.
    internal EndpointPool? Queue;
    internal PoolWaiter? Previous;
    internal PoolWaiter? Next;

    /// <summary>Gives the place up: the wait ends with LocalReset unless a connection was granted before. From any thread.</summary>
    public void Cancel() => Volatile.Read(ref Queue)?.Cancel(this);

    internal ValueTask<PoolLease> Begin()
    {
        _source.Reset();
        return new ValueTask<PoolLease>(this, _source.Version);
    }

    /// <summary>What the wait will end with.</summary>
    internal void Grant(PoolLease lease) => _granted = lease;

    /// <summary>Ends the wait on this thread.</summary>
    internal void Complete()
    {
        var lease = _granted;
        _granted = default;
        _source.SetResult(lease);
    }

    /// <summary>Ends the wait on another thread: who hands a connection on has work of its own to finish.</summary>
    internal void CompleteElsewhere() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: true);

    void IThreadPoolWorkItem.Execute() => Complete();

    PoolLease IValueTaskSource<PoolLease>.GetResult(short token) => _source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<PoolLease>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<PoolLease>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags & ~ValueTaskSourceOnCompletedFlags.UseSchedulingContext);
}
