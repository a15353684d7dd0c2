using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.State;

namespace Nuncio.DataPlane.Listening;

/// <summary>
/// The processor of a filter chain, whatever configuration it is from: connections keep the slot, so that their next request goes by the new
/// configuration and none of them needs to be closed for it.
/// </summary>
internal sealed class ProcessorSlot : HttpStreamProcessor
{
    private readonly ClusterTable _clusters;
    private HttpStreamProcessor _current;

    public ProcessorSlot(HttpStreamProcessor current, ClusterTable clusters)
    {
        _current = current;
        _clusters = clusters;
    }

    /// <summary>What new requests meet.</summary>
    public HttpStreamProcessor Current
    {
        get => Volatile.Read(ref _current);
        set => Volatile.Write(ref _current, value);
    }

    /// <inheritdoc/>
    public override ValueTask ProcessAsync(HttpServerStream stream)
    {
        // Before the configuration: clusters go after the routes that name them, so these are at least what the routes can name.
        stream.Clusters = _clusters.Current;
        return Current.ProcessAsync(stream);
    }

    /// <inheritdoc/>
    public override ValueTask RejectAsync(HttpServerStream stream, int status, string details) => Current.RejectAsync(stream, status, details);

    /// <inheritdoc/>
    public override void OnUnreadable(HttpServerStream stream, string details) => Current.OnUnreadable(stream, details);
}
