using System.Collections.Immutable;
using Nuncio.Resources.Findings;

namespace Nuncio.Resources.Reading;

/// <summary>What one text held.</summary>
public sealed record ManifestReading
{
    /// <summary>Nothing.</summary>
    public static ManifestReading Empty { get; } = new();

    /// <summary>The valid resources in the order they stand, whatever their ambassador id; those of annotations follow the object that carries them.</summary>
    public ImmutableArray<Resource> Resources { get; init; } = [];

    /// <summary>Objects that break the schema of their kind.</summary>
    public ImmutableArray<InvalidResource> Invalid { get; init; } = [];

    /// <summary>Objects of kinds that are not read.</summary>
    public ImmutableArray<KindSeen> UnknownKinds { get; init; } = [];

    /// <summary>Versions that were converted, with the place of the first object of each.</summary>
    public ImmutableArray<KindSeen> LegacyVersions { get; init; } = [];

    /// <summary>What was found in the order it stands.</summary>
    public ImmutableArray<Finding> Findings { get; init; } = [];

    /// <summary>Whether a document could not be read at all, so that the text is probably half-written.</summary>
    public bool IsBroken { get; init; }

    /// <summary>The documents, to be read again cheaply when the text changes.</summary>
    internal ImmutableArray<DocumentReading> Documents { get; init; } = [];
}

/// <summary>An object that breaks the schema of its kind.</summary>
/// <param name="Key">Its key.</param>
/// <param name="AmbassadorId">Its ids as far as they can be read; null for kinds that have none.</param>
/// <param name="MustDeny">Whether <c>failure_mode_deny: true</c> can be read in it.</param>
public sealed record InvalidResource(ResourceKey Key, Collections.ValueList<string>? AmbassadorId, bool MustDeny);

/// <summary>A kind that is not read, or a version that was converted.</summary>
/// <param name="ApiVersion">As written.</param>
/// <param name="Kind">As written.</param>
/// <param name="Location">The first such object.</param>
public sealed record KindSeen(string ApiVersion, string Kind, SourceLocation Location)
{
    /// <summary>The kind of the same API group whose name is near; null for none.</summary>
    public string? Suggestion() => KindReader.Suggest(ApiVersion.LastIndexOf('/') is >= 0 and var slash ? ApiVersion[..slash] : "", Kind);
}
