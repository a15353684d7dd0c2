using System.Globalization;
using System.Text;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Pipeline;

namespace Nuncio.DataPlane.HttpFilters.Scripting;

/// <summary>A response whose script waits: for a call, or for the whole body.</summary>
internal sealed class LuaHeldResponse(LuaFilter filter, LuaMachine machine, LuaRun run, HttpExchange exchange, HeaderMap headers) : IHeldResponse
{
    private const int MaxBodyBytes = 1024 * 1024;

    private readonly MemoryStream _body = new();
    private LuaRunState _state = LuaRunState.Waiting;
    private bool _ended;
    private bool _hadChunk;

    /// <inheritdoc/>
    public ReadOnlyMemory<byte> Replacement => run.BodyChanged ? run.Body : default;

    /// <inheritdoc/>
    public async ValueTask<bool> OnHeadersAsync(bool endStream)
    {
        while (_state == LuaRunState.Waiting && (run.Request[0] is not ("body" or "chunk" or "trailers") || run.Body is not null || endStream))
        {
            await StepAsync(hasBody: false);
        }

        if (_state != LuaRunState.Waiting)
        {
            End();
        }

        return _state != LuaRunState.Waiting;
    }

    /// <inheritdoc/>
    public bool TryKeep(ReadOnlySpan<byte> data)
    {
        if (_body.Length + data.Length > Math.Min(MaxBodyBytes, exchange.Downstream.Connection.BufferLimit))
        {
            return false;
        }

        _body.Write(data);
        return true;
    }

    /// <inheritdoc/>
    public async ValueTask<ReadOnlyMemory<byte>> OnBodyAsync()
    {
        run.Body = _body.ToArray();
        while (_state == LuaRunState.Waiting)
        {
            await StepAsync(hasBody: run.Body.Length > 0);
        }

        End();
        return run.Body;
    }

    /// <inheritdoc/>
    public ReadOnlyMemory<byte> GiveUp()
    {
        if (!_ended)
        {
            _ended = true;
            machine.End(run);
            filter.Report(run, LuaRunState.Done, exchange.Downstream.Clusters);
        }

        return _body.ToArray();
    }

    private async ValueTask StepAsync(bool hasBody)
    {
        switch (run.Request[0])
        {
            case "call":
                var error = await filter.CallAsync(run.Request, exchange.Downstream, run, exchange.Downstream.Clusters);
                _state = machine.Resume(run, value: true, error);
                break;
            case "body":
                run.Body ??= run.Request[1] == "true" ? [] : null;
                _state = machine.Resume(run, hasBody || (run.Body is not null && run.Request[1] == "true"), error: null);
                break;
            case "chunk":
                // The response waited, so its body comes in one piece.
                _state = machine.Resume(run, hasBody && !_hadChunk, error: null);
                _hadChunk = true;
                break;
            case "trailers":
                _state = machine.Resume(run, value: false, error: null);
                break;
            default:
                _state = machine.Resume(run, value: false, "respond not currently supported in the response path");
                break;
        }
    }

    private void End()
    {
        _ended = true;
        filter.Report(run, _state, exchange.Downstream.Clusters);
        if (run.BodyChanged)
        {
            headers.Set(KnownHeader.ContentLength, Encoding.ASCII.GetBytes(run.Body!.Length.ToString(CultureInfo.InvariantCulture)));
        }
    }
}
