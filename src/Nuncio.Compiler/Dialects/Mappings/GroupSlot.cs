using Nuncio.Compiler.Planning;

namespace Nuncio.Compiler.Dialects.Mappings;

/// <summary>The place of one group key: the Mappings that have it in this compilation, and what was built of them in the one before.</summary>
internal sealed class GroupSlot
{
    /// <summary>The compilation in which Mappings were last put here.</summary>
    public int Stamp { get; private set; }

    /// <summary>No longer the place of its key, since no Mapping had it for a while.</summary>
    public bool IsDropped { get; set; }

    /// <summary>The first Mapping; with <see cref="Others"/> in load order once all are here.</summary>
    public MappingPlan First { get; private set; } = null!;

    /// <summary>The Mappings beside the first; null when there are none, as nearly always.</summary>
    public List<MappingPlan>? Others { get; private set; }

    /// <summary>What was built last; null when nothing here takes requests, or when the compilation before had no Mapping here.</summary>
    public RouteGroupPlan? Group { get; set; }

    /// <summary>Puts a Mapping here; true when it is the first in this compilation.</summary>
    public bool Put(MappingPlan plan, int stamp)
    {
        if (Stamp == stamp)
        {
            (Others ??= []).Add(plan);
            return false;
        }

        if (Stamp != stamp - 1)
            Group = null;
        Stamp = stamp;
        First = plan;
        Others = null;
        return true;
    }

    /// <summary>All Mappings, in load order.</summary>
    public List<MappingPlan> InLoadOrder()
    {
        var plans = new List<MappingPlan>((Others?.Count ?? 0) + 1) { First };
        plans.AddRange(Others ?? []);
        plans.Sort(LoadOrder.Compare);
        return plans;
    }
}
