namespace Nuncio.Compiler;

/// <summary>Compares lists of resources by the identity of their elements: an unchanged resource keeps its object.</summary>
internal static class SameObjects
{
    /// <summary>Whether both hold the same objects in the same order.</summary>
    public static bool In<T>(ImmutableArray<T> first, ImmutableArray<T> second)
        where T : class
    {
        if (first == second) return true;
        if (first.Length != second.Length) return false;
        for (var i = 0; i < first.Length; i++)
        {
            if (!ReferenceEquals(first[i], second[i])) return false;
        }
        return true;
    }
}
