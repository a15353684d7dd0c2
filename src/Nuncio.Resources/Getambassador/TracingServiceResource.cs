using Nuncio.Resources.Collections;

namespace Nuncio.Resources.Getambassador;

/// <summary>Where spans go (kind TracingService). Spec section 10.7.</summary>
public sealed record TracingServiceResource : AmbassadorResource
{
    /// <summary>The kind's name.</summary>
    public const string KindName = "TracingService";

    /// <summary>What was written under <c>spec</c>.</summary>
    public required TracingServiceSpec Spec { get; init; }
}

/// <summary>The fields of a TracingService.</summary>
public sealed record TracingServiceSpec
{
    /// <summary><c>zipkin</c>, <c>datadog</c>, <c>opentelemetry</c> or the unsupported <c>lightstep</c>.</summary>
    public required string Driver { get; init; }

    public required string Service { get; init; }

    public TracingSampling? Sampling { get; init; }

    public ValueList<CustomTag>? CustomTags { get; init; }

    /// <summary>Has no effect in v3alpha1; v2's is converted to <see cref="CustomTags"/>.</summary>
    public ValueList<string>? TagHeaders { get; init; }

    public TracingConfig? Config { get; init; }

    public string? StatsName { get; init; }
}

/// <summary>Percentages; null is Envoy's 100.</summary>
public sealed record TracingSampling(long? Client, long? Random, long? Overall);

/// <summary>A tag of each span; exactly one of the sources is set in a valid one.</summary>
public sealed record CustomTag
{
    public required string Tag { get; init; }

    /// <summary><c>literal.value</c>.</summary>
    public string? Literal { get; init; }

    public CustomTagSource? Environment { get; init; }

    public CustomTagSource? RequestHeader { get; init; }
}

/// <summary>Where a tag's value comes from.</summary>
public sealed record CustomTagSource(string Name, string? DefaultValue);

/// <summary>The driver's own settings.</summary>
public sealed record TracingConfig
{
    public string? AccessTokenFile { get; init; }

    public string? CollectorCluster { get; init; }

    public string? CollectorEndpoint { get; init; }

    public string? CollectorEndpointVersion { get; init; }

    public string? CollectorHostname { get; init; }

    public ValueList<string>? PropagationModes { get; init; }

    public string? ServiceName { get; init; }

    public bool? SharedSpanContext { get; init; }

    public bool? TraceId128Bit { get; init; }
}
