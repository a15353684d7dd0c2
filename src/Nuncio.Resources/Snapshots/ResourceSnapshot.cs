using System.Collections.Immutable;
using Nuncio.Resources.Core;
using Nuncio.Resources.Findings;
using Nuncio.Resources.Getambassador;
using Nuncio.Resources.Modules;

namespace Nuncio.Resources.Snapshots;

/// <summary>
/// Everything that was read, complete and immutable. Each collection is ordered by namespace, then name (both ordinal); keys are unique within a kind.
/// A resource that did not change since the previous snapshot is the same object.
/// </summary>
public sealed record ResourceSnapshot
{
    /// <summary>Grows by one with each snapshot of a process; 0 for the empty one.</summary>
    public long Revision { get; init; }

    /// <summary>An empty snapshot.</summary>
    public static ResourceSnapshot Empty { get; } = new();

    public ImmutableArray<MappingResource> Mappings { get; init; } = [];

    public ImmutableArray<TcpMappingResource> TcpMappings { get; init; } = [];

    public ImmutableArray<HostResource> Hosts { get; init; } = [];

    public ImmutableArray<ListenerResource> Listeners { get; init; } = [];

    /// <summary>All Modules of this process' id; only the ones named <c>ambassador</c> and <c>tls</c> have a meaning.</summary>
    public ImmutableArray<ModuleResource> Modules { get; init; } = [];

    public ImmutableArray<TlsContextResource> TlsContexts { get; init; } = [];

    public ImmutableArray<AuthServiceResource> AuthServices { get; init; } = [];

    public ImmutableArray<RateLimitServiceResource> RateLimitServices { get; init; } = [];

    public ImmutableArray<LogServiceResource> LogServices { get; init; } = [];

    public ImmutableArray<TracingServiceResource> TracingServices { get; init; } = [];

    public ImmutableArray<KubernetesServiceResolverResource> KubernetesServiceResolvers { get; init; } = [];

    public ImmutableArray<KubernetesEndpointResolverResource> KubernetesEndpointResolvers { get; init; } = [];

    public ImmutableArray<ConsulResolverResource> ConsulResolvers { get; init; } = [];

    public ImmutableArray<DevPortalResource> DevPortals { get; init; } = [];

    public ImmutableArray<IngressResource> Ingresses { get; init; } = [];

    public ImmutableArray<IngressClassResource> IngressClasses { get; init; } = [];

    public ImmutableArray<ServiceResource> Services { get; init; } = [];

    public ImmutableArray<EndpointsResource> Endpoints { get; init; } = [];

    public ImmutableArray<EndpointSliceResource> EndpointSlices { get; init; } = [];

    public ImmutableArray<SecretResource> Secrets { get; init; } = [];

    public ImmutableArray<ConfigMapResource> ConfigMaps { get; init; } = [];

    public ImmutableArray<NamespaceResource> Namespaces { get; init; } = [];

    /// <summary>
    /// Objects that were left out because they break the schema of their kind. The compiler looks here so that nothing fails open: an invalid AuthService,
    /// for instance, still means that requests must be authorised.
    /// </summary>
    public ImmutableArray<ResourceKey> Invalid { get; init; } = [];

    /// <summary>Whether one of the invalid RateLimitServices says <c>failure_mode_deny: true</c>.</summary>
    public bool InvalidRateLimitDenies { get; init; }

    /// <summary>What reading found; the compiler's findings are not in here.</summary>
    public ImmutableArray<Finding> Findings { get; init; } = [];

    /// <summary>Every resource, kind by kind.</summary>
    public IEnumerable<Resource> All()
    {
        IEnumerable<Resource>[] kinds =
        [
            Mappings, TcpMappings, Hosts, Listeners, Modules, TlsContexts, AuthServices, RateLimitServices, LogServices, TracingServices,
            KubernetesServiceResolvers, KubernetesEndpointResolvers, ConsulResolvers, DevPortals, Ingresses, IngressClasses, Services,
            Endpoints, EndpointSlices, Secrets, ConfigMaps, Namespaces,
        ];
        return kinds.SelectMany(kind => kind);
    }
}
