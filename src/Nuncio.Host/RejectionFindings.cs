using System.Collections.Immutable;
using Nuncio.Compiler;
using Nuncio.Resources;
using Nuncio.Resources.Findings;
using Nuncio.Resources.Snapshots;
using Nuncio.Xds;

namespace Nuncio.Host;

/// <summary>Gives what a data plane refused back to the resource that caused it.</summary>
public static class RejectionFindings
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
        ResourceKey? key = type switch
        {
            "Listener" => compilation.Provenance.OfListener(rejection.Name),
            "Cluster" or "ClusterLoadAssignment" => compilation.Provenance.OfCluster(rejection.Name) is [var first, ..] ? first : null,
            _ => Provenance.OfRoute(rejection.Name),
        };
        var owner = key is { } known ? Find(resources, known) : null;
        var where = rejection.FieldPath.Length == 0 ? "" : $", {rejection.FieldPath}";
        return new Finding(
            rejection.IsPartial ? FindingCodes.FieldWithoutEffect : FindingCodes.RefusedByDataPlane,
            rejection.IsPartial ? FindingLevel.Warning : FindingLevel.Error, $"{rejection.Message} ({type} {rejection.Name}{where})", key, "", owner?.Location);
    }

    private static Resource? Find(ResourceSnapshot resources, ResourceKey key) => resources.All().FirstOrDefault(resource => resource.Key == key);
}
