using Nuncio.DataPlane.Pipeline;

namespace Nuncio.DataPlane.Tracing;

/// <summary>One kind of tracing: its ids, its headers, its service.</summary>
/// <param name="propagation">How traces are told.</param>
/// <param name="reporter">Takes spans that have ended.</param>
/// <param name="options">What differs between kinds.</param>
internal sealed class TraceDriver(TracePropagation propagation, TraceReporter reporter, TraceDriverOptions options) : IAsyncDisposable
{
    /// <summary>How traces are told.</summary>
    public TracePropagation Propagation => propagation;

    /// <summary>The span of a request that came.</summary>
    /// <param name="exchange">The request.</param>
    /// <param name="traced">Our own decision; the caller's goes before it.</param>
    public TraceSpan StartServer(HttpExchange exchange, bool traced)
    {
        var parent = propagation.Extract(exchange.RequestHeaders);
        var sampled = parent.Sampled ?? traced;
        var priority = parent.Exists && parent.Priority != 0 ? parent.Priority : sampled ? 1 : 0;
        if (!parent.Exists)
        {
            var id = TraceIds.Next();
            return new TraceSpan
            {
                TraceIdHigh = options.LongTraceIds ? TraceIds.Next() : 0,
                TraceId = options.SpanIdIsTraceId ? id : TraceIds.Next(),
                Id = id,
                IsSampled = sampled,
                Priority = priority,
                Start = exchange.StartTime,
                Kind = TraceSpanKind.Server,
            };
        }

        return new TraceSpan
        {
            TraceIdHigh = parent.TraceIdHigh,
            TraceId = parent.TraceId,
            Id = options.SharedSpans ? parent.SpanId : TraceIds.Next(),
            ParentId = options.SharedSpans ? parent.ParentId : parent.SpanId,
            IsShared = options.SharedSpans,
            IsSampled = sampled,
            State = parent.State,
            Priority = priority,
            Start = exchange.StartTime,
            Kind = TraceSpanKind.Server,
        };
    }

    /// <summary>The span of a request that is sent on.</summary>
    public static TraceSpan StartClient(TraceSpan server, string name, DateTimeOffset now) => new()
    {
        TraceIdHigh = server.TraceIdHigh,
        TraceId = server.TraceId,
        Id = TraceIds.Next(),
        ParentId = server.Id,
        IsSampled = server.IsSampled,
        State = server.State,
        Priority = server.Priority,
        Name = name,
        Start = now,
        Kind = TraceSpanKind.Client,
    };

    /// <summary>Takes a span that has ended.</summary>
    public void Report(TraceSpan span)
    {
        if (span.IsSampled || options.ReportsUnsampled)
        {
            reporter.Add(span);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => reporter.DisposeAsync();
}

/// <summary>What differs between kinds of tracing.</summary>
/// <param name="LongTraceIds">New traces have ids of 128 bits.</param>
/// <param name="SharedSpans">The caller's span is continued under its own id.</param>
/// <param name="SpanIdIsTraceId">The first span of a trace has the trace's id.</param>
/// <param name="ReportsUnsampled">Spans are reported even where they are not sampled: the agent counts them.</param>
internal sealed record TraceDriverOptions(bool LongTraceIds, bool SharedSpans, bool SpanIdIsTraceId, bool ReportsUnsampled = false);
