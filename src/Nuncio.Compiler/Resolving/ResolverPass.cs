namespace Nuncio.Compiler.Resolving;

/// <summary>Reads the resolvers.</summary>
internal sealed class ResolverPass : ICompilerPass
{
    public void Run(CompilerContext context)
    {
        var snapshot = context.Snapshot;
        var memo = context.Memo<State>();
        if (memo.Table is null
            || !Same(memo.Services, snapshot.KubernetesServiceResolvers)
            || !Same(memo.Endpoints, snapshot.KubernetesEndpointResolvers)
            || !Same(memo.Consuls, snapshot.ConsulResolvers))
        {
            memo.Services = snapshot.KubernetesServiceResolvers;
            memo.Endpoints = snapshot.KubernetesEndpointResolvers;
            memo.Consuls = snapshot.ConsulResolvers;
            memo.Table = ResolverTable.Build(
                snapshot.KubernetesServiceResolvers.Select(r => r.Name),
                snapshot.KubernetesEndpointResolvers.Select(r => r.Name),
                snapshot.ConsulResolvers.Select(r => r.Name));
            var findings = new FindingSink();
            foreach (var resolver in snapshot.ConsulResolvers)
            {
                if (string.IsNullOrEmpty(resolver.Datacenter))
                    findings.Error(resolver, FindingCodes.InvalidFieldValue, "spec.datacenter", "a ConsulResolver needs a datacenter");
                findings.Error(resolver, FindingCodes.NotYetSupported, "", "services are not looked up in Consul yet; what uses this resolver answers 503");
            }

            memo.Findings = findings.ToImmutable();
        }

        context.Resolvers = memo.Table;
        context.Findings.AddRange(memo.Findings);
    }

    private static bool Same<T>(ImmutableArray<T> one, ImmutableArray<T> other)
        where T : class
    {
        if (one.IsDefault || one.Length != other.Length)
            return false;
        for (var i = 0; i < one.Length; i++)
            if (!ReferenceEquals(one[i], other[i]))
                return false;
        return true;
    }

    private sealed class State
    {
        public ImmutableArray<KubernetesServiceResolverResource> Services { get; set; }

        public ImmutableArray<KubernetesEndpointResolverResource> Endpoints { get; set; }

        public ImmutableArray<ConsulResolverResource> Consuls { get; set; }

        public ResolverTable? Table { get; set; }

        public ImmutableArray<Finding> Findings { get; set; } = [];
    }
}
