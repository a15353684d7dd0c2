using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Pipeline;

namespace Nuncio.DataPlane.HttpFilters.Scripting;

/// <summary>A request's body that goes by a script.</summary>
internal sealed class LuaRequestChunks(LuaStream script, HttpExchange exchange, IBodySource inner) : IBodySource
{
    /// <inheritdoc/>
    public async ValueTask<BodyRead> ReadBodyAsync()
    {
        while (true)
        {
            var read = await inner.ReadBodyAsync();
            if (read.Error != StreamResetReason.None || !script.IsWaiting)
            {
                return read;
            }

            var data = await script.OnChunkAsync(read.Data, read.EndStream, read.EndStream ? exchange.Downstream.RequestTrailers : null);
            if (!data.IsEmpty || read.EndStream)
            {
                return new BodyRead(data, read.EndStream);
            }
        }
    }

    /// <summary>The request is over.</summary>
    public void End() => script.End();
}
