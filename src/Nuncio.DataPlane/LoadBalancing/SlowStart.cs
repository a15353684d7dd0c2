using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Time;

namespace Nuncio.DataPlane.LoadBalancing;

/// <summary>
/// Gives endpoints that have just become healthy less than their weight, growing over a window (Envoy, "Slow start mode"):
/// the weight times max((elapsed / window) ^ (1 / aggression), minimum).
/// </summary>
internal sealed class SlowStart(SlowStartModel model, TimerService timers)
{
    private readonly long _window = Math.Max(1, (long)model.Window.TotalMilliseconds);

    /// <summary>The part of its weight that an endpoint has now, above 0 and at most 1.</summary>
    public double Factor(EndpointState endpoint)
    {
        var elapsed = timers.NowMilliseconds - endpoint.HealthySince;
        if (elapsed >= _window || endpoint.Health != EndpointHealth.Healthy)
        {
            return 1;
        }

        var part = (double)Math.Max(1, elapsed) / _window;
        return Math.Max(model.Aggression == 1 ? part : Math.Pow(part, 1 / model.Aggression), model.MinimumWeight);
    }

    /// <summary>Milliseconds until the last of the endpoints has its whole weight; 0 where all have.</summary>
    public long Left(IReadOnlyList<EndpointState> endpoints)
    {
        var left = 0L;
        var now = timers.NowMilliseconds;
        for (var i = 0; i < endpoints.Count; i++)
        {
            if (endpoints[i].Health == EndpointHealth.Healthy)
            {
                left = Math.Max(left, endpoints[i].HealthySince + _window - now);
            }
        }

        return left;
    }

    /// <summary>Endpoints that are healthy for the first time begin their window now.</summary>
    public void Begin(EndpointState endpoint)
    {
        if (endpoint.Health == EndpointHealth.Healthy)
        {
            endpoint.BeginHealthy(timers.NowMilliseconds, again: false);
        }
    }
}
