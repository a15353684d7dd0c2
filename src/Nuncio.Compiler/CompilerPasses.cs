using Nuncio.Compiler.Dialects.Ingresses;
using Nuncio.Compiler.Dialects.Mappings;
using Nuncio.Compiler.Emitting;
using Nuncio.Compiler.Hosts;
using Nuncio.Compiler.HttpFilters;
using Nuncio.Compiler.Listeners;
using Nuncio.Compiler.Planning;
using Nuncio.Compiler.Resolving;
using Nuncio.Compiler.Tcp;

namespace Nuncio.Compiler;

/// <summary>The passes in the order they run. Each line says what it leaves in the context.</summary>
internal static class CompilerPasses
{
    /// <summary>From Mappings to groups and clusters, without what makes listeners of them.</summary>
    internal static ImmutableArray<ICompilerPass> MappingHalf { get; } = [new ModulePass(), new ResolverPass(), new MappingPass(), new ClusterPass()];

    public static ImmutableArray<ICompilerPass> InOrder { get; } =
    [
        new ModulePass(), // Module
        new ResolverPass(), // Resolvers
        new IngressPass(), // DerivedMappings, DerivedHosts
        new HostPass(), // Edge, UpstreamTls, HostSelectors
        new HttpFilterPass(), // HttpSettings, RouteSettings, Runtime
        new MappingPass(), // Groups
        new TcpMappingPass(), // TcpGroups
        new ListenerPass(), // Listeners, RouteConfigurations, Secrets of listeners
        new ClusterPass(), // EmittedClusters, Endpoints, Secrets of clusters
    ];
}
