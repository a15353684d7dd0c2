using Nuncio.DataPlane.Errors;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Pipeline;

namespace Nuncio.DataPlane.HttpFilters;

/// <summary>Reads a request's body, or its beginning, for a filter that looks at it, and puts it back in front of the rest.</summary>
internal static class RequestBuffer
{
    /// <summary>Reads up to a limit.</summary>
    /// <param name="exchange">The request.</param>
    /// <param name="limit">The most bytes that are kept.</param>
    /// <param name="partial">A longer body is fine: its beginning will do.</param>
    public static async ValueTask<RequestBufferResult> ReadAsync(HttpExchange exchange, int limit, bool partial)
    {
        // Grown as bytes come: what a client announces is not what it sends.
        var body = new byte[Math.Min(16 * 1024, limit + 1)];
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

            if (length + read.Data.Length > limit && !partial)
            {
                return new RequestBufferResult(default, 0, false, IsGone: false, IsTooLarge: true);
            }

            if (length + read.Data.Length > body.Length)
            {
                Array.Resize(ref body, (int)Math.Max(Math.Min(body.Length * 2L, limit), length + read.Data.Length));
            }

            read.Data.CopyTo(body.AsMemory(length));
            length += read.Data.Length;
            if (read.EndStream || (partial && length >= limit))
            {
                exchange.RequestBody = new ReplayedBody(body.AsMemory(0, length), read.EndStream, source);
                exchange.RequestHasNoBody = read.EndStream && length == 0 && exchange.Downstream.RequestTrailers.Count == 0;
                return new RequestBufferResult(body.AsMemory(0, Math.Min(length, limit)), length, read.EndStream, IsGone: false, IsTooLarge: false);
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
