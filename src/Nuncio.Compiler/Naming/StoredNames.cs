namespace Nuncio.Compiler.Naming;

/// <summary>
/// The names under which resources of one kind know each other (SPEC 2.5): bare, or with the namespace where an earlier one has the bare name.
/// </summary>
internal static class StoredNames
{
    /// <summary>The order in which Emissary loads resources: that of <see cref="LoadPlace"/>, then of names.</summary>
    public static IEnumerable<T> InOrder<T>(IEnumerable<T> resources)
        where T : Resource =>
        resources.Order(Comparer<T>.Create(static (one, other) => Compare(one, other)));

    /// <summary>Compares two places, then the names.</summary>
    public static int Compare(Resource one, Resource other)
    {
        var difference = LoadPlace.Compare(LoadPlace.Of(one), LoadPlace.Of(other));
        return difference != 0 ? difference : string.CompareOrdinal(one.Name, other.Name);
    }

    /// <summary>The bare name, or <c>name.namespace</c> when the bare one is taken.</summary>
    public static string Free(Resource resource, Func<string, bool> isTaken) =>
        isTaken(resource.Name) ? $"{resource.Name}.{resource.Namespace}" : resource.Name;
}
