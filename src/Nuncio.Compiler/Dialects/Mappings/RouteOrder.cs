using System.Runtime.CompilerServices;
using Nuncio.Compiler.Planning;

namespace Nuncio.Compiler.Dialects.Mappings;

/// <summary>Orders groups, the largest rank first, using the order of the compilation before.</summary>
internal static class RouteOrder
{
    /// <summary>
    /// Sorts. Equal ranks stand in reverse load order, as in Emissary. Groups that were sorted before keep their places among each other, so only new ones are
    /// compared; that is right as long as no two of equal rank changed their load order, which <see cref="Sort"/> checks.
    /// </summary>
    public static ImmutableArray<RouteGroupPlan> Sort(ImmutableArray<RouteGroupPlan> before, List<RouteGroupPlan> groups)
    {
        var position = new Dictionary<RouteGroupPlan, int>(groups.Count, ByReference.Instance);
        for (var i = 0; i < groups.Count; i++)
            position.Add(groups[i], i);

        var kept = new List<RouteGroupPlan>(groups.Count);
        foreach (var group in before)
            if (position.ContainsKey(group))
                kept.Add(group);
        var added = groups;
        if (kept.Count > 0)
        {
            var old = new HashSet<RouteGroupPlan>(kept, ByReference.Instance);
            added = groups.FindAll(group => !old.Contains(group));
        }

        added.Sort(Compare);
        var merged = ImmutableArray.CreateBuilder<RouteGroupPlan>(kept.Count + added.Count);
        var next = 0;
        foreach (var group in kept)
        {
            while (next < added.Count && Compare(added[next], group) < 0)
                merged.Add(added[next++]);
            merged.Add(group);
        }

        while (next < added.Count)
            merged.Add(added[next++]);
        for (var i = 1; i < merged.Count; i++)
        {
            if (Compare(merged[i - 1], merged[i]) < 0)
                continue;
            merged.Sort(Compare);
            break;
        }

        return merged.MoveToImmutable();

        int Compare(RouteGroupPlan one, RouteGroupPlan other)
        {
            var difference = other.Rank.CompareTo(one.Rank);
            return difference != 0 ? difference : position[other].CompareTo(position[one]);
        }
    }

    private sealed class ByReference : IEqualityComparer<RouteGroupPlan>
    {
        public static ByReference Instance { get; } = new();

        public bool Equals(RouteGroupPlan? x, RouteGroupPlan? y) => ReferenceEquals(x, y);

        public int GetHashCode(RouteGroupPlan obj) => RuntimeHelpers.GetHashCode(obj);
    }
}
