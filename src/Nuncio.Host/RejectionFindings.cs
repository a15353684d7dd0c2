using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using Nuncio.Compiler;
using Nuncio.Resources;
using Nuncio.Resources.Findings;
using Nuncio.Resources.Snapshots;
using Nuncio.Xds;

namespace Nuncio.Host;

/// <summary>Gives what a data plane refused back to the resource that caused it.</summary>
public static partial class RejectionFindings
{
    /// <summary>One finding for each rejection.</summary>
    public static ImmutableArray<Finding> Of(XdsAck ack, CompilationResult compilation, ResourceSnapshot resources)
    {
        ArgumentNullException.ThrowIfNull(ack);
        ArgumentNullException.ThrowIfNull(compilation);
        ArgumentNullException.ThrowIfNull(resources);
        if (ack.Rejections.IsDefaultOrEmpty)
            return [];
        return [.. ack.Rejections.Select(rejection => Of(rejection, compilation, resources))];
    }

    private static Finding Of(XdsRejection rejection, CompilationResult compilation, ResourceSnapshot resources)
    {
        var type = rejection.TypeUrl[(rejection.TypeUrl.LastIndexOf('.') + 1)..];
        if (type == "Node") return new Finding(FindingCodes.DataPlaneUnsupported, FindingLevel.Warning, rejection.Message, null, "", null);
        ResourceKey? key = type switch
        {
            "Listener" => compilation.Provenance.OfListener(rejection.Name),
            "Cluster" or "ClusterLoadAssignment" => compilation.Provenance.OfCluster(rejection.Name) is [var first, ..] ? first : null,
            "RouteConfiguration" => OfRoute(rejection, compilation),
            "Secret" => Provenance.OfSecret(rejection.Name),
            _ => null,
        };
        var owner = key is { } known ? Find(resources, known) : null;
        var where = rejection.FieldPath.Length == 0 ? "" : $", {rejection.FieldPath}";
        return new Finding(
            rejection.IsPartial ? FindingCodes.FieldWithoutEffect : FindingCodes.RefusedByDataPlane,
            rejection.IsPartial ? FindingLevel.Warning : FindingLevel.Error, $"{rejection.Message} ({type} {rejection.Name}{where})", key, "", owner?.Location);
    }

    /// <summary>The Mapping whose route it is, by the place in the message: routes carry the names of their resources.</summary>
    private static ResourceKey? OfRoute(XdsRejection rejection, CompilationResult compilation)
    {
        var place = RoutePlace().Match(rejection.FieldPath);
        if (!place.Success || !compilation.Snapshot.RouteConfigurations.TryGetValue(rejection.Name, out var routes)) return null;
        var host = routes.Message.VirtualHosts.ElementAtOrDefault(int.Parse(place.Groups[1].Value, CultureInfo.InvariantCulture));
        var route = host?.Routes.ElementAtOrDefault(int.Parse(place.Groups[2].Value, CultureInfo.InvariantCulture));
        return route is null ? null : Provenance.OfRoute(route.Name);
    }

    [GeneratedRegex(@"^virtual_hosts\[([0-9]{1,9})\]\.routes\[([0-9]{1,9})\]", RegexOptions.CultureInvariant)]
    private static partial Regex RoutePlace();

    private static Resource? Find(ResourceSnapshot resources, ResourceKey key) => resources.All().FirstOrDefault(resource => resource.Key == key);
}
