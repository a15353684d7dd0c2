using System.Globalization;

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

    /// <summary>Gives back what is not needed.</summary>
    public static void Shrink() => GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);

    private static long SystemLimit()
    {
        var machine = GC.GetGCMemoryInfo(GCKind.Any).TotalAvailableMemoryBytes;
        foreach (var file in CgroupFiles())
        {
            try
            {
                if (long.TryParse(File.ReadAllText(file).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit > 0)
                {
                    // The runtime takes part of a control group's memory for the heap; the rest is ours too.
                    return limit < (1L << 50) ? limit : machine;
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // There is no such control group.
            }
        }

        return machine > 0 ? machine : long.MaxValue;
    }

    // Version 2 with and without a namespace of its own, then version 1.
    private static IEnumerable<string> CgroupFiles()
    {
        string[] own = [];
        try
        {
            own = File.ReadAllLines("/proc/self/cgroup");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Not Linux.
        }

        foreach (var line in own)
        {
            if (line.StartsWith("0::/", StringComparison.Ordinal))
            {
                yield return $"/sys/fs/cgroup{line[3..].TrimEnd('/')}/memory.max";
            }
        }

        yield return "/sys/fs/cgroup/memory.max";
        yield return "/sys/fs/cgroup/memory/memory.limit_in_bytes";
    }
}
