using Nuncio.Compiler.Planning;

namespace Nuncio.Compiler.Emitting;

/// <summary>Rate-limit labels as descriptors (SPEC 9.4). Without a RateLimitService there are none.</summary>
internal static class RateLimitLabels
{
    public static IEnumerable<RouteV3.RateLimit> Of(RouteGroupPlan group)
    {
        if (group.Settings.RateLimitDomain is not { } domain)
            yield break;
        var module = group.Module;
        var labels = group.First.RateLimitLabels;
        var defaults = module.Config.DefaultLabels?.GetValueOrDefault(domain) ?? ValueList<LabelSpecifier>.Empty;
        if (labels is null || labels.Count == 0)
        {
            if (defaults.Count > 0 && domain == module.DefaultLabelDomain)
                yield return Descriptor(defaults);
            yield break;
        }

        foreach (var labelGroup in labels.GetValueOrDefault(domain) ?? ValueList<LabelGroup>.Empty)
            if (defaults.Count + labelGroup.Specifiers.Count > 0)
                yield return Descriptor(defaults.Concat(labelGroup.Specifiers));
    }

    private static RouteV3.RateLimit Descriptor(IEnumerable<LabelSpecifier> specifiers)
    {
        var limit = new RouteV3.RateLimit();
        foreach (var specifier in specifiers)
            limit.Actions.Add(Action(specifier));
        return limit;
    }

    private static RouteV3.RateLimit.Types.Action Action(LabelSpecifier specifier) => specifier switch
    {
        SourceClusterSpecifier => new() { SourceCluster = new() },
        DestinationClusterSpecifier => new() { DestinationCluster = new() },
        RemoteAddressSpecifier => new() { RemoteAddress = new() },
        RequestHeaderSpecifier header => new() { RequestHeaders = new() { DescriptorKey = header.Key, HeaderName = header.HeaderName } },
        GenericKeySpecifier generic => new() { GenericKey = new() { DescriptorKey = generic.Key ?? "generic_key", DescriptorValue = generic.Value } },
        _ => throw new InvalidOperationException($"no rate-limit action for {specifier.GetType().Name}"),
    };
}
