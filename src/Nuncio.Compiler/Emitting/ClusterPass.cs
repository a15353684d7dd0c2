using Nuncio.Compiler.Planning;
using Nuncio.Compiler.Resolving;

namespace Nuncio.Compiler.Emitting;

/// <summary>Emits the clusters that were asked for, with the endpoints and keys they refer to.</summary>
internal sealed class ClusterPass : ICompilerPass
{
    public void Run(CompilerContext context)
    {
        var memo = context.Memo<State>();
        if (!ReferenceEquals(memo.Module, context.Module))
        {
            memo.Module = context.Module;
            memo.Emitted = [];
        }

        var index = context.Memo<EndpointIndex>();
        index.Refresh(context.Snapshot);
        var emitted = new Dictionary<ClusterPlan, Emitted>();
        foreach (var plan in context.Clusters.Plans)
        {
            var target = UpstreamTarget.Of(plan, context.Options, index);
            if (!memo.Emitted.TryGetValue(plan, out var known) || known.Target != target)
                known = new Emitted(target, XdsResource<ClusterV3.Cluster>.Create(plan.Name, ClusterEmitter.Emit(plan, target, context.Module)));
            emitted.Add(plan, known);
            context.EmittedClusters[plan.Name] = known.Cluster;
            if (plan.Tls is { } tls)
                foreach (var secret in tls.Secrets)
                    context.Secrets[secret.Name] = secret;
            if (target.EndpointsName is { } name && !context.Endpoints.ContainsKey(name))
                context.Endpoints.Add(name, index.Assignment(name, target));
        }

        foreach (var (cluster, others) in context.SharedClusters)
            Share(context, cluster, others);
        memo.Emitted = emitted;
        UpstreamPlanners.Prune(context);
    }

    /// <summary>All addresses in one cluster; a name stays a name, which is looked up.</summary>
    private static void Share(CompilerContext context, ClusterPlan plan, ImmutableArray<ClusterPlan> others)
    {
        var shared = context.EmittedClusters[plan.Name].Message.Clone();
        var endpoints = new EndpointV3.LocalityLbEndpoints();
        foreach (var each in others.Add(plan).Distinct())
        {
            var cluster = context.EmittedClusters[each.Name].Message;
            var assignment = cluster.EdsClusterConfig is { } discovered ? context.Endpoints[discovered.ServiceName].Message : cluster.LoadAssignment;
            foreach (var group in assignment.Endpoints)
                endpoints.LbEndpoints.AddRange(group.LbEndpoints.Select(endpoint => endpoint.Clone()));
            context.EmittedClusters.Remove(each.Name);
        }

        shared.EdsClusterConfig = null;
        shared.Type = ClusterV3.Cluster.Types.DiscoveryType.StrictDns;
        shared.LoadAssignment = new EndpointV3.ClusterLoadAssignment { ClusterName = shared.Name, Endpoints = { endpoints } };
        context.EmittedClusters[plan.Name] = XdsResource<ClusterV3.Cluster>.Create(plan.Name, shared);
    }

    private sealed record Emitted(UpstreamTarget Target, XdsResource<ClusterV3.Cluster> Cluster);

    private sealed class State
    {
        public ModulePlan? Module { get; set; }

        public Dictionary<ClusterPlan, Emitted> Emitted { get; set; } = [];
    }
}
