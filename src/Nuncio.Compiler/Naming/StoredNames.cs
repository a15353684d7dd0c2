namespace Nuncio.Compiler.Naming;

/// <summary>The names under which resources of one kind know each other (SPEC 2.5): bare, or with the namespace where an earlier one has the bare name.</summary>
internal static class StoredNames
{
    /// <summary>The order in which Emissary loads resources: by name, then namespace.</summary>
    public static IEnumerable<T> InOrder<T>(IEnumerable<T> resources)
        where T : Resource =>
        resources.OrderBy(resource => resource.Name, StringComparer.Ordinal).ThenBy(resource => resource.Namespace, StringComparer.Ordinal);

    /// <summary>The bare name, or <c>name.namespace</c> when the bare one is taken.</summary>
    public static string Free(Resource resource, Func<string, bool> isTaken) =>
        isTaken(resource.Name) ? $"{resource.Name}.{resource.Namespace}" : resource.Name;
}
