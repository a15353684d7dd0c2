using Nuncio.Resources.Findings;
using Nuncio.Resources.Reading;

namespace Nuncio.Sources;

/// <summary>What a source tells the <see cref="SnapshotBuilder"/>.</summary>
/// <param name="Source">The source's name.</param>
public abstract record SourceEvent(string Source);

/// <summary>One unit of a source, such as a file, has new content.</summary>
/// <param name="Source">The source's name.</param>
/// <param name="Unit">Names the unit within its source; units take effect in ordinal order of their names.</param>
/// <param name="Reading">What is in it now; null when the unit is gone.</param>
/// <param name="Findings">What the source itself has to say of the unit, beside what reading found.</param>
public sealed record ResourceChange(string Source, string Unit, ManifestReading? Reading, IReadOnlyList<Finding> Findings) : SourceEvent(Source);

/// <summary>What changed together, and takes effect together: a folder that went away is never seen with half of its files gone.</summary>
/// <param name="Source">The source's name.</param>
/// <param name="Changes">Of several units.</param>
public sealed record SourceChanges(string Source, IReadOnlyList<ResourceChange> Changes) : SourceEvent(Source);

/// <summary>The source has told everything it held at its start. No snapshot is built before every source said so.</summary>
/// <param name="Source">The source's name.</param>
public sealed record SourceSynced(string Source) : SourceEvent(Source);
