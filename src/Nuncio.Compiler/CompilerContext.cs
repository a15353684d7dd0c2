using Google.Protobuf.WellKnownTypes;
using Nuncio.Compiler.Hosts;
using Nuncio.Compiler.HttpFilters;
using Nuncio.Compiler.Planning;
using Nuncio.Compiler.Resolving;
using Nuncio.Compiler.Tcp;

namespace Nuncio.Compiler;

/// <summary>What the passes of one compilation hand to each other. Plans go in as values; nothing here outlives the compilation except by the memo.</summary>
public sealed class CompilerContext
{
    private readonly CompilerMemo _memo;

    internal CompilerContext(CompilerOptions options, ResourceSnapshot snapshot, CompilerMemo memo)
    {
        Options = options;
        Snapshot = snapshot;
        _memo = memo;
        Clusters = new ClusterTable(this);
    }

    /// <summary>The process' settings.</summary>
    public CompilerOptions Options { get; }

    /// <summary>The input.</summary>
    public ResourceSnapshot Snapshot { get; }

    /// <summary>Findings of this compilation. What is memoised keeps its findings and adds them here each time.</summary>
    public FindingSink Findings { get; } = new();

    /// <summary>The Module <c>ambassador</c>, read and checked. Set by the first pass; the same object while the Module does not change.</summary>
    public ModulePlan Module { get; set; } = ModulePlan.Empty;

    /// <summary>The resolvers by name. The same object while no resolver changes.</summary>
    public ResolverTable Resolvers { get; set; } = ResolverTable.Implicit;

    /// <summary>TLSContexts that can be used towards upstreams, by the name that Mappings use.</summary>
    public IReadOnlyDictionary<string, UpstreamTlsPlan> UpstreamTls { get; set; } = ImmutableDictionary<string, UpstreamTlsPlan>.Empty;

    /// <summary>What the routes have to know of the filters.</summary>
    public RouteSettings RouteSettings { get; set; } = RouteSettings.None;

    /// <summary>Hosts that other dialects (Ingress) were turned into; unchanged ones are the same objects as in the compilation before.</summary>
    public List<HostResource> DerivedHosts { get; } = [];

    /// <summary>The Hosts and TLS contexts. The same object while nothing of them changes.</summary>
    internal EdgePlan Edge { get; set; } = EdgePlan.Empty;

    /// <summary>What all HTTP listeners have in common.</summary>
    internal HttpSettingsPlan HttpSettings { get; set; } = HttpSettingsPlan.Empty;

    /// <summary>The groups of TCPMappings, in load order.</summary>
    internal List<TcpGroupPlan> TcpGroups { get; } = [];

    /// <summary>Envoy's static runtime layer.</summary>
    public Struct? Runtime { get; set; }

    /// <summary>Mappings that other dialects (Ingress) were turned into; unchanged ones are the same objects as in the compilation before.</summary>
    public List<MappingResource> DerivedMappings { get; } = [];

    /// <summary>
    /// <c>matchLabels</c> of the mappingSelectors of all Hosts in use, in the Hosts' order: they take part in the grouping of Mappings without a host.
    /// </summary>
    public ImmutableArray<ValueMap<string>> HostSelectors { get; set; } = [];

    /// <summary>
    /// The groups in the order in which their routes are tried (SPEC 5.5). An unchanged group is the same object as in the compilation before.
    /// </summary>
    public ImmutableArray<RouteGroupPlan> Groups { get; set; } = [];

    /// <summary>The clusters that were asked for so far.</summary>
    public ClusterTable Clusters { get; }

    /// <summary>Clusters that have the endpoints of others too, which are then not emitted themselves.</summary>
    public List<(ClusterPlan Cluster, ImmutableArray<ClusterPlan> Others)> SharedClusters { get; } = [];

    /// <summary>Finished LDS resources by name.</summary>
    public Dictionary<string, XdsResource<ListenerV3.Listener>> Listeners { get; } = new(StringComparer.Ordinal);

    /// <summary>Finished RDS resources by name.</summary>
    public Dictionary<string, XdsResource<RouteV3.RouteConfiguration>> RouteConfigurations { get; } = new(StringComparer.Ordinal);

    /// <summary>Finished CDS resources by name.</summary>
    public Dictionary<string, XdsResource<ClusterV3.Cluster>> EmittedClusters { get; } = new(StringComparer.Ordinal);

    /// <summary>Finished EDS resources by name.</summary>
    public Dictionary<string, XdsResource<EndpointV3.ClusterLoadAssignment>> Endpoints { get; } = new(StringComparer.Ordinal);

    /// <summary>Finished SDS resources by name.</summary>
    public Dictionary<string, XdsResource<TlsV3.Secret>> Secrets { get; } = new(StringComparer.Ordinal);

    /// <summary>Which resource a listener comes from, by the listener's name.</summary>
    public Dictionary<string, ResourceKey> ListenerOwners { get; } = new(StringComparer.Ordinal);

    /// <summary>State of a pass that survives from one compilation to the next, one object of each type.</summary>
    public T Memo<T>()
        where T : class, new() => _memo.Get<T>();
}
