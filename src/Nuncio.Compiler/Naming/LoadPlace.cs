using System.Globalization;

namespace Nuncio.Compiler.Naming;

/// <summary>
/// Where Emissary puts a resource when it loads all of them: by the text <c>name.namespace.number</c>, of the Service or Ingress for what stands in an
/// annotation.
/// </summary>
/// <param name="Name">The name of the resource, or of what carries the annotation.</param>
/// <param name="Namespace">The same one's namespace.</param>
/// <param name="Number">Which document of the annotation it is; 1 for an object of its own.</param>
internal readonly record struct LoadPlace(string Name, string Namespace, int Number)
{
    /// <summary>That of a resource.</summary>
    public static LoadPlace Of(Resource resource) =>
        resource is { AnnotationOf: { } carrier, AnnotationNumber: > 0 }
            ? new LoadPlace(carrier.Name, carrier.Namespace, resource.AnnotationNumber) : new LoadPlace(resource.Name, resource.Namespace, 1);

    /// <summary>Compares the texts: a dash sorts before the dot, so <c>quote-canary</c> comes before <c>quote</c>, and 10 before 2.</summary>
    public static int Compare(in LoadPlace one, in LoadPlace other)
    {
        var shorter = Math.Min(one.Name.Length, other.Name.Length);
        var difference = string.CompareOrdinal(one.Name, 0, other.Name, 0, shorter);
        if (difference != 0) return difference;
        if (one.Name.Length == other.Name.Length && one.Namespace == other.Namespace && one.Number == other.Number) return 0;

        // Rare: the same place, or one name begins with the other.
        return string.CompareOrdinal(one.ToString(), other.ToString());
    }

    /// <summary>The text.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Name}.{Namespace}.{Number}");
}
