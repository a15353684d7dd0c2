using Microsoft.Extensions.Logging;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Telemetry;
using Nuncio.DataPlane.Time;

namespace Nuncio.DataPlane.Binding;

/// <summary>Where listeners meet the HTTP pipeline: binds connection managers and route configurations.</summary>
internal sealed class HttpBinding : IDisposable
{
    private readonly ClusterTable _clusters;
    private readonly RouteConfigurationTable _routes;
    private readonly TimerService _timers;
    private readonly MetricsRegistry _metrics;
    private readonly ILoggerFactory _loggers;

    public HttpBinding(ClusterTable clusters, RouteConfigurationTable routes, TimerService timers, MetricsRegistry metrics, ILoggerFactory loggers)
    {
        _clusters = clusters;
        _routes = routes;
        _timers = timers;
        _metrics = metrics;
        _loggers = loggers;
    }

    /// <summary>A connection manager as a network filter; null with errors when it cannot be used.</summary>
    public NetworkFilterModel? BindConnectionManager(HcmV3.HttpConnectionManager message, string path, BindErrors errors)
    {
        _ = (_clusters, _routes, _timers, _metrics, _loggers, message);
        errors.Add(path, "HTTP is not served yet.");
        return null;
    }

    /// <summary>A route configuration of RDS; null with errors when it cannot be used.</summary>
    public RouteConfigurationModel? BindRouteConfiguration(RouteV3.RouteConfiguration message, string path, BindErrors errors)
    {
        _ = (_clusters, message);
        errors.Add(path, "HTTP is not served yet.");
        return null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
