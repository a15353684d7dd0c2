using System.Runtime.InteropServices;
using Nuncio.Compiler.Hosts;
using Nuncio.Compiler.Planning;

namespace Nuncio.Compiler.Dialects.Mappings;

/// <summary>
/// Puts Mappings that match the same requests into groups and orders these (SPEC 5.5, 5.6). Groups and their order are kept from one compilation to the next,
/// so that one changed Mapping costs a comparison of references for each of the others.
/// </summary>
internal sealed class MappingGrouper
{
    private readonly List<GroupSlot> _live = [];
    private readonly Dictionary<string, GroupSlot> _slots = new(StringComparer.Ordinal);
    private ImmutableArray<RouteGroupPlan> _ordered = [];
    private int _stamp;

    public ImmutableArray<RouteGroupPlan> Group(CompilerContext context, List<MappingPlan> plans)
    {
        _stamp++;
        _live.Clear();
        foreach (var plan in plans)
        {
            var slot = SlotOf(plan, context);
            if (slot.Put(plan, _stamp))
                _live.Add(slot);
        }

        var groups = new List<RouteGroupPlan>(_live.Count);
        foreach (var slot in _live)
        {
            if (Build(slot, context) is not { } group)
                continue;
            group.Stamp = _stamp;
            groups.Add(group);
        }

        Prune();
        return _ordered = RouteOrder.Sort(_ordered, groups, _stamp);
    }

    private static RouteGroupPlan? Build(GroupSlot slot, CompilerContext context)
    {
        // Nearly every group is one Mapping that did not change.
        var before = slot.Group;
        if (slot.Others is null && before is { Members: [var member], Shadow: null } && ReferenceEquals(member.Mapping, slot.First)
            && ReferenceEquals(before.Module, context.Module) && before.Settings == context.RouteSettings
            && (slot.First.Upstream is not { } upstream || ReferenceEquals(member.Cluster, context.Clusters.Assign(upstream, slot.First.Resource, "spec."))))
            return before;
        var (group, findings) = new GroupBuilder(context, slot.InLoadOrder()).Build(before);
        context.Findings.AddRange(findings);
        slot.Group = group;
        return group;
    }

    private GroupSlot SlotOf(MappingPlan plan, CompilerContext context)
    {
        if (plan.HostGlob is null && plan.Labels.Count > 0 && !context.HostSelectors.IsDefaultOrEmpty)
            return SlotOf(KeyWithLabels(plan, context));
        return plan.Slot is { IsDropped: false } known ? known : plan.Slot = SlotOf(plan.GroupKey);
    }

    private GroupSlot SlotOf(string key)
    {
        ref var slot = ref CollectionsMarshal.GetValueRefOrAddDefault(_slots, key, out _);
        return slot ??= new GroupSlot();
    }

    private void Prune()
    {
        if (_slots.Count <= (2 * _live.Count) + 64)
            return;
        foreach (var (key, slot) in _slots)
        {
            if (slot.Stamp == _stamp)
                continue;
            slot.IsDropped = true;
            _slots.Remove(key);
        }
    }

    /// <summary>For a Mapping without a host the labels count that Host selectors look at (SPEC 5.6).</summary>
    private static string KeyWithLabels(MappingPlan plan, CompilerContext context)
    {
        System.Text.StringBuilder? key = null;
        foreach (var selector in context.HostSelectors)
        {
            if (!LabelMatcher.Matches(selector, plan.Labels, context.Options.StrictLabelSelectors))
                continue;
            key ??= new System.Text.StringBuilder(plan.GroupKey);
            foreach (var (name, value) in selector)
                key.Append("\0&").Append(name).Append('\0').Append(value);
        }

        return key?.ToString() ?? plan.GroupKey;
    }
}
