namespace Nuncio.Testing.Fuzzing;

/// <summary>Tests that measure the memory of their process: one at a time, and nothing beside them.</summary>
public static class FuzzCollection
{
    /// <summary>The name of the collection, which each test project defines.</summary>
    public const string Name = "fuzz";
}
