namespace Nuncio.DataPlane.Overload;

/// <summary>How much memory the process uses of what it may.</summary>
internal sealed class MemoryGauge
{
    private readonly long _limit;

    /// <summary>A gauge.</summary>
    /// <param name="limit">In bytes; null for that of the control group or the machine.</param>
    public MemoryGauge(long? limit) => _limit = limit ?? SystemLimit();

    /// <summary>
    /// The part that is used: of the process's memory, or of the heap where the runtime has a smaller limit for that, whichever is nearer to its end. Garbage
    /// counts until it is collected.
    /// </summary>
    public double Pressure()
    {
        var resident = (double)Environment.WorkingSet / _limit;
        var heapLimit = GC.GetGCMemoryInfo(GCKind.Any).TotalAvailableMemoryBytes;
        return heapLimit > 0 && heapLimit < _limit ? Math.Max(resident, (double)GC.GetTotalMemory(forceFullCollection: false) / heapLimit) : resident;
    }

    /// <summary>What objects may take, in bytes: the least of what was said, of the system's limit and of the heap's own.</summary>
    public static long Least(long? limit)
    {
        var heap = GC.GetGCMemoryInfo(GCKind.Any).TotalAvailableMemoryBytes;
        var system = limit ?? SystemLimit();
        return heap > 0 ? Math.Min(heap, system) : system;
    }

    /// <summary>Gives back what is not needed.</summary>
    public static void Shrink() => GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);

    private static long SystemLimit()
    {
        // What the runtime calls available is what the heap may have: part of a control group's memory, or DOTNET_GCHeapHardLimit. The rest is ours too.
        var heap = GC.GetGCMemoryInfo(GCKind.Any).TotalAvailableMemoryBytes;
        var machine = MachineMemory.Total("/") ?? (heap > 0 ? heap : long.MaxValue);

        // A group may be allowed more than there is.
        return Math.Min(ControlGroup.MemoryLimit("/") ?? machine, machine);
    }
}
