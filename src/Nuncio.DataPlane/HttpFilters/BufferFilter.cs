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

        var body = await RequestBuffer.ReadAsync(exchange, limit, partial: false);
        if (body.IsGone)
        {
            return FilterOutcome.Responded;
        }

        if (body.IsTooLarge)
        {
            return await exchange.RespondAsync(LocalReplies.PayloadTooLarge);
        }

        if (!exchange.RequestHeaders.Contains(KnownHeader.ContentLength))
        {
            SetLength(exchange.RequestHeaders, body.Length);
        }

        return FilterOutcome.Continue;
    }

    private static void SetLength(HeaderMap headers, int length)
    {
        Span<byte> text = stackalloc byte[20];
        _ = Utf8Formatter.TryFormat(length, text, out var written);
        headers.Set(KnownHeader.ContentLength, text[..written]);
    }
}

/// <summary>The limit of a route.</summary>
/// <param name="MaxBytes">Instead of the filter's.</param>
public sealed record BufferRouteConfig(long MaxBytes);
