using Nuncio.Compiler.Planning;

namespace Nuncio.Compiler.Resolving;

/// <summary>Keeps one planner while Module and resolvers stay the same, so that equal upstreams stay one object.</summary>
internal static class UpstreamPlanners
{
    public static UpstreamPlanner Of(CompilerContext context)
    {
        var state = context.Memo<State>();
        if (state.Planner is null || !ReferenceEquals(state.Module, context.Module) || !ReferenceEquals(state.Resolvers, context.Resolvers))
        {
            state.Module = context.Module;
            state.Resolvers = context.Resolvers;
            state.Planner = new UpstreamPlanner(context.Options, context.Module, context.Resolvers);
        }

        return state.Planner;
    }

    /// <summary>Starts anew once most of what the planner remembers is of resources that are gone. Called at the end of a compilation.</summary>
    public static void Prune(CompilerContext context)
    {
        var state = context.Memo<State>();
        if (state.Planner is { } planner && planner.Remembered > (4 * context.Clusters.Count) + 10_000)
            state.Planner = null;
    }

    private sealed class State
    {
        public ModulePlan? Module { get; set; }

        public ResolverTable? Resolvers { get; set; }

        public UpstreamPlanner? Planner { get; set; }
    }
}
