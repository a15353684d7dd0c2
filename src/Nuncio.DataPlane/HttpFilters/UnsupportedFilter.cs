using Nuncio.DataPlane.Errors;
using Nuncio.DataPlane.Pipeline;

namespace Nuncio.DataPlane.HttpFilters;

/// <summary>Stands for a filter that the proxy does not have: answers 500, since a request may not go on as if the filter had let it pass.</summary>
public sealed class UnsupportedFilter : HttpFilter
{
    /// <inheritdoc/>
    public override ValueTask<FilterOutcome> OnRequestAsync(HttpExchange exchange)
    {
        ArgumentNullException.ThrowIfNull(exchange);
        return exchange.RespondAsync(LocalReplies.FilterNotSupported);
    }
}
