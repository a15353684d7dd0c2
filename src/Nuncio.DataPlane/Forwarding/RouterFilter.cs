using Nuncio.DataPlane.Pipeline;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Time;

namespace Nuncio.DataPlane.Forwarding;

/// <summary>
/// The last filter of a chain: sends the request to an endpoint of its route's cluster and the response back, as Envoy's router filter does. What it
/// remembers of a request is a <see cref="ForwardState"/> that stays with the exchange from one request to the next.
/// </summary>
public sealed class RouterFilter : HttpFilter
{
    /// <summary>A router over a table of clusters.</summary>
    /// <param name="clusters">Where clusters are found.</param>
    /// <param name="timers">Timeouts.</param>
    /// <param name="options">The filter's configuration.</param>
    public RouterFilter(ClusterTable clusters, TimerService timers, RouterOptions options)
    {
        Clusters = clusters;
        Timers = timers;
        Options = options;
    }

    internal ClusterTable Clusters { get; }

    internal TimerService Timers { get; }

    internal RouterOptions Options { get; }

    /// <inheritdoc/>
    public override ValueTask<FilterOutcome> OnRequestAsync(HttpExchange exchange)
    {
        ArgumentNullException.ThrowIfNull(exchange);
        var state = exchange.RouterState as ForwardState;
        if (state == null || !state.Fits(this))
        {
            exchange.RouterState = state = new ForwardState(Timers);
        }

        return state.RunAsync(this, exchange);
    }
}
