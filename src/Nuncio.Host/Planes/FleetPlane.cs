using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Nuncio.Grpc.Server;
using Nuncio.Xds;
using Nuncio.XdsServer;

namespace Nuncio.Host.Planes;

/// <summary>Envoys and remote proxies that were started elsewhere: only ADS is served.</summary>
internal sealed partial class FleetPlane(AdsOptions options, ILoggerFactory loggers, TimeProvider time) : IGatewayPlane
{
    private readonly AdsServer _ads = new(AdsServerOptions.Default, loggers, time);
    private readonly ILogger _log = loggers.CreateLogger("nuncio.ads");
    private GrpcServer? _server;
    private AdsCertificates? _certificates;

    /// <inheritdoc/>
    public event Action? Changed
    {
        add => _ads.Acks.Changed += value;
        remove => _ads.Acks.Changed -= value;
    }

    /// <summary>A control plane is ready when it has something to serve, whoever asks for it.</summary>
    public bool IsServing => _ads.Snapshot is not null;

    /// <inheritdoc/>
    public bool HasAccepted(long revision) => _ads.Snapshot?.Revision >= revision;

    /// <summary>One of the fleet has taken it. A fleet of which nobody is there proves nothing, nor does it refuse anything.</summary>
    public bool IsProven(long revision)
    {
        var clients = _ads.Acks.Clients;
        return clients.Count == 0 ? HasAccepted(revision) : clients.Any(client => client.Revision >= revision);
    }

    /// <inheritdoc/>
    public bool OutlivesProcess => true;

    /// <inheritdoc/>
    public ImmutableArray<XdsRejection> Rejections => _ads.Acks.Rejections;

    /// <inheritdoc/>
    public async Task<string?> StartAsync(CancellationToken cancellationToken)
    {
        if (options.Tls is null && !IPAddress.IsLoopback(options.Address.Address))
            return $"ADS on {options.Address} needs mutual TLS, because private keys travel on it: give --xds-certificate, --xds-key and --xds-client-ca";
        if (options.Tls is { } tls)
        {
            _certificates = AdsCertificates.Read(tls, out var problem);
            if (problem is not null) return problem;
        }

        try
        {
            _server = await GrpcServer.StartAsync(
                new GrpcServerOptions
                {
                    Address = options.Address,
                    Certificate = _certificates?.Server,
                    Intermediates = _certificates?.Intermediates ?? [],
                    AcceptClientCertificate = _certificates is { } certificates ? certificates.Accepts : null,
                    MaxReceiveMessageLength = 16 * 1024 * 1024,
                    Time = time,
                },
                _ads.AddTo(new GrpcServiceTable()), loggers, cancellationToken);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            return $"ADS cannot be served on {options.Address}: {e.Message}";
        }

        LogServing(options.Address.Address.ToString(), _server.Port, _certificates is null ? "cleartext" : "mutual TLS");
        return null;
    }

    /// <inheritdoc/>
    public ValueTask<XdsAck> ApplyAsync(XdsSnapshot snapshot, CancellationToken cancellationToken) => _ads.ApplyAsync(snapshot, cancellationToken);

    /// <inheritdoc/>
    public Task<ReadOnlyMemory<byte>?> MetricsAsync(CancellationToken cancellationToken) =>
        Task.FromResult<ReadOnlyMemory<byte>?>(AdsMetricsWriter.Write(_ads.Acks));

    /// <summary>Clients go on with what they have, so nothing has to be waited for.</summary>
    public Task DrainAsync(TimeSpan time, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
        _certificates?.Dispose();
    }

    [LoggerMessage(1, LogLevel.Information, "ADS on {Address}:{Port} ({Security})")]
    private partial void LogServing(string address, int port, string security);
}
