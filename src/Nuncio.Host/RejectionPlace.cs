using System.Globalization;
using System.Text.RegularExpressions;
using Nuncio.Compiler;
using Nuncio.Resources;
using Nuncio.Resources.Collections;
using Nuncio.Resources.Findings;
using Nuncio.Resources.Getambassador;
using Nuncio.Resources.Modules;
using Nuncio.Resources.Snapshots;
using Nuncio.Xds;

namespace Nuncio.Host;

/// <summary>Where what a data plane refused stands in the manifests.</summary>
/// <param name="Resource">Whose fault it is; null when no single resource is known.</param>
/// <param name="FieldPath">Of that resource; empty when it is not known which field.</param>
internal sealed partial record RejectionPlace(ResourceKey? Resource, string FieldPath)
{
    /// <summary>Finds the place, as far as the message and the place in it tell.</summary>
    public static RejectionPlace Of(XdsRejection rejection, CompilationResult compilation, ResourceSnapshot resources) =>
        rejection.TypeUrl[(rejection.TypeUrl.LastIndexOf('.') + 1)..] switch
        {
            "Listener" => OfListener(rejection, compilation, resources),
            "Cluster" or "ClusterLoadAssignment" => OfCluster(rejection, compilation),
            "RouteConfiguration" => OfRoute(rejection, compilation, resources),
            "Secret" => new(Provenance.OfSecret(rejection.Name), ""),
            _ => new(null, ""),
        };

    /// <summary>Which field of the message it is, wherever in lists that stands: the same is wrong in every filter chain of a listener.</summary>
    public static string FieldOf(XdsRejection rejection) => ListIndex.Replace(rejection.FieldPath, "");

    [GeneratedRegex(@"\[\d+\]")]
    private static partial Regex ListIndex { get; }

    private static RejectionPlace OfListener(XdsRejection rejection, CompilationResult compilation, ResourceSnapshot resources)
    {
        // Every filter chain of every listener has the log of the Module, which stands before those of LogServices.
        if (rejection.IsPartial && rejection.FieldPath.EndsWith(".access_log[0].typed_config", StringComparison.Ordinal)
            && resources.Modules.FirstOrDefault(module => module.Name == "ambassador") is { } module)
            return new(module.Key, "spec.config.envoy_log_format");
        return new(compilation.Provenance.OfListener(rejection.Name), rejection is { FieldPath: "address", IsPartial: false } ? "spec.port" : "");
    }

    private static RejectionPlace OfCluster(XdsRejection rejection, CompilationResult compilation)
    {
        if (compilation.Provenance.OfCluster(rejection.Name) is not [var first, ..]) return new(null, "");
        var isTls = first.Kind == MappingResource.KindName && rejection.FieldPath.StartsWith("transport_socket.", StringComparison.Ordinal);
        return new(first, isTls ? "spec.tls" : "");
    }

    /// <summary>The Mapping whose route it is, by the place in the message: routes carry the names of their resources.</summary>
    private static RejectionPlace OfRoute(XdsRejection rejection, CompilationResult compilation, ResourceSnapshot resources)
    {
        var place = RoutePlace().Match(rejection.FieldPath);
        if (!place.Success || !compilation.Snapshot.RouteConfigurations.TryGetValue(rejection.Name, out var routes)) return new(null, "");
        var host = routes.Message.VirtualHosts.ElementAtOrDefault(Number(place, "host"));
        if (host?.Routes.ElementAtOrDefault(Number(place, "route")) is not { } route || Provenance.OfRoute(route.Name) is not { } key) return new(null, "");
        var isRequest = place.Groups["side"].ValueSpan is "request";
        if (!place.Groups["header"].Success
            || (isRequest ? route.RequestHeadersToAdd : route.ResponseHeadersToAdd).ElementAtOrDefault(Number(place, "header"))?.Header?.Key is not { } name
            || resources.Mappings.FirstOrDefault(mapping => mapping.Key == key) is not { } mapping)
            return new(key, "");
        // A route also has headers of the Module, and of the other Mappings of its group.
        var (own, field) = isRequest
            ? (mapping.Spec.AddRequestHeaders, "spec.add_request_headers") : (mapping.Spec.AddResponseHeaders, "spec.add_response_headers");
        return new(key, own is not null && NameIn(own, name) is { } written ? Below(field, written) : "");
    }

    private static string Below(string field, string name) => name.Contains('.', StringComparison.Ordinal) ? $"{field}[\"{name}\"]" : $"{field}.{name}";

    private static string? NameIn(ValueMap<AddedHeader> headers, string name)
    {
        foreach (var (written, _) in headers)
        {
            if (written.Equals(name, StringComparison.OrdinalIgnoreCase)) return written;
        }
        return null;
    }

    private static int Number(Match match, string group) => int.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(
        @"^virtual_hosts\[(?<host>[0-9]{1,9})\]\.routes\[(?<route>[0-9]{1,9})\](\.(?<side>request|response)_headers_to_add\[(?<header>[0-9]{1,9})\])?",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex RoutePlace();
}
