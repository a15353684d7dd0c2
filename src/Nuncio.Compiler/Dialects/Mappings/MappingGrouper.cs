using System.Runtime.InteropServices;
using Nuncio.Compiler.Planning;

namespace Nuncio.Compiler.Dialects.Mappings;

/// <summary>
/// Puts Mappings that match the same requests into groups and orders these (SPEC 5.5, 5.6). Groups and their order are kept from one compilation to the next,
/// so that one changed Mapping costs a comparison of references for each of the others.
/// </summary>
internal sealed class MappingGrouper
{
    private Dictionary<string, Known> _known = new(StringComparer.Ordinal);
    private ImmutableArray<RouteGroupPlan> _ordered = [];

    public ImmutableArray<RouteGroupPlan> Group(CompilerContext context, List<MappingPlan> plans)
    {
        var buckets = new Dictionary<string, List<MappingPlan>>(plans.Count, StringComparer.Ordinal);
        var keys = new List<string>(plans.Count);
        foreach (var plan in InLoadOrder(plans))
        {
            var key = KeyOf(plan, context);
            ref var bucket = ref CollectionsMarshal.GetValueRefOrAddDefault(buckets, key, out var exists);
            if (!exists)
            {
                bucket = new List<MappingPlan>(1);
                keys.Add(key);
            }

            bucket!.Add(plan);
        }

        var now = new Dictionary<string, Known>(keys.Count, StringComparer.Ordinal);
        var groups = new List<RouteGroupPlan>(keys.Count);
        for (var i = 0; i < keys.Count; i++)
        {
            var members = buckets[keys[i]];
            var known = _known.GetValueOrDefault(keys[i]);
            var built = new GroupBuilder(context, members).Build(known?.Group);
            now.Add(keys[i], new Known(built.Group));
            context.Findings.AddRange(built.Findings);
            if (built.Group is { } group)
                groups.Add(group);
        }

        _known = now;
        return _ordered = RouteOrder.Sort(_ordered, groups);
    }

    /// <summary>Emissary reads Mappings in the order of <c>name.namespace</c>; the internal ones come first.</summary>
    private static List<MappingPlan> InLoadOrder(List<MappingPlan> plans)
    {
        for (var i = 1; i < plans.Count; i++)
        {
            if (Compare(plans[i - 1], plans[i]) <= 0)
                continue;
            plans.Sort(Compare);
            break;
        }

        return plans;

        static int Compare(MappingPlan one, MappingPlan other)
        {
            if (one.Internal != other.Internal)
                return one.Internal ? -1 : 1;
            var difference = string.CompareOrdinal(one.Key.Name, other.Key.Name);
            return difference != 0 ? difference : string.CompareOrdinal(one.Key.Namespace, other.Key.Namespace);
        }
    }

    /// <summary>For a Mapping without a host the labels count that Host selectors look at (SPEC 5.6).</summary>
    private static string KeyOf(MappingPlan plan, CompilerContext context)
    {
        if (plan.HostGlob is not null || plan.Labels.Count == 0 || context.HostSelectors.IsDefaultOrEmpty)
            return plan.GroupKey;
        System.Text.StringBuilder? key = null;
        foreach (var selector in context.HostSelectors)
        {
            if (!Matches(selector, plan.Labels, context.Options.StrictLabelSelectors))
                continue;
            key ??= new System.Text.StringBuilder(plan.GroupKey);
            foreach (var (name, value) in selector)
                key.Append("\0&").Append(name).Append('\0').Append(value);
        }

        return key?.ToString() ?? plan.GroupKey;
    }

    private static bool Matches(ValueMap<string> selector, ValueMap<string> labels, bool all)
    {
        foreach (var (name, value) in selector)
        {
            var has = labels.TryGetValue(name, out var label) && label == value;
            if (has != all)
                return has;
        }

        return all || selector.Count == 0;
    }

    private sealed record Known(RouteGroupPlan? Group);
}
