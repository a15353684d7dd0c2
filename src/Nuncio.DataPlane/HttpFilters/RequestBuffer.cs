using Nuncio.DataPlane.Errors;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Pipeline;

namespace Nuncio.DataPlane.HttpFilters;

/// <summary>Reads a request's body, or its beginning, for a filter that looks at it, and puts it back in front of the rest.</summary>
internal static class RequestBuffer
{
    private const int FirstBytes = 4096;

    /// <summary>Reads up to a limit.</summary>
    /// <param name="exchange">The request.</param>
    /// <param name="limit">The most bytes that are kept.</param>
    /// <param name="partial">A longer body is fine: its beginning will do.</param>
    public static async ValueTask<RequestBufferResult> ReadAsync(HttpExchange exchange, long limit, bool partial)
    {
        limit = Math.Min(limit, Array.MaxLength);
        byte[] body = [];
        var length = 0;
        var source = exchange.RequestBody;
        while (true)
        {
            var read = await BodyReading.ReadAsync(exchange, source);
            if (read.Error != StreamResetReason.None)
            {
                await BodyReading.RespondFailedAsync(exchange, read.Error);
                return new RequestBufferResult(default, 0, false, IsGone: true, IsTooLarge: false);
            }

            if (read.Data.Length > limit - length && !partial)
            {
                return new RequestBufferResult(default, 0, false, IsGone: false, IsTooLarge: true);
            }

            if (read.Data.Length > body.Length - length)
            {
                // Grown as bytes come: what a client announces is not what it sends. What comes at once in one piece gets what it needs.
                var needed = length + (long)read.Data.Length;
                var size = (int)(read.EndStream ? needed : Math.Max(needed, Math.Min(Math.Max(FirstBytes, body.Length * 2L), limit)));
                if (size > FirstBytes && !exchange.TryKeep(size - body.Length))
                {
                    exchange.Statistics?.DownstreamRequestsOverloadClose.Increment();
                    await exchange.RespondAsync(LocalReplies.Overloaded);
                    return new RequestBufferResult(default, 0, false, IsGone: true, IsTooLarge: false);
                }

                Array.Resize(ref body, size);
            }

            read.Data.CopyTo(body.AsMemory(length));
            length += read.Data.Length;
            if (read.EndStream || (partial && length >= limit))
            {
                exchange.RequestBody = new ReplayedBody(body.AsMemory(0, length), read.EndStream, source);
                exchange.RequestHasNoBody = read.EndStream && length == 0 && exchange.Downstream.RequestTrailers.Count == 0;
                return new RequestBufferResult(body.AsMemory(0, (int)Math.Min(length, limit)), length, read.EndStream, IsGone: false, IsTooLarge: false);
            }
        }
    }

    private sealed class ReplayedBody(ReadOnlyMemory<byte> kept, bool isAll, IBodySource rest) : IBodySource
    {
        private bool _replayed;

        public ValueTask<BodyRead> ReadBodyAsync()
        {
            if (_replayed)
            {
                return isAll ? new ValueTask<BodyRead>(BodyRead.End) : rest.ReadBodyAsync();
            }

            _replayed = true;
            return new ValueTask<BodyRead>(new BodyRead(kept, isAll));
        }
    }
}

/// <summary>What reading gave.</summary>
/// <param name="Kept">The body's beginning, up to the limit.</param>
/// <param name="Length">How much was read.</param>
/// <param name="IsComplete">That is all of it.</param>
/// <param name="IsGone">The client went away; the exchange is over.</param>
/// <param name="IsTooLarge">It is longer than the limit.</param>
internal readonly record struct RequestBufferResult(ReadOnlyMemory<byte> Kept, int Length, bool IsComplete, bool IsGone, bool IsTooLarge);
