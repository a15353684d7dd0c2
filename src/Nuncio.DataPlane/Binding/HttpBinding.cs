using Microsoft.Extensions.Logging;
using Nuncio.DataPlane.AccessLogging;
using Nuncio.DataPlane.External;
using Nuncio.DataPlane.Listening;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Overload;
using Nuncio.DataPlane.Pipeline;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Telemetry;
using Nuncio.DataPlane.Time;
using Nuncio.DataPlane.Tracing;

namespace Nuncio.DataPlane.Binding;

/// <summary>Where listeners meet the HTTP pipeline: binds connection managers and route configurations.</summary>
internal sealed class HttpBinding : IAsyncDisposable
{
    private readonly ClusterTable _clusters;
    private readonly RouteConfigurationTable _routes;
    private readonly TimerService _timers;
    private readonly MetricsRegistry _metrics;
    private readonly ILogger _logger;
    private readonly OverloadState? _overload;
    private readonly AccessLogFiles _accessLogs = new();
    private readonly PerConfiguration<GrpcAccessLogger> _remoteLogs = new();
    private readonly PerConfiguration<TraceDriver> _tracers = new();
    private readonly RouteConfigurationBinder _routeBinder;
    private readonly HttpConnectionManagerBinder _binder;

    public HttpBinding(
        ClusterTable clusters, RouteConfigurationTable routes, TimerService timers, MetricsRegistry metrics, ILoggerFactory loggers,
        OverloadState? overload = null, bool refusesRoutesAlone = false)
    {
        _clusters = clusters;
        _routes = routes;
        _timers = timers;
        _metrics = metrics;
        _overload = overload;
        _logger = loggers.CreateLogger("nuncio.http");

        var calls = new UpstreamCalls(clusters, timers);

        // Every HTTP filter that the proxy has: one line each.
        var filters = new HttpFilterCatalog(
        [
            new BufferBinder(),
            new CompressorBinder(),
            new CorsBinder(),
            new ExtAuthzBinder(calls, metrics),
            new GrpcHttp1BridgeBinder(),
            new GrpcStatsBinder(clusters, metrics),
            new GrpcWebBinder(),
            new HealthCheckFilterBinder(clusters),
            new LuaBinder(calls, metrics, loggers.CreateLogger("nuncio.lua")),
            new RateLimitFilterBinder(calls, metrics),
            new RbacBinder(),
            new RouterBinder(clusters, timers),
        ]);
        _routeBinder = new RouteConfigurationBinder(filters) { Metrics = metrics, RefusesRoutesAlone = refusesRoutesAlone };
        AccessLogs = new AccessLogBinder(_accessLogs, new GrpcAccessLogBinder(_remoteLogs, calls, metrics));
        _binder = new HttpConnectionManagerBinder(filters, _routeBinder, AccessLogs, new TracingBinder(_tracers, calls, metrics));
    }

    /// <summary>How many log streams and trace drivers listeners have; for tests.</summary>
    internal (int Loggers, int Drivers) Services => (_remoteLogs.Count, _tracers.Count);

    /// <summary>Binds access logs, of whatever they are.</summary>
    public AccessLogBinder AccessLogs { get; }

    /// <summary>A connection manager as a network filter; null with errors when it cannot be used.</summary>
    public NetworkFilterModel? BindConnectionManager(HcmV3.HttpConnectionManager message, string path, BindErrors errors)
    {
        if (_binder.Bind(message, path, errors) is not { } model)
        {
            return null;
        }

        var routes = model.RouteConfigurationName is { } name ? _routes.Find(name) : new RouteConfigurationState { Current = model.RouteConfiguration };
        var metrics = new HttpConnectionManagerMetrics(_metrics, model.StatPrefix);
        return new HttpConnectionFilterModel(model, new HttpPipeline(model, routes, _timers.Time, metrics, _logger, _overload), _clusters, metrics, _timers);
    }

    /// <summary>A route configuration of RDS; null with errors when it cannot be used.</summary>
    public RouteConfigurationModel? BindRouteConfiguration(RouteV3.RouteConfiguration message, string path, BindErrors errors) =>
        _routeBinder.Bind(message, path, errors);

    /// <summary>Log streams and trace drivers that none of the listeners has any more end with the requests that still hold them.</summary>
    public void Trim(IReadOnlyList<ListenerModel> listeners)
    {
        var loggers = new HashSet<GrpcAccessLogger>();
        var drivers = new HashSet<TraceDriver>();
        foreach (var listener in listeners)
        {
            AddLoggers(listener.AccessLogs);
            foreach (var chain in listener.AllChains)
            {
                AddLoggers(chain.Filter.AccessLogs);
                if (chain.Filter.Tracing is { } tracing)
                {
                    drivers.Add(tracing.Driver);
                }
            }
        }

        _remoteLogs.Trim(loggers, static logger => logger.Retire());
        _tracers.Trim(drivers);

        void AddLoggers(IReadOnlyList<AccessLogModel> logs)
        {
            foreach (var log in logs)
            {
                if (log is GrpcAccessLogModel remote)
                {
                    loggers.Add(remote.Logger);
                }
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _remoteLogs.DisposeAsync();
        await _tracers.DisposeAsync();
        _accessLogs.Dispose();
    }
}
