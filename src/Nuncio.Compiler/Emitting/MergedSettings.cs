using Google.Protobuf.WellKnownTypes;
using Nuncio.Compiler.Dialects.Mappings;
using Nuncio.Compiler.Planning;

namespace Nuncio.Compiler.Emitting;

/// <summary>
/// What the members of a group share whichever of them wrote it (SPEC 5.6): the last in ascending rank wins; added headers are put together.
/// A group that redirects shares nothing.
/// </summary>
internal sealed class MergedSettings
{
    public bool? CaseSensitive { get; private set; }

    public Any? Cors { get; private set; }

    public RouteV3.RetryPolicy? RetryPolicy { get; private set; }

    public CoreV3.RoutingPriority? Priority { get; private set; }

    public ValueList<string>? Upgrades { get; private set; }

    /// <summary>The last member's, even where it has none.</summary>
    public MatcherV3.RegexMatchAndSubstitute? RegexRewrite { get; private set; }

    public ErrorResponsePlan? ErrorResponses { get; private set; }

    public ValueMap<AddedHeader> AddRequestHeaders { get; private set; } = ValueMap<AddedHeader>.Empty;

    public ValueMap<AddedHeader> AddResponseHeaders { get; private set; } = ValueMap<AddedHeader>.Empty;

    public ValueList<string>? RemoveRequestHeaders { get; private set; }

    public ValueList<string>? RemoveResponseHeaders { get; private set; }

    public static MergedSettings Of(RouteGroupPlan group)
    {
        var merged = new MergedSettings();
        if (group.Members is [{ Mapping.Redirect: not null }])
        {
            merged.CaseSensitive = group.Members[0].Mapping.CaseSensitive;
            return merged;
        }

        if (group.Members.Length == 1)
        {
            merged.Add(group.Members[0].Mapping);
            return merged;
        }

        foreach (var mapping in InMergingOrder(group.Members.Select(member => member.Mapping)))
            merged.Add(mapping);
        return merged;
    }

    /// <summary>The members in the order in which the later one wins: of equal rank, as they were read.</summary>
    public static IEnumerable<MappingPlan> InMergingOrder(IEnumerable<MappingPlan> members) =>
        members.OrderBy(mapping => mapping.Rank).ThenBy(mapping => mapping, Comparer<MappingPlan>.Create(LoadOrder.Compare));

    private void Add(MappingPlan mapping)
    {
        CaseSensitive = mapping.CaseSensitive ?? CaseSensitive;
        Cors = mapping.Cors ?? Cors;
        RetryPolicy = mapping.RetryPolicy ?? RetryPolicy;
        Priority = mapping.Priority ?? Priority;
        Upgrades = mapping.Upgrades ?? Upgrades;
        RegexRewrite = mapping.RegexRewrite;
        ErrorResponses = mapping.ErrorResponses ?? ErrorResponses;
        AddRequestHeaders = Together(AddRequestHeaders, mapping.AddRequestHeaders);
        AddResponseHeaders = Together(AddResponseHeaders, mapping.AddResponseHeaders);
        RemoveRequestHeaders = mapping.RemoveRequestHeaders ?? RemoveRequestHeaders;
        RemoveResponseHeaders = mapping.RemoveResponseHeaders ?? RemoveResponseHeaders;
    }

    private static ValueMap<AddedHeader> Together(ValueMap<AddedHeader> one, ValueMap<AddedHeader> other) =>
        one.Count == 0 ? other : other.Count == 0 ? one : ValueMap.Create(one.Concat(other));
}
