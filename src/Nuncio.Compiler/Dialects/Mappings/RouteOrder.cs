using Nuncio.Compiler.Planning;

namespace Nuncio.Compiler.Dialects.Mappings;

/// <summary>Orders groups, the largest rank first; equal ranks stand in reverse load order, as in Emissary.</summary>
internal static class RouteOrder
{
    /// <summary>Sorts the groups of this compilation, using the order of the one before: only groups that were not there are compared.</summary>
    /// <param name="before">The order of the compilation before.</param>
    /// <param name="groups">The groups of this one, in any order.</param>
    /// <param name="stamp">The compilation, which <see cref="RouteGroupPlan.Stamp"/> of each of them names.</param>
    public static ImmutableArray<RouteGroupPlan> Sort(ImmutableArray<RouteGroupPlan> before, List<RouteGroupPlan> groups, int stamp)
    {
        var added = groups.FindAll(group => !group.IsOrdered);
        if (added.Count == 0 && groups.Count == before.Length)
            return before;
        added.Sort(Compare);
        var merged = ImmutableArray.CreateBuilder<RouteGroupPlan>(groups.Count);
        var next = 0;
        foreach (var group in before)
        {
            if (group.Stamp != stamp)
                continue;
            while (next < added.Count && Compare(added[next], group) < 0)
                merged.Add(added[next++]);
            merged.Add(group);
        }

        while (next < added.Count)
            merged.Add(added[next++]);
        foreach (var group in added)
            group.IsOrdered = true;
        return merged.MoveToImmutable();
    }

    private static int Compare(RouteGroupPlan one, RouteGroupPlan other)
    {
        var difference = other.Rank.CompareTo(one.Rank);
        return difference != 0 ? difference : LoadOrder.Compare(other.First, one.First);
    }
}
