using Nuncio.Resources.Collections;
using Nuncio.Resources.Findings;

namespace Nuncio.Resources;

/// <summary>
/// What a user wrote: one typed, immutable object. Two resources are equal when key, labels, annotations, origin and content are;
/// where they stand in a file does not count, so that a result memoised by resource survives a line added above it.
/// An object that was read again and did not change keeps its reference.
/// </summary>
public abstract record Resource
{
    /// <summary>Kind, namespace and name.</summary>
    public required ResourceKey Key { get; init; }

    /// <summary><c>metadata.labels</c>.</summary>
    public ValueMap<string> Labels { get; init; } = ValueMap<string>.Empty;

    /// <summary><c>metadata.annotations</c>, without <c>getambassador.io/config</c> and kubectl's <c>last-applied-configuration</c>.</summary>
    public ValueMap<string> Annotations { get; init; } = ValueMap<string>.Empty;

    /// <summary>The Service or Ingress in whose annotation <c>getambassador.io/config</c> this stood; null for an object of its own.</summary>
    public ResourceKey? AnnotationOf { get; init; }

    /// <summary>Which document of that annotation it is, from 1; 0 for an object of its own, and for one that was made of the Ingress.</summary>
    public int AnnotationNumber { get; init; }

    /// <summary>Where it stands and how a field of it is found there; null when it did not come from text.</summary>
    public ResourceText? Text { get; init; }

    /// <summary>The metadata name.</summary>
    public string Name => Key.Name;

    /// <summary>The namespace; <c>default</c> when none was written, empty for cluster-scoped kinds.</summary>
    public string Namespace => Key.Namespace;

    /// <summary>Where it begins.</summary>
    public SourceLocation? Location => Text?.Start;

    /// <summary>Where a field of it stands, or the nearest thing around it that does; null when it did not come from text.</summary>
    /// <param name="fieldPath">As in <see cref="Finding.FieldPath"/>.</param>
    public SourceLocation? Locate(string fieldPath) => Text?.Locate(fieldPath);

    /// <inheritdoc/>
    public virtual bool Equals(Resource? other) =>
        other is not null
        && EqualityContract == other.EqualityContract
        && Key == other.Key
        && AnnotationOf == other.AnnotationOf
        && AnnotationNumber == other.AnnotationNumber
        && Labels.Equals(other.Labels)
        && Annotations.Equals(other.Annotations);

    /// <inheritdoc/>
    public override int GetHashCode() => Key.GetHashCode();
}

/// <summary>A resource of the group getambassador.io.</summary>
public abstract record AmbassadorResource : Resource
{
    /// <summary>
    /// <c>spec.ambassador_id</c> as written; null when absent. The snapshot holds only resources of this process' id (see
    /// <see cref="Snapshots.AmbassadorIdPolicy"/>), so the compiler need not look.
    /// </summary>
    public ValueList<string>? AmbassadorId { get; init; }
}
