using System.Collections.Immutable;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
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
    private readonly CancellationTokenSource _stopping = new();
    private EnvoyProcess? _process;
    private GrpcServer? _server;
    private Task _running = Task.CompletedTask;
    private Task _asking = Task.CompletedTask;
    private volatile bool _isLive;
    private volatile bool _wasServing;
    private long _appliedAt;

    public EnvoyPlane(EnvoyOptions options, ILoggerFactory loggers, TimeProvider time)
    {
        _options = options;
        _loggers = loggers;
        _time = time;
        _log = loggers.CreateLogger("nuncio.envoy");
        _ads = new AdsServer(AdsServerOptions.Default, loggers, time);
        _ads.Acks.Changed += Tell;
        _admin = new EnvoyAdmin(options.Admin);
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
        _running = _process.RunAsync(_stopping.Token);
        _asking = AskAsync();
        return null;
    }

    /// <inheritdoc/>
    public ValueTask<XdsAck> ApplyAsync(XdsSnapshot snapshot, CancellationToken cancellationToken)
    {
        Volatile.Write(ref _appliedAt, _time.GetTimestamp());
        return _ads.ApplyAsync(snapshot, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<ReadOnlyMemory<byte>?> MetricsAsync(CancellationToken cancellationToken)
    {
        var own = AdsMetricsWriter.Write(_ads.Acks);
        return await _admin.MetricsAsync(cancellationToken) is { } envoys ? (byte[])[.. envoys, .. own.Span] : own;
    }

    /// <inheritdoc/>
    public async Task DrainAsync(TimeSpan time, CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        if (_process is not { IsRunning: true } process) return;
        var began = _time.GetTimestamp();
        await _admin.DrainAsync(cancellationToken);
        while (_time.GetElapsedTime(began) < time && await _admin.OpenAsync(cancellationToken) is > 0)
            await Task.Delay(TimeSpan.FromMilliseconds(50), _time, cancellationToken);
        await process.StopAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        if (_process is not null) await _process.StopAsync();
        await _running;
        await _asking;
        if (_server is not null) await _server.DisposeAsync();
        _admin.Dispose();
        _stopping.Dispose();
    }

    // Envoy tells nobody when it is live; after that, only its end matters, which the ADS stream tells.
    private async Task AskAsync()
    {
        try
        {
            while (!_stopping.IsCancellationRequested)
            {
                var isLive = await _admin.IsReadyAsync(_stopping.Token);
                if (isLive != _isLive)
                {
                    _isLive = isLive;
                    Tell();
                }

                await Task.Delay(isLive ? TimeSpan.FromSeconds(1) : TimeSpan.FromMilliseconds(50), _time, _stopping.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }

    private void Tell() => Changed?.Invoke();

    [LoggerMessage(1, LogLevel.Information, "Data plane: {Program}, Envoy {Version}")]
    private partial void LogVersion(string program, string version);

    [LoggerMessage(2, LogLevel.Warning, "Envoy {Version} is too old: {Oldest} and later are supported, and what it does not know has no effect or is refused")]
    private partial void LogOld(string version, string oldest);
}
