using Nuncio.DataPlane.Pipeline;

namespace Nuncio.DataPlane.HttpFilters;

/// <summary>The place of envoy.filters.http.grpc_stats in the chain: lets everything pass.</summary>
public sealed class GrpcStatsFilter : HttpFilter
{
    /// <inheritdoc/>
    public override ValueTask<FilterOutcome> OnRequestAsync(HttpExchange exchange) => new(FilterOutcome.Continue);
}
