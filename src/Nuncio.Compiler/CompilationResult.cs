namespace Nuncio.Compiler;

/// <summary>What became of a resource snapshot.</summary>
/// <param name="Snapshot">The messages for the data planes; its revision is the resource snapshot's.</param>
/// <param name="Findings">What the compiler has to say; what reading found is in the resource snapshot.</param>
/// <param name="Provenance">Which resource each message comes from.</param>
public sealed record CompilationResult(XdsSnapshot Snapshot, ImmutableArray<Finding> Findings, Provenance Provenance);
