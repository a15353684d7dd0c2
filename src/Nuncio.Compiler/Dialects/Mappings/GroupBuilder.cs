using Nuncio.Compiler.Emitting;
using Nuncio.Compiler.Planning;

namespace Nuncio.Compiler.Dialects.Mappings;

/// <summary>Makes one group of the Mappings that have its key, in load order (SPEC 5.6, 5.7).</summary>
internal sealed class GroupBuilder(CompilerContext context, List<MappingPlan> plans)
{
    private readonly List<MappingPlan> _routing = new(plans.Count);
    private FindingSink? _findings;
    private MappingPlan? _redirect;
    private MappingPlan? _shadow;

    /// <summary>The group that was built before is given back when nothing of it changed. No group: nothing in it takes requests.</summary>
    public (RouteGroupPlan? Group, ImmutableArray<Finding> Findings) Build(RouteGroupPlan? before)
    {
        var first = plans[0];
        foreach (var plan in plans)
            if (ReferenceEquals(plan, first) || Agrees(first, plan))
                Take(plan);
        var thresholds = _routing.Count == 0 ? [] : Thresholds();
        var members = ImmutableArray.CreateBuilder<RouteGroupMember>(_routing.Count + 1);
        if (_redirect is { } redirect)
        {
            members.Add(new RouteGroupMember(redirect, null));
            thresholds = [100];
        }

        foreach (var plan in _routing)
            members.Add(MemberOf(plan));
        RouteGroupMember? shadow = _shadow is { } copy ? MemberOf(copy) : null;
        ReportSharedRewrite();
        var findings = _findings?.ToImmutable() ?? [];
        if (members.Count == 0)
        {
            if (shadow is not null)
                Sink.Error(
                    _shadow!.Resource, FindingCodes.ShadowAlone, "spec.shadow",
                    "no Mapping with the same prefix and matchers takes requests, so there is nothing to copy");
            return (null, Sink.ToImmutable());
        }

        var group = members.ToImmutable();
        return (IsSame(before, group, thresholds, shadow) ? before : New(first, group, thresholds, shadow), findings);
    }

    private FindingSink Sink => _findings ??= new FindingSink();

    private RouteGroupPlan New(MappingPlan first, ImmutableArray<RouteGroupMember> members, ImmutableArray<int> thresholds, RouteGroupMember? shadow)
    {
        var rank = first.Rank;
        foreach (var member in members)
            if (member.Mapping.Rank > rank)
                rank = member.Mapping.Rank;
        return new RouteGroupPlan
        {
            Members = members,
            Thresholds = thresholds,
            Shadow = shadow,
            First = first,
            Rank = rank,
            Labels = LabelsOf(members),
            Module = context.Module,
            Settings = context.RouteSettings,
        };
    }

    /// <summary>A redirect has no labels that Host selectors see (SPEC 5.2): its hostname alone says where it belongs.</summary>
    private static ValueMap<string> LabelsOf(ImmutableArray<RouteGroupMember> members) =>
        members is [var single]
            ? single.Mapping.Redirect is null ? single.Mapping.Labels : ValueMap<string>.Empty
            : ValueMap.Create(members.SelectMany(member => member.Mapping.Labels.Entries));

    private bool IsSame(RouteGroupPlan? before, ImmutableArray<RouteGroupMember> members, ImmutableArray<int> thresholds, RouteGroupMember? shadow) =>
        before is not null
        && ReferenceEquals(before.First, plans[0])
        && ReferenceEquals(before.Module, context.Module)
        && before.Settings == context.RouteSettings
        && before.Shadow == shadow
        && before.Members.AsSpan().SequenceEqual(members.AsSpan())
        && before.Thresholds.AsSpan().SequenceEqual(thresholds.AsSpan());

    private RouteGroupMember MemberOf(MappingPlan plan) =>
        new(plan, plan.Upstream is { } upstream ? context.Clusters.Assign(upstream, plan.Resource, "spec.") : null);

    private bool Agrees(MappingPlan first, MappingPlan plan)
    {
        foreach (var (name, value) in plan.CoreFields)
        {
            var agreed = first.CoreFields.FirstOrDefault(field => field.Key == name);
            if (agreed.Key is not null && agreed.Value == value)
                continue;
            Sink.Error(
                plan.Resource, FindingCodes.GroupMismatch, "spec." + name,
                $"it has to be as in {first.Key}, which matches the same requests; this Mapping is left out");
            return false;
        }

        return true;
    }

    private void Take(MappingPlan plan)
    {
        if (plan.IsShadow)
        {
            if (_shadow is null)
                _shadow = plan;
            else
                Refuse(plan, "spec.shadow", $"{_shadow.Key} is the group's shadow already");
        }
        else if (plan.Redirect is not null)
        {
            if (_redirect is not null)
                Refuse(plan, "spec.host_redirect", $"{_redirect.Key} redirects these requests already");
            else if (_routing.Count > 0)
                Refuse(plan, "spec.host_redirect", $"{_routing[0].Key} routes these requests already");
            else
                _redirect = plan;
        }
        else if (_redirect is not null)
        {
            Refuse(plan, "", $"{_redirect.Key} redirects these requests already");
        }
        else
        {
            _routing.Add(plan);
        }
    }

    /// <summary>Of the settings that a group shares, <c>regex_rewrite</c> is the one that nobody expects to be shared (SPEC 5.6).</summary>
    private void ReportSharedRewrite()
    {
        if (_routing.Count < 2)
            return;
        var last = MergedSettings.InMergingOrder(_routing).Last();
        foreach (var plan in _routing)
        {
            if (Equals(plan.RegexRewrite, last.RegexRewrite))
                continue;
            Sink.Warning(
                plan.Resource, FindingCodes.FieldWithoutEffect, "spec.regex_rewrite",
                $"the Mappings for these requests share one regex_rewrite, that of the last of them, {last.Key}; it "
                    + (last.RegexRewrite is null ? "has none" : "applies here too"));
        }
    }

    private void Refuse(MappingPlan plan, string field, string message) =>
        Sink.Error(plan.Resource, FindingCodes.GroupMismatch, field, message + "; this Mapping is left out");

    /// <summary>
    /// Written weights are summed in load order; the others share what is left, the last of them getting all of it. Below 100 the rest falls through to later
    /// groups.
    /// </summary>
    private ImmutableArray<int> Thresholds()
    {
        if (_routing.Count == 1)
            return [100];
        var sum = 0;
        var written = new List<(MappingPlan Plan, int Threshold)>(_routing.Count);
        var open = new List<MappingPlan>();
        foreach (var plan in _routing)
        {
            if (plan.Weight is not { } weight)
            {
                open.Add(plan);
                continue;
            }

            sum += weight;
            if (sum > 100)
                Sink.Error(plan.Resource, FindingCodes.WeightsAboveHundred, "spec.weight", $"the weights of the Mappings for these requests sum up to {sum}");
            written.Add((plan, Math.Min(sum, 100)));
        }

        sum = Math.Min(sum, 100);
        var share = open.Count == 0 ? 0 : (int)Math.Round((100 - sum) / (double)open.Count, MidpointRounding.ToEven);
        for (var i = 0; i < open.Count; i++)
        {
            sum = i == open.Count - 1 ? 100 : Math.Min(sum + share, 100);
            written.Add((open[i], sum));
        }

        _routing.Clear();
        _routing.AddRange(written.Select(pair => pair.Plan));
        return [.. written.Select(pair => pair.Threshold)];
    }
}
