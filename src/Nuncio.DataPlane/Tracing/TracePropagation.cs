using Nuncio.DataPlane.Http;

namespace Nuncio.DataPlane.Tracing;

/// <summary>How a trace is told from one service to the next, in headers.</summary>
internal abstract class TracePropagation
{
    /// <summary>Reads what a request says.</summary>
    public abstract TraceParent Extract(HeaderMap headers);

    /// <summary>Writes a span as the parent of whatever the receiver does.</summary>
    public abstract void Inject(TraceSpan span, HeaderMap headers);
}
