using Nuncio.Resources.Findings;

namespace Nuncio.Resources;

/// <summary>The place of one resource in a text, able to find its fields there. Costs nothing until a field is asked for.</summary>
public abstract class ResourceText(SourceLocation start)
{
    /// <summary>Where the resource begins.</summary>
    public SourceLocation Start { get; } = start;

    /// <summary>Where a field stands, or the nearest thing around it that does.</summary>
    /// <param name="fieldPath">As in <see cref="Finding.FieldPath"/>, for instance <c>spec.cors.origins[1]</c>.</param>
    public abstract SourceLocation Locate(string fieldPath);
}
