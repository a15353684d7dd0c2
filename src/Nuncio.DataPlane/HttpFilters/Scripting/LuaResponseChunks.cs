using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Pipeline;

namespace Nuncio.DataPlane.HttpFilters.Scripting;

/// <summary>A response's body that goes by a script.</summary>
internal sealed class LuaResponseChunks(LuaStream script, IBodySink inner) : IFinishingBodySink
{
    /// <inheritdoc/>
    public async ValueTask WriteBodyAsync(ReadOnlyMemory<byte> data, bool endStream)
    {
        if (script.IsWaiting)
        {
            data = await script.OnChunkAsync(data, endStream, trailers: null);
            if (data.IsEmpty && !endStream)
            {
                return;
            }
        }

        await inner.WriteBodyAsync(data, endStream);
    }

    /// <inheritdoc/>
    public ValueTask FlushAsync() => inner.FlushAsync();

    /// <inheritdoc/>
    public ValueTask FinishAsync() => inner is IFinishingBodySink sink ? sink.FinishAsync() : default;

    /// <summary>Trailers follow the body.</summary>
    public void OnTrailers(HeaderMap trailers)
    {
        if (script.IsWaiting)
        {
            script.OnTrailers(trailers);
        }
    }

    /// <summary>The request is over.</summary>
    public void End() => script.End();
}
