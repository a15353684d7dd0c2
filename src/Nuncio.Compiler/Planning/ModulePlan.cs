using Google.Protobuf.WellKnownTypes;

namespace Nuncio.Compiler.Planning;

/// <summary>The Module <c>ambassador</c>, checked: what can be used, and the defaults of Mappings and clusters (SPEC 4.5).</summary>
public sealed record ModulePlan
{
    /// <summary>Emissary's request timeout when neither Mapping nor Module says anything: 3 s.</summary>
    public const long DefaultRequestTimeoutMs = 3000;

    /// <summary>Emissary's limit on the program size of a regular expression.</summary>
    public const int DefaultRegexMaxSize = 200;

    /// <summary>No Module: the defaults.</summary>
    public static ModulePlan Empty { get; } = new();

    /// <summary>The Module; null when there is none.</summary>
    public ModuleResource? Resource { get; init; }

    /// <summary>Its keys as they were read.</summary>
    public AmbassadorModuleConfig Config { get; init; } = AmbassadorModuleConfig.Empty;

    /// <summary>The largest RE2 program that a regular expression may become.</summary>
    public int RegexMaxSize { get; init; } = DefaultRegexMaxSize;

    /// <summary>The request timeout of Mappings that set none, in milliseconds.</summary>
    public long RequestTimeoutMs { get; init; } = DefaultRequestTimeoutMs;

    /// <summary>The resolver of resources that name none.</summary>
    public string Resolver { get; init; } = "kubernetes-service";

    /// <summary>The load balancer of Mappings that set none; checked.</summary>
    public LoadBalancerConfig? LoadBalancer { get; init; }

    /// <summary>The circuit breakers of Mappings that set none; checked.</summary>
    public ValueList<CircuitBreakerConfig>? CircuitBreakers { get; init; }

    /// <summary>The keep-alive of upstream connections where nothing else is set; checked.</summary>
    public KeepaliveConfig? Keepalive { get; init; }

    /// <summary>The CORS policy of Mappings that have none; packed for <c>typed_per_filter_config</c>.</summary>
    public Any? Cors { get; init; }

    /// <summary>The retry policy of Mappings that have none; checked.</summary>
    public RouteV3.RetryPolicy? RetryPolicy { get; init; }

    /// <summary>The domain that <c>default_labels</c> without Mapping labels belong to.</summary>
    public string DefaultLabelDomain { get; init; } = "ambassador";

    /// <summary>The bodies of error responses of all but the Mappings that say otherwise; null where they stay as they are.</summary>
    public ErrorResponsePlan? ErrorResponses { get; init; }

    /// <summary>Header names in the spelling that peers shall see, or empty.</summary>
    public ValueList<string> HeaderCaseOverrides { get; init; } = ValueList<string>.Empty;
}
