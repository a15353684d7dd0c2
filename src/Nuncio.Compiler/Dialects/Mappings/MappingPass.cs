using System.Runtime.CompilerServices;
using Nuncio.Compiler.Planning;
using Nuncio.Compiler.Resolving;

namespace Nuncio.Compiler.Dialects.Mappings;

/// <summary>Reads the Mappings, and groups and orders them.</summary>
internal sealed class MappingPass : ICompilerPass
{
    public void Run(CompilerContext context)
    {
        var memo = context.Memo<State>();
        var upstreams = UpstreamPlanners.Of(context);
        if (!ReferenceEquals(memo.Module, context.Module) || !ReferenceEquals(memo.Resolvers, context.Resolvers))
        {
            memo.Module = context.Module;
            memo.Resolvers = context.Resolvers;
            memo.Read = NewTable(0);
            memo.Internal = InternalMappings.Of(context.Module, context.Options);
        }

        var mappings = context.Snapshot.Mappings;
        var before = memo.Read;
        var now = NewTable(mappings.Length + context.DerivedMappings.Count + memo.Internal.Length);
        var planner = new MappingPlanner(context.Module, upstreams);
        var plans = new List<MappingPlan>(mappings.Length + context.DerivedMappings.Count + memo.Internal.Length);
        foreach (var mapping in memo.Internal)
            Read(mapping, true);
        foreach (var mapping in mappings)
            Read(mapping, false);
        foreach (var mapping in context.DerivedMappings)
            Read(mapping, false);
        memo.Read = now;
        context.Groups = context.Memo<MappingGrouper>().Group(context, plans);

        void Read(MappingResource mapping, bool isInternal)
        {
            if (!before.TryGetValue(mapping, out var read))
                read = planner.Read(mapping, isInternal);
            now[mapping] = read;
            context.Findings.AddRange(read.Findings);
            if (read.Plan is { } plan)
                plans.Add(plan);
        }
    }

    private static Dictionary<MappingResource, (MappingPlan? Plan, ImmutableArray<Finding> Findings)> NewTable(int capacity) => new(capacity, ByReference.Instance);

    private sealed class State
    {
        public ModulePlan? Module { get; set; }

        public ResolverTable? Resolvers { get; set; }

        public ImmutableArray<MappingResource> Internal { get; set; } = [];

        public Dictionary<MappingResource, (MappingPlan? Plan, ImmutableArray<Finding> Findings)> Read { get; set; } = NewTable(0);
    }

    private sealed class ByReference : IEqualityComparer<MappingResource>
    {
        public static ByReference Instance { get; } = new();

        public bool Equals(MappingResource? x, MappingResource? y) => ReferenceEquals(x, y);

        public int GetHashCode(MappingResource obj) => RuntimeHelpers.GetHashCode(obj);
    }
}
