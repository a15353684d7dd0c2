namespace Nuncio.DataPlane.Tracing;

/// <summary>Which side of a call a span is of.</summary>
internal enum TraceSpanKind : byte
{
    /// <summary>The proxy was asked.</summary>
    Server,

    /// <summary>The proxy asks an upstream.</summary>
    Client,
}

/// <summary>One span: from the moment a request came, or was sent on, to its end.</summary>
internal sealed class TraceSpan
{
    /// <summary>The upper half of the trace's id; 0 where ids have 64 bits.</summary>
    public ulong TraceIdHigh { get; init; }

    /// <summary>The lower half of the trace's id.</summary>
    public ulong TraceId { get; init; }

    /// <summary>Its own id.</summary>
    public ulong Id { get; init; }

    /// <summary>The span it is part of; 0 for none.</summary>
    public ulong ParentId { get; init; }

    /// <summary>It is reported.</summary>
    public bool IsSampled { get; init; }

    /// <summary>The caller's span is continued under its own id (Zipkin's shared span).</summary>
    public bool IsShared { get; init; }

    /// <summary>Which side it is of.</summary>
    public TraceSpanKind Kind { get; init; }

    /// <summary>What is done.</summary>
    public string Name { get; set; } = "";

    /// <summary>When it began.</summary>
    public DateTimeOffset Start { get; init; }

    /// <summary>How long it took.</summary>
    public TimeSpan Duration { get; set; }

    /// <summary>It failed.</summary>
    public bool IsError { get; set; }

    /// <summary>What the caller's vendor wants passed on (<c>tracestate</c>, Datadog's origin and tags); empty for nothing.</summary>
    public string State { get; init; } = "";

    /// <summary>Datadog's reason for its sampling; 1 and above is sampled.</summary>
    public int Priority { get; init; }

    /// <summary>What is known of it.</summary>
    public List<KeyValuePair<string, string>> Tags { get; } = [];
}
