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
        if (!ReferenceEquals(memo.Upstreams, upstreams))
        {
            // A planner is of one Module and one set of resolvers.
            memo.Upstreams = upstreams;
            memo.Read.Clear();
            memo.InOrder.Clear();
            memo.Internal = InternalMappings.Of(context.Module, context.Options);
        }

        var mappings = context.Snapshot.Mappings;
        var stamp = ++memo.Stamp;
        var before = memo.InOrder;
        var next = 0;
        var now = new List<ReadMapping>(before.Count + 1);
        var planner = new MappingPlanner(context.Module, upstreams);
        var plans = new List<MappingPlan>(mappings.Length + context.DerivedMappings.Count + memo.Internal.Length);
        foreach (var mapping in memo.Internal)
            Read(mapping, true);
        foreach (var mapping in mappings)
            Read(mapping, false);
        foreach (var mapping in context.DerivedMappings)
            Read(mapping, false);
        if (memo.Read.Count > plans.Capacity + (plans.Capacity / 4) + 64)
            memo.Read = new(memo.Read.Where(pair => pair.Value.Stamp == stamp), ByReference.Instance);
        memo.InOrder = now;
        context.Groups = context.Memo<MappingGrouper>().Group(context, plans);

        void Read(MappingResource mapping, bool isInternal)
        {
            var read = Known(mapping);
            if (read is null)
            {
                var (made, findings) = planner.Read(mapping, isInternal);
                memo.Read.Add(mapping, read = new ReadMapping(mapping, made, findings));
            }

            read.Stamp = stamp;
            now.Add(read);
            context.Findings.AddRange(read.Findings);
            if (read.Plan is { } plan)
                plans.Add(plan);
        }

        // Nearly always the order is the one before, with one Mapping more or less: that saves ten thousand look-ups.
        ReadMapping? Known(MappingResource mapping)
        {
            for (var ahead = next; ahead < Math.Min(next + 2, before.Count); ahead++)
            {
                if (!ReferenceEquals(before[ahead].Resource, mapping))
                    continue;
                next = ahead + 1;
                return before[ahead];
            }

            return memo.Read.GetValueOrDefault(mapping);
        }
    }

    private sealed class State
    {
        public UpstreamPlanner? Upstreams { get; set; }

        public ImmutableArray<MappingResource> Internal { get; set; } = [];

        public Dictionary<MappingResource, ReadMapping> Read { get; set; } = new(ByReference.Instance);

        /// <summary>The Mappings of the compilation before, in their order.</summary>
        public List<ReadMapping> InOrder { get; set; } = [];

        public int Stamp { get; set; }
    }

    private sealed class ReadMapping(MappingResource resource, MappingPlan? plan, ImmutableArray<Finding> findings)
    {
        public MappingResource Resource { get; } = resource;

        public MappingPlan? Plan { get; } = plan;

        public ImmutableArray<Finding> Findings { get; } = findings;

        /// <summary>The last compilation that had the Mapping.</summary>
        public int Stamp { get; set; }
    }

    private sealed class ByReference : IEqualityComparer<MappingResource>
    {
        public static ByReference Instance { get; } = new();

        public bool Equals(MappingResource? x, MappingResource? y) => ReferenceEquals(x, y);

        public int GetHashCode(MappingResource obj) => RuntimeHelpers.GetHashCode(obj);
    }
}
