using Nuncio.Compiler.Resolving;

namespace Nuncio.Compiler;

/// <summary>What the compiler has to know of the process; the same for all its life, so that results may be memoised.</summary>
public sealed record CompilerOptions
{
    /// <summary>The defaults of a process that was given no flag and no variable.</summary>
    public static CompilerOptions Default { get; } = new();

    /// <summary><c>AMBASSADOR_ID</c>; part of the service cluster's name. Default <c>default</c>.</summary>
    public string AmbassadorId { get; init; } = AmbassadorIdPolicy.DefaultId;

    /// <summary><c>AMBASSADOR_NAMESPACE</c>: where an unqualified service name resolves without a suffix. Default <c>default</c>.</summary>
    public string Namespace { get; init; } = "default";

    /// <summary><c>AMBASSADOR_ENVOY_BIND_ADDRESS</c>: where Listeners bind that say nothing else. Default <c>0.0.0.0</c>.</summary>
    public string BindAddress { get; init; } = "0.0.0.0";

    /// <summary>False with <c>DISABLE_STRICT_LABEL_SELECTORS=true</c>: any one label pair, or the host glob alone, is enough.</summary>
    public bool StrictLabelSelectors { get; init; } = true;

    /// <summary>False when <c>AMBASSADOR_DISABLE_ENDPOINTS</c> is not empty: endpoint resolvers fall back to DNS, with a finding.</summary>
    public bool EndpointsEnabled { get; init; } = true;

    /// <summary>True with <c>STATSD_ENABLED=true</c>: statistics are to be sent to a statsd server, which is not built yet and reported.</summary>
    public bool StatsdEnabled { get; init; }

    /// <summary>
    /// Whether a service of the DNS resolver whose Service has Endpoints in the input goes to these. True for manifests from files, where no cluster DNS can be
    /// expected; in a cluster the Service's own address is used, as Emissary does.
    /// </summary>
    public bool ServicesByEndpoints { get; init; } = true;

    /// <summary>When the input has no Listener: open 8080 and 8443 (HTTP and HTTPS, XFP, all namespaces), with a notice.</summary>
    public bool AssumeListeners { get; init; }

    /// <summary>
    /// What a client gets where a Host rejects insecure requests: 400, as the documentation says, or 404, what Emissary's compiler makes of it (SPEC 5.3).
    /// </summary>
    public int InsecureRejectStatus { get; init; } = 400;

    /// <summary>
    /// Whether what takes traffic has QUIC. Without it no HTTP/3 Listener is opened or announced, with a finding. Default true: every Envoy has it.
    /// </summary>
    public bool ServesHttp3 { get; init; } = true;

    /// <summary>Addresses for service names, before any other way of resolving them; in the order of the command line.</summary>
    public ImmutableArray<AddressOverride> Resolve { get; init; } = [];
}
