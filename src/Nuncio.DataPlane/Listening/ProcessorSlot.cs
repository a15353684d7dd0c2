using Nuncio.DataPlane.Http;

namespace Nuncio.DataPlane.Listening;

/// <summary>
/// The processor of a filter chain, whatever configuration it is from: connections keep the slot, so that their next request goes by the new
/// configuration and none of them needs to be closed for it.
/// </summary>
internal sealed class ProcessorSlot : HttpStreamProcessor
{
    private HttpStreamProcessor _current;

    public ProcessorSlot(HttpStreamProcessor current) => _current = current;

    /// <summary>What new requests meet.</summary>
    public HttpStreamProcessor Current
    {
        get => Volatile.Read(ref _current);
        set => Volatile.Write(ref _current, value);
    }

    /// <inheritdoc/>
    public override ValueTask ProcessAsync(HttpServerStream stream) => Current.ProcessAsync(stream);

    /// <inheritdoc/>
    public override ValueTask RejectAsync(HttpServerStream stream, int status, string details) => Current.RejectAsync(stream, status, details);
}
