using Nuncio.Resources;
using Nuncio.Resources.Findings;
using Nuncio.Resources.Snapshots;

namespace Nuncio.Diagnostics.Findings;

/// <summary>Writes findings for people and programs.</summary>
public static class FindingReport
{
    /// <summary>Writes all findings, the ones of a file together and in the order they stand there.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="findings">Of reading, compiling and the data plane.</param>
    /// <param name="format">How.</param>
    /// <param name="colour">Whether text may hold terminal colours.</param>
    public static void Write(TextWriter writer, IEnumerable<Finding> findings, FindingFormat format, bool colour = false)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(findings);
        var ordered = findings
            .OrderBy(finding => finding.Location?.File ?? "", StringComparer.Ordinal)
            .ThenBy(finding => finding.Location?.Line ?? 0)
            .ThenBy(finding => finding.Location?.Column ?? 0)
            .ThenByDescending(finding => finding.Level)
            .ThenBy(finding => finding.Code, StringComparer.Ordinal)
            .ToArray();
        switch (format)
        {
            case FindingFormat.Json:
                FindingJson.Write(writer, ordered);
                break;
            case FindingFormat.Sarif:
                FindingSarif.Write(writer, ordered);
                break;
            default:
                FindingText.Write(writer, ordered, colour);
                break;
        }
    }

    /// <summary>A finding as one line, for logs.</summary>
    public static string Line(Finding finding)
    {
        ArgumentNullException.ThrowIfNull(finding);
        return FindingText.Line(finding, colour: false);
    }

    /// <summary>
    /// Gives findings of the compiler, which name a resource and a field, the place where these stand. The compiler leaves that out so that what it
    /// remembers does not depend on line numbers.
    /// </summary>
    public static IEnumerable<Finding> WithPlaces(IEnumerable<Finding> findings, ResourceSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(findings);
        ArgumentNullException.ThrowIfNull(snapshot);
        Dictionary<ResourceKey, Resource>? byKey = null;
        foreach (var finding in findings)
        {
            if (finding.Location is not null || finding.Resource is not { } key)
            {
                yield return finding;
                continue;
            }

            byKey ??= snapshot.All().ToDictionary(resource => resource.Key);
            yield return byKey.TryGetValue(key, out var resource) ? finding with { Location = resource.Locate(finding.FieldPath) } : finding;
        }
    }

    /// <summary>The word for a level, lower-case.</summary>
    internal static string Word(FindingLevel level) => level switch
    {
        FindingLevel.Error => "error",
        FindingLevel.Warning => "warning",
        _ => "notice",
    };
}
