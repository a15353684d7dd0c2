using System.Collections.Immutable;
using Nuncio.Resources.Findings;

namespace Nuncio.Resources.Reading;

/// <summary>What one document held; kept so that an unchanged document is not read again and its resources stay the same objects.</summary>
internal sealed record DocumentReading(
    DocumentSlice Slice,
    ImmutableArray<Resource> Resources,
    ImmutableArray<InvalidResource> Invalid,
    ImmutableArray<KindSeen> UnknownKinds,
    ImmutableArray<KindSeen> LegacyVersions,
    ImmutableArray<Finding> Findings,
    bool IsBroken)
{
    /// <summary>The same document at another place of the file.</summary>
    public DocumentReading MovedTo(int line)
    {
        var delta = line - Slice.Line;
        return this with
        {
            Slice = Slice with { Line = line },
            Resources = [.. Resources.Select(resource => resource with { Text = (resource.Text as DocumentText)?.MovedBy(delta) })],
            UnknownKinds = [.. UnknownKinds.Select(kind => kind with { Location = Moved(kind.Location, delta) })],
            LegacyVersions = [.. LegacyVersions.Select(kind => kind with { Location = Moved(kind.Location, delta) })],
            Findings = [.. Findings.Select(finding => finding with { Location = finding.Location is { } location ? Moved(location, delta) : null })],
        };
    }

    private static SourceLocation Moved(SourceLocation location, int delta) => location with { Line = location.Line + delta };
}
