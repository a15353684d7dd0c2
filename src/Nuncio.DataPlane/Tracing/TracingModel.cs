using Nuncio.DataPlane.Pipeline;

namespace Nuncio.DataPlane.Tracing;

/// <summary>How a connection manager's requests are traced (HttpConnectionManager.Tracing).</summary>
internal sealed class TracingModel
{
    /// <summary>Of how many the samplings are parts.</summary>
    public const int SamplingBase = 10_000;

    /// <summary>Of requests with x-client-trace-id.</summary>
    public int ClientSampling { get; init; } = SamplingBase;

    /// <summary>Of all others.</summary>
    public int RandomSampling { get; init; } = SamplingBase;

    /// <summary>Of those that would be traced.</summary>
    public int OverallSampling { get; init; } = SamplingBase;

    /// <summary>The longest path in a tag, in bytes.</summary>
    public int MaxPathTagLength { get; init; } = 256;

    /// <summary>A span of its own for each try at an upstream.</summary>
    public bool UpstreamSpans { get; init; }

    /// <summary>More tags.</summary>
    public IReadOnlyList<TraceTag> CustomTags { get; init; } = [];

    /// <summary>Where spans go, and how the trace is told to upstreams.</summary>
    public required TraceDriver Driver { get; init; }
}

/// <summary>A tag of every span (tracing.v3.CustomTag).</summary>
/// <param name="Name">Its name.</param>
/// <param name="Value">Its value, or what it is where the header is absent.</param>
/// <param name="Header">The request header that says it, lower-case; null for none.</param>
internal sealed record TraceTag(string Name, string Value, byte[]? Header)
{
    /// <summary>Adds it; nothing where there is no value.</summary>
    public void AddTo(TraceSpan span, HttpExchange exchange)
    {
        var value = Header is not null && exchange.RequestHeaders.TryGet(Header, out var found) ? System.Text.Encoding.UTF8.GetString(found) : Value;
        if (value.Length > 0)
        {
            span.Tags.Add(new(Name, value));
        }
    }
}
