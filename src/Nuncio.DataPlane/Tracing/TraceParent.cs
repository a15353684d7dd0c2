namespace Nuncio.DataPlane.Tracing;

/// <summary>What a request says of the trace it is part of.</summary>
/// <param name="TraceIdHigh">The upper half of its id.</param>
/// <param name="TraceId">The lower half.</param>
/// <param name="SpanId">The caller's span.</param>
/// <param name="ParentId">The span above; 0 for none.</param>
/// <param name="Sampled">The caller's decision; null where it leaves that to us.</param>
/// <param name="State">See <see cref="TraceSpan.State"/>.</param>
/// <param name="Priority">See <see cref="TraceSpan.Priority"/>.</param>
internal readonly record struct TraceParent(ulong TraceIdHigh, ulong TraceId, ulong SpanId, ulong ParentId, bool? Sampled, string State = "", int Priority = 0)
{
    /// <summary>There is a trace.</summary>
    public bool Exists => (TraceId | TraceIdHigh) != 0;
}
