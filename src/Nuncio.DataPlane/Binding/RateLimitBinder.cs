using System.Text;
using Nuncio.DataPlane.HttpFilters;
using Nuncio.DataPlane.Matching;
using Nuncio.DataPlane.Model;
using Action = Envoy.Config.Route.V3.RateLimit.Types.Action;

namespace Nuncio.DataPlane.Binding;

/// <summary>Binds the rate limits of routes and virtual hosts. One that cannot be made is refused: a request must not pass uncounted.</summary>
internal static class RateLimitBinder
{
    /// <summary>All of a list.</summary>
    public static IReadOnlyList<RateLimitModel> Bind(IReadOnlyList<RouteV3.RateLimit> messages, string path, BindErrors errors)
    {
        if (messages.Count == 0)
        {
            return [];
        }

        var limits = new List<RateLimitModel>(messages.Count);
        for (var i = 0; i < messages.Count; i++)
        {
            limits.Add(Limit(messages[i], BindErrors.Path(path, "rate_limits", i), errors));
        }

        return limits;
    }

    private static RateLimitModel Limit(RouteV3.RateLimit message, string path, BindErrors errors)
    {
        SupportedFields.Check(message, path, errors, "stage", "disable_key", "actions", "hits_addend");
        if (message.HitsAddend is { Format.Length: > 0 })
        {
            errors.Add(BindErrors.Path(path, "hits_addend.format"), "This field is not supported by the embedded proxy.");
        }

        var actions = new List<RateLimitAction>(message.Actions.Count);
        for (var i = 0; i < message.Actions.Count; i++)
        {
            if (Make(message.Actions[i], BindErrors.Path(path, "actions", i), errors) is { } action)
            {
                actions.Add(action);
            }
        }

        return new RateLimitModel { Stage = (int)(message.Stage ?? 0), Actions = actions, HitsAddend = message.HitsAddend?.Number };
    }

    private static RateLimitAction? Make(Action message, string path, BindErrors errors)
    {
        switch (message.ActionSpecifierCase)
        {
            case Action.ActionSpecifierOneofCase.SourceCluster:
                return new RateLimitAction.Constant("source_cluster", NodeCluster);
            case Action.ActionSpecifierOneofCase.DestinationCluster:
                return new RateLimitAction.DestinationCluster();
            case Action.ActionSpecifierOneofCase.RequestHeaders:
                var header = message.RequestHeaders;
                return new RateLimitAction.RequestHeader(ValueBinder.HeaderName(header.HeaderName) ?? [], header.DescriptorKey, header.SkipIfAbsent);
            case Action.ActionSpecifierOneofCase.QueryParameters:
                var parameter = message.QueryParameters;
                return new RateLimitAction.QueryParameter(
                    Encoding.UTF8.GetBytes(parameter.QueryParameterName), parameter.DescriptorKey, parameter.SkipIfAbsent);
            case Action.ActionSpecifierOneofCase.RemoteAddress:
                return new RateLimitAction.RemoteAddress();
            case Action.ActionSpecifierOneofCase.MaskedRemoteAddress:
                var masked = message.MaskedRemoteAddress;
                return new RateLimitAction.MaskedRemoteAddress(
                    (int)Math.Min(masked.V4PrefixMaskLen ?? 32, 32), (int)Math.Min(masked.V6PrefixMaskLen ?? 128, 128));
            case Action.ActionSpecifierOneofCase.GenericKey:
                return new RateLimitAction.Constant(Key(message.GenericKey.DescriptorKey, "generic_key"), message.GenericKey.DescriptorValue);
            case Action.ActionSpecifierOneofCase.HeaderValueMatch:
                var match = message.HeaderValueMatch;
                return new RateLimitAction.HeaderMatch(
                    ValueBinder.Headers(match.Headers, path, "header_value_match.headers", errors), match.ExpectMatch ?? true,
                    Key(match.DescriptorKey, "header_match"),
                    match.DescriptorValue);
            case Action.ActionSpecifierOneofCase.QueryParameterValueMatch:
                var query = message.QueryParameterValueMatch;
                return new RateLimitAction.QueryMatch(
                    Queries(query.QueryParameters, path, errors), query.ExpectMatch ?? true, Key(query.DescriptorKey, "query_match"), query.DescriptorValue);
            case Action.ActionSpecifierOneofCase.DynamicMetadata:
                var dynamic = message.DynamicMetadata;
                return Metadata(dynamic.DescriptorKey, dynamic.MetadataKey, ofRoute: false, dynamic.DefaultValue, skipIfAbsent: false);
            case Action.ActionSpecifierOneofCase.Metadata:
                var metadata = message.Metadata;
                return Metadata(
                    metadata.DescriptorKey, metadata.MetadataKey, metadata.Source == Action.Types.MetaData.Types.Source.RouteEntry, metadata.DefaultValue,
                    metadata.SkipIfAbsent);
            default:
                errors.Add(path, $"The action {message.ActionSpecifierCase} is not supported by the embedded proxy.");
                return null;
        }
    }

    /// <summary>What the proxy calls itself: Emissary starts its Envoy with this name.</summary>
    private const string NodeCluster = "ambassador-default";

    private static RateLimitAction.Metadata Metadata(
        string entryKey, Envoy.Type.Metadata.V3.MetadataKey? key, bool ofRoute, string defaultValue, bool skipIfAbsent) =>
        new(entryKey, key?.Key ?? "", [.. key?.Path.Select(static segment => segment.Key) ?? []], ofRoute, defaultValue, skipIfAbsent);

    private static string Key(string key, string otherwise) => key.Length > 0 ? key : otherwise;

    private static QueryParameterMatcher[] Queries(IReadOnlyList<RouteV3.QueryParameterMatcher> messages, string path, BindErrors errors)
    {
        var matchers = new List<QueryParameterMatcher>(messages.Count);
        for (var i = 0; i < messages.Count; i++)
        {
            if (RouteBinder.BindQueryParameter(messages[i], BindErrors.Path(path, "query_parameter_value_match.query_parameters", i), errors) is { } matcher)
            {
                matchers.Add(matcher);
            }
        }

        return [.. matchers];
    }
}
