using Nuncio.Resources.Collections;
using Nuncio.Resources.Getambassador;

namespace Nuncio.Resources.Modules;

/// <summary>
/// The keys of the Module <c>ambassador</c> under their own names; null means absent. Its schema is open, so one bad key does not make the Module invalid:
/// such a key is a finding, is null here and is listed in <see cref="InvalidKeys"/>. Keys without any effect since Emissary 2 only give a notice on reading.
/// </summary>
public sealed record AmbassadorModuleConfig
{
    /// <summary>Nothing set.</summary>
    public static AmbassadorModuleConfig Empty { get; } = new();

    /// <summary>Top-level keys that were written but cannot be used. What protects (<c>ip_allow</c>, for instance) must then not fail open.</summary>
    public ValueList<string> InvalidKeys { get; init; } = ValueList<string>.Empty;

    public bool? AddLinkerdHeaders { get; init; }

    public int? AdminPort { get; init; }

    public bool? AllowChunkedLength { get; init; }

    public BufferConfig? Buffer { get; init; }

    public long? BufferLimitBytes { get; init; }

    public ValueList<CircuitBreakerConfig>? CircuitBreakers { get; init; }

    public long? ClusterIdleTimeoutMs { get; init; }

    public long? ClusterMaxConnectionLifetimeMs { get; init; }

    public long? ClusterRequestTimeoutMs { get; init; }

    public CorsConfig? Cors { get; init; }

    public string? DefaultLabelDomain { get; init; }

    /// <summary>Domain to the specifiers of <c>defaults</c>.</summary>
    public ValueMap<ValueList<LabelSpecifier>>? DefaultLabels { get; init; }

    public ModuleDefaults? Defaults { get; init; }

    /// <summary><c>/ambassador/v0/</c>.</summary>
    public ProbeConfig? Diagnostics { get; init; }

    /// <summary>Presence counts in Emissary, even of <c>false</c>; here <c>false</c> disables.</summary>
    public bool? EnableGrpcHttp11Bridge { get; init; }

    /// <summary>Presence counts in Emissary, even of <c>false</c>; here <c>false</c> disables.</summary>
    public bool? EnableGrpcWeb { get; init; }

    public GrpcStatsConfig? GrpcStats { get; init; }

    public bool? EnableHttp10 { get; init; }

    public bool? EnableIPv4 { get; init; }

    public bool? EnableIPv6 { get; init; }

    /// <summary><c>text</c>, <c>json</c> or <c>typed_json</c>; null is <c>text</c>. Any other value is an invalid key.</summary>
    public string? EnvoyLogType { get; init; }

    public string? EnvoyLogPath { get; init; }

    /// <summary>The format for <c>text</c>; null when absent or written as an object.</summary>
    public string? EnvoyLogTextFormat { get; init; }

    /// <summary>The format for <c>json</c> and <c>typed_json</c>, a JSON object; null when absent or written as text.</summary>
    public JsonText? EnvoyLogJsonFormat { get; init; }

    /// <summary>Edge Stack. Spec section 15.12.</summary>
    public ValueList<ErrorResponseOverride>? ErrorResponseOverrides { get; init; }

    /// <summary>One of Envoy's names, for instance <c>SANITIZE_SET</c>. Not checked on reading.</summary>
    public string? ForwardClientCertDetails { get; init; }

    public ClientCertDetails? SetCurrentClientCertDetails { get; init; }

    public GzipConfig? Gzip { get; init; }

    public ValueList<string>? HeaderCaseOverrides { get; init; }

    /// <summary><c>ALLOW</c>, <c>REJECT_REQUEST</c> or <c>DROP_HEADER</c>. Not checked on reading.</summary>
    public string? HeadersWithUnderscoresAction { get; init; }

    public ValueList<IpRule>? IpAllow { get; init; }

    public ValueList<IpRule>? IpDeny { get; init; }

    public KeepaliveConfig? Keepalive { get; init; }

    public long? ListenerIdleTimeoutMs { get; init; }

    public ProbeConfig? LivenessProbe { get; init; }

    public ProbeConfig? ReadinessProbe { get; init; }

    public LoadBalancerConfig? LoadBalancer { get; init; }

    public string? LuaScripts { get; init; }

    public long? MaxRequestHeadersKb { get; init; }

    public bool? MergeSlashes { get; init; }

    public bool? PreserveExternalRequestId { get; init; }

    public bool? ProperCase { get; init; }

    public long? RegexMaxSize { get; init; }

    public bool? RejectRequestsWithEscapedSlashes { get; init; }

    public string? Resolver { get; init; }

    public RetryPolicyConfig? RetryPolicy { get; init; }

    /// <summary>Envoy runtime flags: name to a scalar.</summary>
    public ValueMap<JsonText>? RuntimeFlags { get; init; }

    public string? ServerName { get; init; }

    public bool? StripMatchingHostPort { get; init; }

    public bool? SuppressEnvoyHeaders { get; init; }

    public bool? UseAmbassadorNamespaceForServiceResolution { get; init; }

    public bool? UseRemoteAddress { get; init; }
}

/// <summary><c>buffer</c>.</summary>
/// <param name="MaxRequestBytes">Required by the meaning.</param>
public sealed record BufferConfig(long? MaxRequestBytes);

/// <summary><c>defaults</c>: values for Mappings that do not set the field themselves. <c>httpmapping</c> goes before the general ones.</summary>
public sealed record ModuleDefaults
{
    public MappingDefaults General { get; init; } = MappingDefaults.Empty;

    public MappingDefaults HttpMapping { get; init; } = MappingDefaults.Empty;

    public bool? TlsSecretNamespacing { get; init; }
}

/// <summary>The fields of a Mapping that have Module defaults.</summary>
public sealed record MappingDefaults
{
    /// <summary>Nothing set.</summary>
    public static MappingDefaults Empty { get; } = new();

    public ValueMap<AddedHeader>? AddRequestHeaders { get; init; }

    public ValueMap<AddedHeader>? AddResponseHeaders { get; init; }

    public ValueList<string>? RemoveRequestHeaders { get; init; }

    public ValueList<string>? RemoveResponseHeaders { get; init; }

    public string? StatsName { get; init; }
}

/// <summary><c>diagnostics</c>, <c>liveness_probe</c>, <c>readiness_probe</c>.</summary>
public sealed record ProbeConfig
{
    public bool? Enabled { get; init; }

    public string? Prefix { get; init; }

    public string? Rewrite { get; init; }

    public string? Service { get; init; }

    /// <summary>Of <c>diagnostics</c> only.</summary>
    public bool? AllowNonLocal { get; init; }
}

/// <summary><c>grpc_stats</c>.</summary>
public sealed record GrpcStatsConfig
{
    public bool? AllMethods { get; init; }

    public ValueList<GrpcStatsService>? Services { get; init; }

    public bool? UpstreamStats { get; init; }
}

/// <summary>A gRPC service and those of its methods that are counted.</summary>
public sealed record GrpcStatsService(string? Name, ValueList<string>? MethodNames);

/// <summary><c>set_current_client_cert_details</c>.</summary>
public sealed record ClientCertDetails(bool? Subject, bool? Cert, bool? Chain, bool? Dns, bool? Uri);

/// <summary><c>gzip</c>.</summary>
public sealed record GzipConfig
{
    public long? MemoryLevel { get; init; }

    public long? MinContentLength { get; init; }

    /// <summary>Envoy's name, for instance <c>BEST_SPEED</c>. Not checked on reading.</summary>
    public string? CompressionLevel { get; init; }

    /// <summary>Envoy's name, for instance <c>HUFFMAN_ONLY</c>. Not checked on reading.</summary>
    public string? CompressionStrategy { get; init; }

    public long? WindowBits { get; init; }

    public ValueList<string>? ContentType { get; init; }

    public bool? DisableOnEtagHeader { get; init; }

    public bool? RemoveAcceptEncodingHeader { get; init; }
}

/// <summary>One entry of <c>ip_allow</c> or <c>ip_deny</c>. Spec section 9.6.</summary>
/// <param name="Kind">Which address is looked at.</param>
/// <param name="Address">An address or CIDR block as written.</param>
public sealed record IpRule(IpRuleKind Kind, string Address);

/// <summary>Which address a rule looks at.</summary>
public enum IpRuleKind
{
    /// <summary>The other end of the TCP connection.</summary>
    Peer,

    /// <summary>The trusted address of the client.</summary>
    Remote,

    /// <summary>The entry is neither, or not of this shape: a finding was made, and it matches nothing.</summary>
    Invalid,
}
