namespace Nuncio.Compiler.Naming;

/// <summary>The names under which resources of one kind know each other (SPEC 2.5): bare, or with the namespace where an earlier one has the bare name.</summary>
internal static class StoredNames
{
    /// <summary>The order in which Emissary loads resources: that of the texts <c>name.namespace</c>.</summary>
    public static IEnumerable<T> InOrder<T>(IEnumerable<T> resources)
        where T : Resource =>
        resources.Order(Comparer<T>.Create(static (one, other) => Compare(one.Key, other.Key)));

    /// <summary>Compares the texts <c>name.namespace</c>: a dash sorts before the dot, so <c>quote-canary</c> comes before <c>quote</c>.</summary>
    public static int Compare(ResourceKey one, ResourceKey other)
    {
        var shorter = Math.Min(one.Name.Length, other.Name.Length);
        var difference = string.CompareOrdinal(one.Name, 0, other.Name, 0, shorter);
        if (difference != 0)
            return difference;
        if (one.Name.Length == other.Name.Length)
            return string.CompareOrdinal(one.Namespace, other.Namespace);

        // Rare: one name begins with the other.
        return string.CompareOrdinal($"{one.Name}.{one.Namespace}", $"{other.Name}.{other.Namespace}");
    }

    /// <summary>The bare name, or <c>name.namespace</c> when the bare one is taken.</summary>
    public static string Free(Resource resource, Func<string, bool> isTaken) =>
        isTaken(resource.Name) ? $"{resource.Name}.{resource.Namespace}" : resource.Name;
}
