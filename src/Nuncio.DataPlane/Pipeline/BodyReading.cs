using Nuncio.DataPlane.Errors;
using Nuncio.DataPlane.Http;

namespace Nuncio.DataPlane.Pipeline;

/// <summary>
/// Reads a request body where the whole of it is waited for before the request goes on: a client that stops sending is answered 408 as it would be by the
/// router, which is not there yet to look after it.
/// </summary>
internal static class BodyReading
{
    // A timer may fire this much before the other clock says that its time is up.
    private const long TimerSlackMilliseconds = 16;

    /// <summary>The next piece; an error <see cref="StreamResetReason.Timeout"/> when the client is too slow.</summary>
    public static ValueTask<BodyRead> ReadAsync(HttpExchange exchange, IBodySource source)
    {
        var read = source.ReadBodyAsync();
        return read.IsCompletedSuccessfully ? read : WaitAsync(exchange, read);
    }

    /// <summary>Answers the request whose body could not be read.</summary>
    public static ValueTask<FilterOutcome> RespondFailedAsync(HttpExchange exchange, StreamResetReason error)
    {
        switch (error)
        {
            case StreamResetReason.Timeout:
                return exchange.RespondAsync(IsTooLate(exchange) ? LocalReplies.RequestTimeout : LocalReplies.StreamIdleTimeout);
            case StreamResetReason.ProtocolError when exchange.Downstream.Version >= HttpProtocolVersion.Http2:
                exchange.Flags |= ResponseFlags.DownstreamProtocolError;
                exchange.ResponseCodeDetails = LocalReplies.Http2MessagingDetails;
                exchange.Downstream.Reset(error);
                return new ValueTask<FilterOutcome>(FilterOutcome.Responded);
            case StreamResetReason.ProtocolError:
                return exchange.RespondAsync(LocalReplies.BadRequestBody);
            default:
                exchange.Flags |= ResponseFlags.DownstreamConnectionTermination;
                exchange.ResponseCodeDetails = LocalReplies.DownstreamDisconnectDetails;
                exchange.Downstream.Reset(error);
                return new ValueTask<FilterOutcome>(FilterOutcome.Responded);
        }
    }

    private static bool IsTooLate(HttpExchange exchange) =>
        exchange.ConnectionManager.RequestTimeout is { Ticks: > 0 } limit
            && exchange.ElapsedMilliseconds + TimerSlackMilliseconds >= (long)limit.TotalMilliseconds;

    private static async ValueTask<BodyRead> WaitAsync(HttpExchange exchange, ValueTask<BodyRead> read)
    {
        var limit = exchange.Forward?.IdleTimeout ?? exchange.ConnectionManager.StreamIdleTimeout;
        if (exchange.ConnectionManager.RequestTimeout is { Ticks: > 0 } whole)
        {
            var left = whole - TimeSpan.FromMilliseconds(exchange.ElapsedMilliseconds);
            left = left > TimeSpan.Zero ? left : TimeSpan.FromMilliseconds(1);
            limit = limit > TimeSpan.Zero && limit < left ? limit : left;
        }

        if (limit <= TimeSpan.Zero)
        {
            return await read;
        }

        using var timeout = new CancellationTokenSource(limit, exchange.Clock);
        BodyRead result;
        await using (timeout.Token.UnsafeRegister(static stream => ((HttpServerStream)stream!).StopReading(), exchange.Downstream))
        {
            result = await read;
        }

        return result.Error == StreamResetReason.LocalReset && timeout.IsCancellationRequested ? BodyRead.Failed(StreamResetReason.Timeout) : result;
    }
}
