using Nuncio.DataPlane.Model;

namespace Nuncio.DataPlane.State;

/// <summary>What one priority of a cluster uses of its limits (Envoy's resource manager). A slight overshoot under races is accepted, as in Envoy.</summary>
internal sealed class ResourceState(CircuitBreakerModel limits)
{
    private int _connections;
    private int _pending;
    private int _requests;
    private int _retries;

    public CircuitBreakerModel Limits { get; } = limits;

    public bool CanConnect => (uint)Volatile.Read(ref _connections) < Limits.MaxConnections;

    public bool CanWait => (uint)Volatile.Read(ref _pending) < Limits.MaxPendingRequests;

    public bool CanRequest => (uint)Volatile.Read(ref _requests) < Limits.MaxRequests;

    public bool CanRetry
    {
        get
        {
            var retries = Volatile.Read(ref _retries);
            if (Limits.RetryBudgetPercent is not { } percent)
            {
                return (uint)retries < Limits.MaxRetries;
            }

            // Whole retries: a share of less than one is none.
            var allowed = (long)((Volatile.Read(ref _requests) + Volatile.Read(ref _pending)) * percent / 100);
            return retries < Math.Max(allowed, Limits.MinRetryConcurrency);
        }
    }

    /// <summary>Retries under way.</summary>
    public int Retries => Volatile.Read(ref _retries);

    public void AddConnection(int count) => Interlocked.Add(ref _connections, count);

    public void AddPending(int count) => Interlocked.Add(ref _pending, count);

    public void AddRequest(int count) => Interlocked.Add(ref _requests, count);

    public void AddRetry(int count) => Interlocked.Add(ref _retries, count);
}
