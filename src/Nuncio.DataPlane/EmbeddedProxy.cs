using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Nuncio.DataPlane.Binding;
using Nuncio.DataPlane.Listening;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Overload;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Tcp;
using Nuncio.DataPlane.Telemetry;
using Nuncio.DataPlane.Time;
using Nuncio.DataPlane.Tls;
using Nuncio.DataPlane.Transport;
using Nuncio.DataPlane.Upstream;
using Nuncio.Xds;

namespace Nuncio.DataPlane;

/// <summary>
/// The proxy in this process. A snapshot is bound whole before any of it is in effect; what is refused keeps its last good content and stops nothing else;
/// what has not changed is not touched.
/// </summary>
public sealed class EmbeddedProxy : IXdsSnapshotSink, IAsyncDisposable
{
    private const string ClusterType = "type.googleapis.com/envoy.config.cluster.v3.Cluster";

    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly TimerService _timers;
    private readonly NameDirectory _names;
    private readonly SecretTable _secrets = new();
    private readonly ClusterTable _clusters;
    private readonly ClusterBinder _clusterBinder;
    private readonly RouteConfigurationTable _routes = new();
    private readonly HttpBinding _http;
    private readonly ListenerTable _listeners;
    private readonly OverloadMonitor _overload;
    private readonly ProcessMetrics _process;

    /// <summary>A proxy that listens nowhere yet.</summary>
    /// <param name="loggers">For what it has to say.</param>
    /// <param name="time">All time.</param>
    /// <param name="overload">When it takes no more work; null for the defaults.</param>
    /// <param name="standby">
    /// The sockets to listen on, for a proxy that stands by for another program; an address that it has none for is not served. Null: it opens its own.
    /// </param>
    /// <param name="refusesRoutesAlone">
    /// A route that cannot be bound is refused alone, and answers 500, instead of its whole route configuration: for whoever has no other way to tell the faulty
    /// route from the rest.
    /// </param>
    public EmbeddedProxy(
        ILoggerFactory loggers, TimeProvider time, OverloadOptions? overload = null, Func<ListenAddress, StandbySocket?>? standby = null,
        bool refusesRoutesAlone = false)
    {
        ArgumentNullException.ThrowIfNull(loggers);
        ArgumentNullException.ThrowIfNull(time);
        Metrics = new MetricsRegistry();
        _timers = new TimerService(time);
        _names = new NameDirectory(_timers, new SystemNameResolver(time));
        var transports = new SocketConnector(time);
        _clusters = new ClusterTable(new UpstreamEnvironment
        {
            Timers = _timers,
            Metrics = Metrics,
            Transports = transports,
            Connections = new ClientConnector(transports, time),
            Names = _names,
        });
        var upstreamTransports = new UpstreamTransports(_secrets, time);
        _clusterBinder = new ClusterBinder(upstreamTransports.Bind);
        overload ??= OverloadOptions.Default;
        var overloadMetrics = new OverloadMetrics(Metrics);
        var overloadState = new OverloadState(overload, overloadMetrics, loggers.CreateLogger("nuncio.overload"));
        _http = new HttpBinding(_clusters, _routes, _timers, Metrics, loggers, overloadState, refusesRoutesAlone);
        var environment = new ListenerEnvironment
        {
            Timers = _timers,
            Metrics = Metrics,
            Logger = loggers.CreateLogger("nuncio.listener"),
            Clusters = _clusters,
            Overload = overloadState,
            Standby = standby,
        };
        environment.Connections.Limit = overload.MaxConnections ?? environment.Connections.Limit;
        _overload = new OverloadMonitor(overload, overloadState, overloadMetrics, environment.Connections, time);
        _listeners = new ListenerTable(
            environment,
            new ListenerBinder(new FilterChainBinder(_http.BindConnectionManager, BindTcp, _secrets, Metrics, time), _http.AccessLogs));
        _process = new ProcessMetrics(Metrics, _clusters, _listeners, environment.Connections, _timers);
    }

    /// <summary>All statistics, under Envoy's names.</summary>
    public MetricsRegistry Metrics { get; }

    /// <summary>What binds connection managers; for tests.</summary>
    internal HttpBinding Http => _http;

    /// <summary>Another process listens on one of the ports too: a newer one that is to take over. Linux only.</summary>
    public bool IsReplaced => _listeners.IsShared;

    /// <summary>The names of the listeners that take connections: not those that were refused and never had a good version.</summary>
    public IEnumerable<string> OpenListeners => _listeners.Models.Select(static model => model.Name);

    /// <summary>
    /// What a new proxy would refuse of a configuration, a route that cannot be bound alone, whatever ports are taken. Nothing is opened, asked or sent.
    /// </summary>
    public static async Task<XdsAck> TryAsync(XdsSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        // A stand-by that no socket is handed to opens none.
        await using var proxy = new EmbeddedProxy(NullLoggerFactory.Instance, TimeProvider.System, standby: static _ => null, refusesRoutesAlone: true);
        var rejections = new List<XdsRejection>();
        proxy.Prepare(snapshot, rejections);
        return new XdsAck(snapshot.Revision, [.. rejections.Where(static rejection => rejection is not { FieldPath: "address", IsPartial: false })]);
    }

    /// <inheritdoc/>
    public async ValueTask<XdsAck> ApplyAsync(XdsSnapshot snapshot, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        await _gate.WaitAsync(cancellationToken);
        try
        {
            return Apply(snapshot);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>
    /// The end: listeners stop accepting, clients are told with the next answer, idle connections close a moment later, and what is open has
    /// <paramref name="time"/> to end by itself; then it is closed. With nothing open this completes at once. Where a newer process listens on the same ports,
    /// the kernel is told first to give new connections to it, and none of those that it gave to this one before is lost.
    /// </summary>
    public async ValueTask DrainAsync(TimeSpan time, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            _process.Drain();
            await _listeners.DrainAsync(time, cancellationToken);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await DrainAsync(TimeSpan.Zero, CancellationToken.None);
        _overload.Dispose();
        _clusters.Clear();
        await _http.DisposeAsync();
        _names.Dispose();
        _timers.Dispose();
        _gate.Dispose();
    }

    // New clusters exist before the routes that name them, and old ones until nothing does: a request meets one configuration or the other, whole.
    private XdsAck Apply(XdsSnapshot snapshot)
    {
        var rejections = new List<XdsRejection>();
        if (_process.IsDraining)
        {
            return new XdsAck(snapshot.Revision, []);
        }

        var (clusters, routes, listeners) = Prepare(snapshot, rejections);
        _clusters.Commit(clusters);
        _routes.Commit(routes);
        _listeners.Commit(listeners);
        _routes.Trim(routes);
        _clusters.Trim(clusters);
        _http.Trim(_listeners.Models);
        _process.OnApplied();
        return new XdsAck(snapshot.Revision, [.. rejections]);
    }

    private (ClusterTablePlan Clusters, IReadOnlyDictionary<string, RouteConfigurationModel> Routes, ListenerTablePlan Listeners) Prepare(
        XdsSnapshot snapshot, List<XdsRejection> rejections)
    {
        _secrets.Apply(snapshot.Secrets, rejections);
        var refused = new List<RefusedCluster>();
        var clusters = _clusters.Prepare(snapshot, _clusterBinder, refused);
        foreach (var cluster in refused)
        {
            rejections.AddRange(cluster.Errors.Select(error => new XdsRejection(ClusterType, cluster.Name, error.FieldPath, error.Message, error.IsPartial)));
        }

        return (clusters, _routes.Prepare(snapshot, _http.BindRouteConfiguration, rejections), _listeners.Prepare(snapshot, rejections));
    }

    private TcpProxyFilterModel? BindTcp(Envoy.Extensions.Filters.Network.TcpProxy.V3.TcpProxy message, string path, BindErrors errors) =>
        TcpProxyBinder.Bind(message, path, _http.AccessLogs, errors) is { } model ? new TcpProxyFilterModel(model, _clusters, _timers, Metrics) : null;
}
