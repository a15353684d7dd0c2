using System.Collections.Concurrent;

namespace Nuncio.DataPlane.Pipeline;

/// <summary>
/// Exchanges that wait for a request. A thread takes the one that it gave back last, which its processor still has in its cache; what one thread gives
/// back and another takes goes by way of a queue for all.
/// </summary>
internal static class PipelineExchangePool
{
    private const int MaxPerThread = 128;
    private const int MaxShared = 1024;

    private static readonly ConcurrentQueue<PipelineExchange> Shared = new();
    private static int sharedCount;

    [ThreadStatic]
    private static PipelineExchange[]? kept;

    [ThreadStatic]
    private static int keptCount;

    /// <summary>An empty one.</summary>
    public static PipelineExchange Rent()
    {
        if (keptCount > 0)
        {
            ref var last = ref kept![--keptCount];
            var exchange = last;
            last = null!;
            return exchange;
        }

        if (Shared.TryDequeue(out var shared))
        {
            Interlocked.Decrement(ref sharedCount);
            return shared;
        }

        return new PipelineExchange();
    }

    /// <summary>Takes back what is empty again.</summary>
    public static void Return(PipelineExchange exchange)
    {
        kept ??= new PipelineExchange[MaxPerThread];
        if (keptCount < MaxPerThread)
        {
            kept[keptCount++] = exchange;
        }
        else if (Volatile.Read(ref sharedCount) < MaxShared)
        {
            Interlocked.Increment(ref sharedCount);
            Shared.Enqueue(exchange);
        }
    }
}
