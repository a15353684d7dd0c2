namespace Nuncio.Compiler.Resolving;

/// <summary>How a resolver finds addresses.</summary>
public enum ResolverKind
{
    /// <summary>By the Service's name in DNS (KubernetesServiceResolver).</summary>
    Service,

    /// <summary>By the Service's endpoints (KubernetesEndpointResolver).</summary>
    Endpoints,

    /// <summary>By Consul (ConsulResolver).</summary>
    Consul,
}

/// <summary>The resolvers by name, which counts across namespaces (SPEC 8.2).</summary>
public sealed class ResolverTable
{
    private readonly ImmutableDictionary<string, ResolverKind> _kinds;

    private ResolverTable(ImmutableDictionary<string, ResolverKind> kinds) => _kinds = kinds;

    /// <summary>The resolvers that exist without being written.</summary>
    public static ResolverTable Implicit { get; } = Build([], [], []);

    /// <summary>The names, for suggestions.</summary>
    public IEnumerable<string> Names => _kinds.Keys.Order(StringComparer.Ordinal);

    /// <summary>The kind of a resolver; null for an unknown name.</summary>
    public ResolverKind? Find(string name) => _kinds.TryGetValue(name, out var kind) ? kind : null;

    /// <summary>The written resolvers and the implicit ones; of two aliases one that is written defines the other as well.</summary>
    public static ResolverTable Build(IEnumerable<string> services, IEnumerable<string> endpoints, IEnumerable<string> consuls)
    {
        var kinds = ImmutableDictionary.CreateBuilder<string, ResolverKind>(StringComparer.Ordinal);
        foreach (var name in services)
            kinds.TryAdd(name, ResolverKind.Service);
        foreach (var name in endpoints)
            kinds.TryAdd(name, ResolverKind.Endpoints);
        foreach (var name in consuls)
            kinds.TryAdd(name, ResolverKind.Consul);
        kinds.TryAdd("kubernetes-service", ResolverKind.Service);
        Alias("endpoint", "kubernetes-endpoint", ResolverKind.Endpoints);
        Alias("consul", "consul-endpoint", ResolverKind.Consul);
        return new ResolverTable(kinds.ToImmutable());

        void Alias(string one, string other, ResolverKind kind)
        {
            var oneKind = kinds.TryGetValue(one, out var found) ? found : (ResolverKind?)null;
            var otherKind = kinds.TryGetValue(other, out found) ? found : (ResolverKind?)null;
            kinds.TryAdd(one, otherKind ?? kind);
            kinds.TryAdd(other, oneKind ?? kind);
        }
    }
}
