using System.Collections.Immutable;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Nuncio.DataPlane.Overload;
using Nuncio.Grpc.Server;
using Nuncio.Xds;
using Nuncio.Xds.Bootstrap;
using Nuncio.XdsServer;

namespace Nuncio.Host.Planes.LocalEnvoy;

/// <summary>An Envoy that this process starts, watches, feeds over a Unix socket, and ends.</summary>
internal sealed partial class EnvoyPlane : IGatewayPlane
{
    /// <summary>How long a change may be under way before readiness fails for it.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly EnvoyOptions _options;
    private readonly ILoggerFactory _loggers;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly AdsServer _ads;
    private readonly EnvoyAdmin _admin;
    private readonly EnvoyStandby? _standby;
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stopping = new();
    private TaskCompletionSource _ending = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private EnvoyProcess? _process;
    private GrpcServer? _server;
    private Task _running = Task.CompletedTask;
    private Task _asking = Task.CompletedTask;
    private volatile bool _isLive;
    private volatile bool _wasServing;
    private long _appliedAt;

    /// <summary>An Envoy that is not started yet.</summary>
    /// <param name="options">Which.</param>
    /// <param name="overload">When the proxy that stands by for it takes no more work.</param>
    /// <param name="drainTime">How long connections to that have to end when Envoy is back.</param>
    /// <param name="loggers">For what is to be said.</param>
    /// <param name="time">All time.</param>
    public EnvoyPlane(EnvoyOptions options, OverloadOptions overload, TimeSpan drainTime, ILoggerFactory loggers, TimeProvider time)
    {
        _options = options;
        _loggers = loggers;
        _time = time;
        _log = loggers.CreateLogger("nuncio.envoy");
        _ads = new AdsServer(AdsServerOptions.Default, loggers, time);
        _ads.Acks.Changed += Tell;
        _admin = new EnvoyAdmin(options.Admin);
        if (options.Standby && OperatingSystem.IsLinux()) _standby = new EnvoyStandby(Look, options.Admin, overload, drainTime, loggers, time);
    }

    /// <inheritdoc/>
    public event Action? Changed;

    /// <inheritdoc/>
    public bool IsServing
    {
        get
        {
            if (!_isLive || _process is not { IsRunning: true } || _ads.Snapshot is not { } snapshot) return false;
            if (_ads.Acks.HasAccepted(snapshot.Revision)) return _wasServing = true;

            // A change that is on its way is no reason to send traffic elsewhere.
            return _wasServing && _time.GetElapsedTime(Volatile.Read(ref _appliedAt)) < Patience;
        }
    }

    /// <inheritdoc/>
    public bool HasAccepted(long revision) => _isLive && _ads.Acks.HasAccepted(revision);

    /// <inheritdoc/>
    public bool IsProven(long revision) => HasAccepted(revision);

    /// <inheritdoc/>
    public bool OutlivesProcess => true;

    /// <inheritdoc/>
    public ImmutableArray<XdsRejection> Rejections => _ads.Acks.Rejections;

    /// <inheritdoc/>
    public async Task<string?> StartAsync(CancellationToken cancellationToken)
    {
        var (version, problem) = await EnvoyVersion.AskAsync(_options.Program, cancellationToken);
        if (version is null) return problem;
        LogVersion(_options.Program, version.ToString());
        if (version < EnvoySupport.Oldest) LogOld(version.ToString(), EnvoySupport.Oldest.ToString());
        if (EnvoyFolder.Open(_options, out problem) is not { } folder) return problem;
        var bootstrap = new AdsBootstrapOptions
        {
            SocketPath = folder.Socket,
            AdminAddress = _options.Admin.Address.ToString(),
            AdminPort = (uint)_options.Admin.Port,
        };
        if (folder.WriteBootstrap(bootstrap) is { } unwritten) return unwritten;
        try
        {
            _server = await GrpcServer.StartAsync(
                new GrpcServerOptions
                {
                    Address = new UnixDomainSocketEndPoint(folder.Socket),
                    MaxReceiveMessageLength = 16 * 1024 * 1024,
                    MaxConnections = 16,
                    Time = _time,
                },
                _ads.AddTo(new GrpcServiceTable()), _loggers, cancellationToken);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            return $"ADS cannot be served on {folder.Socket}: {e.Message}";
        }

        _process = new EnvoyProcess(_options, folder, _loggers, _time);
        _process.Ended += OnEnded;
        _running = _process.RunAsync(_stopping.Token);
        _asking = AskAsync();
        return null;
    }

    /// <inheritdoc/>
    public async ValueTask<XdsAck> ApplyAsync(XdsSnapshot snapshot, CancellationToken cancellationToken)
    {
        Volatile.Write(ref _appliedAt, _time.GetTimestamp());
        var ack = await _ads.ApplyAsync(snapshot, cancellationToken);
        _standby?.Look();
        return ack;
    }

    /// <inheritdoc/>
    public async Task<ReadOnlyMemory<byte>?> MetricsAsync(CancellationToken cancellationToken)
    {
        var own = AdsMetricsWriter.Write(_ads.Acks);
        ReadOnlyMemory<byte>? data = await _admin.MetricsAsync(cancellationToken) is { } envoys ? envoys : _standby?.ProxyMetrics();
        return (byte[])[.. (data ?? default).Span, .. own.Span, .. (_standby?.Metrics() ?? default).Span];
    }

    /// <inheritdoc/>
    public async Task DrainAsync(TimeSpan time, CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        var standby = _standby is null ? Task.CompletedTask : await _standby.LeaveAsync(time, cancellationToken);
        await DrainEnvoyAsync(time, cancellationToken);
        await standby;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        if (_standby is not null) await _standby.DisposeAsync();
        if (_process is not null) await _process.StopAsync();
        await _running;
        await _asking;
        if (_server is not null) await _server.DisposeAsync();
        _admin.Dispose();
        _stopping.Dispose();
    }

    private async Task DrainEnvoyAsync(TimeSpan time, CancellationToken cancellationToken)
    {
        if (_process is not { IsRunning: true } process) return;
        var began = _time.GetTimestamp();
        await _admin.DrainAsync(cancellationToken);
        while (_time.GetElapsedTime(began) < time && await _admin.OpenAsync(cancellationToken) is > 0)
            await Task.Delay(TimeSpan.FromMilliseconds(50), _time, cancellationToken);
        await process.StopAsync();
    }

    // Envoy tells nobody when it is live; after that, only its end matters.
    private async Task AskAsync()
    {
        var (wasLive, isSaid) = (false, false);
        long? silentSince = null;
        try
        {
            while (!_stopping.IsCancellationRequested)
            {
                Task ending;
                lock (_gate) ending = _ending.Task;
                var isLive = await _admin.IsReadyAsync(_stopping.Token);

                // What an Envoy said that has ended since does not count.
                bool isNews;
                lock (_gate)
                {
                    isNews = !ending.IsCompleted && isLive != _isLive;
                    if (isNews) _isLive = isLive;
                }

                if (isNews) Tell();
                if (isLive && isSaid) LogAnswers();
                if (ending.IsCompleted || isLive) (wasLive, silentSince, isSaid) = (isLive, null, false);
                else if (wasLive && !isSaid && _time.GetElapsedTime(silentSince ??= _time.GetTimestamp()) >= TimeSpan.FromSeconds(1))
                {
                    isSaid = true;
                    LogSilent();
                }

                await Task.WhenAny(ending, Task.Delay(isLive ? TimeSpan.FromSeconds(1) : TimeSpan.FromMilliseconds(50), _time, _stopping.Token));
                _stopping.Token.ThrowIfCancellationRequested();
            }
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }

    private void OnEnded()
    {
        lock (_gate)
        {
            _isLive = false;
            _ending.SetResult();
            _ending = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        _standby?.OnEnded();
        Tell();
    }

    private EnvoyView Look()
    {
        var isRunning = _process is { IsRunning: true };
        var snapshot = _ads.Snapshot;
        return new EnvoyView(snapshot, isRunning && snapshot is not null && HasAccepted(snapshot.Revision), Rejections);
    }

    private void Tell()
    {
        _standby?.Look();
        Changed?.Invoke();
    }

    [LoggerMessage(1, LogLevel.Information, "Data plane: {Program}, Envoy {Version}")]
    private partial void LogVersion(string program, string version);

    [LoggerMessage(2, LogLevel.Warning, "Envoy {Version} is too old: {Oldest} and later are supported, and what it does not know has no effect or is refused")]
    private partial void LogOld(string version, string oldest);

    [LoggerMessage(
        3, LogLevel.Warning, "Envoy runs, but does not say any more on its administration interface that it is live: this gateway is not ready until it does")]
    private partial void LogSilent();

    [LoggerMessage(4, LogLevel.Information, "Envoy is live again")]
    private partial void LogAnswers();
}
