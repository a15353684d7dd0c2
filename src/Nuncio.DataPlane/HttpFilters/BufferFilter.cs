using System.Buffers.Text;
using Nuncio.DataPlane.Errors;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Pipeline;

namespace Nuncio.DataPlane.HttpFilters;

/// <summary>
/// Reads the whole request body before the request goes on, up to a limit (envoy.filters.http.buffer): upstreams get it with its length, at once.
/// </summary>
public sealed class BufferFilter : HttpFilter
{
    /// <summary>The most bytes; a longer body is answered 413.</summary>
    public required long MaxBytes { get; init; }

    /// <inheritdoc/>
    public override ValueTask<FilterOutcome> OnRequestAsync(HttpExchange exchange)
    {
        ArgumentNullException.ThrowIfNull(exchange);
        return exchange.RequestHasNoBody || exchange.IsUpgrade ? new ValueTask<FilterOutcome>(FilterOutcome.Continue) : ReadAsync(exchange);
    }

    private async ValueTask<FilterOutcome> ReadAsync(HttpExchange exchange)
    {
        var limit = exchange.FindFilterConfig(Name) is BufferRouteConfig route ? route.MaxBytes : MaxBytes;
        if (Utf8Parser.TryParse(exchange.RequestHeaders.Get(KnownHeader.ContentLength), out long announced, out _) && announced > limit)
        {
            return await exchange.RespondAsync(LocalReplies.PayloadTooLarge);
        }

        // Grown as bytes come: what a client announces is not what it sends.
        var body = new byte[Math.Min(16 * 1024, limit + 1)];
        var length = 0;
        var source = exchange.RequestBody;
        while (true)
        {
            var read = await BodyReading.ReadAsync(exchange, source);
            if (read.Error != StreamResetReason.None)
            {
                return await BodyReading.RespondFailedAsync(exchange, read.Error);
            }

            if (length + read.Data.Length > limit)
            {
                return await exchange.RespondAsync(LocalReplies.PayloadTooLarge);
            }

            if (length + read.Data.Length > body.Length)
            {
                Array.Resize(ref body, (int)Math.Min(limit, Math.Max(body.Length * 2L, length + read.Data.Length)));
            }

            read.Data.CopyTo(body.AsMemory(length));
            length += read.Data.Length;
            if (read.EndStream)
            {
                break;
            }
        }

        exchange.RequestBody = new BufferedBody(body.AsMemory(0, length));
        exchange.RequestHasNoBody = length == 0 && exchange.Downstream.RequestTrailers.Count == 0;
        if (!exchange.RequestHeaders.Contains(KnownHeader.ContentLength))
        {
            var text = new byte[20];
            _ = Utf8Formatter.TryFormat(length, text, out var written);
            exchange.RequestHeaders.Set(KnownHeader.ContentLength, text.AsSpan(0, written));
        }

        return FilterOutcome.Continue;
    }

    private sealed class BufferedBody(ReadOnlyMemory<byte> body) : IBodySource
    {
        public ValueTask<BodyRead> ReadBodyAsync() => new(new BodyRead(body, EndStream: true));
    }
}

/// <summary>The limit of a route.</summary>
/// <param name="MaxBytes">Instead of the filter's.</param>
public sealed record BufferRouteConfig(long MaxBytes);
