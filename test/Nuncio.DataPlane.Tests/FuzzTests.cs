using Nuncio.Testing.Fuzzing;

namespace Nuncio.DataPlane.Tests;

/// <summary>See <see cref="FuzzCollection"/>.</summary>
[CollectionDefinition(FuzzCollection.Name, DisableParallelization = true)]
public sealed class FuzzTests;
