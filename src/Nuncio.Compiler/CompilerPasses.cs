using Nuncio.Compiler.Dialects.Mappings;
using Nuncio.Compiler.Emitting;
using Nuncio.Compiler.Planning;
using Nuncio.Compiler.Resolving;

namespace Nuncio.Compiler;

/// <summary>The passes in the order they run. Each line says what it leaves in the context.</summary>
internal static class CompilerPasses
{
    public static ImmutableArray<ICompilerPass> InOrder { get; } =
    [
        new ModulePass(), // Module
        new ResolverPass(), // Resolvers
        new MappingPass(), // Groups
        new ClusterPass(), // EmittedClusters, Endpoints, Secrets of clusters
    ];
}
