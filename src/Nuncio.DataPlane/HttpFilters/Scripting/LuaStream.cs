using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Pipeline;

namespace Nuncio.DataPlane.HttpFilters.Scripting;

/// <summary>A script that looks at a body piece by piece (bodyChunks, trailers) while the headers have gone on.</summary>
internal sealed class LuaStream(LuaFilter filter, LuaMachine machine, LuaRun run, HttpExchange exchange)
{
    private LuaRunState _state = LuaRunState.Waiting;
    private bool _ended;

    /// <summary>The script still waits for something.</summary>
    public bool IsWaiting => _state == LuaRunState.Waiting && !_ended;

    /// <summary>A piece has come.</summary>
    /// <param name="data">The piece.</param>
    /// <param name="isLast">No other comes.</param>
    /// <param name="trailers">With the last: the trailers, which may be none.</param>
    /// <returns>What goes on in its place; of the script where it changed it.</returns>
    public async ValueTask<ReadOnlyMemory<byte>> OnChunkAsync(ReadOnlyMemory<byte> data, bool isLast, HeaderMap? trailers)
    {
        run.SetChunk(data.ToArray());
        var isNew = true;
        while (IsWaiting)
        {
            switch (run.Request[0])
            {
                case "chunk" when isNew:
                    isNew = false;
                    _state = machine.Resume(run, value: true, error: null);
                    break;
                case "call":
                    var error = await filter.CallAsync(run.Request, exchange.Downstream, run, exchange.Downstream.Clusters);
                    _state = machine.Resume(run, value: true, error);
                    break;
                case "chunk" or "trailers" when !isLast:
                    return Changed(data);
                case "chunk" or "trailers":
                    OnEnd(trailers);
                    break;
                default:
                    Refuse();
                    break;
            }
        }

        Finish();
        return Changed(data);
    }

    /// <summary>The body has ended.</summary>
    /// <param name="trailers">The trailers; null for none.</param>
    public void OnEnd(HeaderMap? trailers)
    {
        run.Trailers = trailers;
        while (IsWaiting && run.Request[0] is "chunk" or "trailers")
        {
            _state = machine.Resume(run, run.Request[0] == "trailers" && trailers is { Count: > 0 }, error: null);
        }
    }

    /// <summary>Trailers go on: nothing can be waited for any more.</summary>
    public void OnTrailers(HeaderMap trailers)
    {
        OnEnd(trailers);
        while (IsWaiting)
        {
            Refuse();
            OnEnd(trailers);
        }

        Finish();
    }

    /// <summary>The request is over, however far the script came.</summary>
    public void End()
    {
        if (!_ended)
        {
            _ended = true;
            machine.End(run);
            filter.Report(run, _state, exchange.Downstream.Clusters);
        }
    }

    private void Refuse() => _state = machine.Resume(run, value: false, run.Request[0] switch
    {
        "body" => "cannot call body() after body has been streamed",
        "respond" => "respond() cannot be called if headers have been continued",
        _ => "this cannot be waited for any more",
    });

    private void Finish()
    {
        if (_state != LuaRunState.Waiting)
        {
            End();
        }
    }

    private ReadOnlyMemory<byte> Changed(ReadOnlyMemory<byte> data) => run.BodyChanged ? run.Body : data;
}
