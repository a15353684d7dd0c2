using System.Collections.Immutable;
using Nuncio.Compiler;
using Nuncio.Diagnostics.Findings;
using Nuncio.Resources.Findings;
using Nuncio.Resources.Snapshots;
using Nuncio.Xds;

namespace Nuncio.Host;

/// <summary>Gives what a data plane refused back to the resource that caused it.</summary>
public static class RejectionFindings
{
    /// <summary>
    /// One finding for each cause: what one resource asks for may be in every filter chain of every listener, or in many route configurations, and is refused
    /// in each.
    /// </summary>
    public static ImmutableArray<Finding> Of(XdsAck ack, CompilationResult compilation, ResourceSnapshot resources)
    {
        ArgumentNullException.ThrowIfNull(ack);
        ArgumentNullException.ThrowIfNull(compilation);
        ArgumentNullException.ThrowIfNull(resources);
        if (ack.Rejections.IsDefaultOrEmpty)
            return [];
        var findings = new List<Finding>();
        var said = new HashSet<(RejectionPlace Place, string Name, string Field, bool IsPartial, string Message)>();
        foreach (var rejection in ack.Rejections)
        {
            var place = RejectionPlace.Of(rejection, compilation, resources);
            var field = place.FieldPath.Length > 0 ? "" : RejectionPlace.FieldOf(rejection);
            if (said.Add((place, place.Resource is null ? rejection.Name : "", field, rejection.IsPartial, rejection.Message)))
                findings.Add(Of(rejection, place));
        }

        return [.. FindingReport.WithPlaces(findings, resources)];
    }

    private static Finding Of(XdsRejection rejection, RejectionPlace place)
    {
        var type = rejection.TypeUrl[(rejection.TypeUrl.LastIndexOf('.') + 1)..];
        if (type == "Node") return new Finding(FindingCodes.DataPlaneUnsupported, FindingLevel.Warning, rejection.Message);
        var where = rejection.FieldPath.Length == 0 ? "" : $", {rejection.FieldPath}";
        return new Finding(
            rejection.IsPartial ? FindingCodes.FieldWithoutEffect : FindingCodes.RefusedByDataPlane,
            rejection.IsPartial ? FindingLevel.Warning : FindingLevel.Error,
            place.FieldPath.Length > 0 ? rejection.Message : $"{rejection.Message} ({type} {rejection.Name}{where})",
            place.Resource,
            place.FieldPath);
    }
}
