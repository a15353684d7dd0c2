using Nuncio.Compiler.Hosts;
using Nuncio.Compiler.Planning;

namespace Nuncio.Compiler.Association;

/// <summary>Finds Mappings that no request can reach, which Emissary does not report.</summary>
internal static class RouteReach
{
    /// <param name="groups">In the order of routes.</param>
    /// <param name="untaken">Those that belong to no Host.</param>
    /// <param name="selectors">The mappingSelectors of Hosts.</param>
    public static ImmutableArray<Finding> Findings(
        ImmutableArray<RouteGroupPlan> groups,
        IEnumerable<RouteGroupPlan> untaken,
        ImmutableArray<ValueMap<string>> selectors)
    {
        var findings = new FindingSink();
        foreach (var group in untaken)
        {
            foreach (var member in group.Members)
            {
                findings.Warning(
                    member.Mapping.Resource, FindingCodes.MappingWithoutHost,
                    member.Mapping.HostGlob is null && !member.Mapping.HostIsRegex ? "" : "spec.hostname",
                    "no Host of a Listener has a name and a mappingSelector that fit, so no request gets here");
            }
        }
        AddShadowed(groups, findings);
        AddUnselected(groups, selectors, findings);
        return findings.ToImmutable();
    }

    private static void AddUnselected(ImmutableArray<RouteGroupPlan> groups, ImmutableArray<ValueMap<string>> selectors, FindingSink findings)
    {
        if (selectors.IsDefaultOrEmpty) return;
        foreach (var group in groups)
        {
            if (group.First is not { Redirect: not null, Labels.Count: > 0 } mapping
                || !selectors.Any(selector => selector.Count > 0 && LabelMatcher.Matches(selector, mapping.Labels))) continue;
            findings.Error(
                mapping.Resource,
                FindingCodes.FieldWithoutEffect,
                "metadata.labels",
                "a Mapping that redirects cannot be selected by its labels: a Host with a mappingSelector does not have it",
                "a Host without mappingSelector");
        }
    }

    /// <summary>
    /// A Mapping is hidden when one before it takes every request with a prefix of its prefix. Without precedence the longer prefix comes first, so only
    /// Mappings with a higher precedence than the last can hide another.
    /// </summary>
    private static void AddShadowed(ImmutableArray<RouteGroupPlan> groups, FindingSink findings)
    {
        if (groups.IsEmpty || groups[0].Rank.Precedence == groups[^1].Rank.Precedence) return;
        var covers = new Dictionary<string, RouteGroupPlan>(StringComparer.Ordinal);
        var lookup = covers.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (var group in groups)
        {
            var mapping = group.First;
            if (covers.Count > 0 && mapping.Path != PathKind.Regex && CoverOf(mapping.Prefix, lookup) is { } cover)
            {
                findings.Warning(
                    mapping.Resource, FindingCodes.RouteShadowed, "spec.prefix",
                    $"{cover.First.Key} comes first by its precedence and takes every request that this Mapping matches");
            }
            if (group.Rank.Precedence > groups[^1].Rank.Precedence && TakesAll(group)) covers.TryAdd(mapping.Prefix, group);
        }
    }

    private static RouteGroupPlan? CoverOf(string prefix, Dictionary<string, RouteGroupPlan>.AlternateLookup<ReadOnlySpan<char>> covers)
    {
        for (var length = 0; length <= prefix.Length; length++)
        {
            if (covers.TryGetValue(prefix.AsSpan(0, length), out var cover)) return cover;
        }
        return null;
    }

    /// <summary>Every Host that could have the other Mapping has this one, and nothing but the path counts.</summary>
    private static bool TakesAll(RouteGroupPlan group) =>
        group.First is { Path: PathKind.Prefix, HostGlob: "*" } mapping
        && mapping.Headers.IsEmpty
        && mapping.QueryParameters.IsEmpty
        && mapping.CaseSensitive != false
        && group.Thresholds[^1] == 100
        && group.Labels.Count == 0;
}
