using System.Net;
using Microsoft.Extensions.Logging;
using Nuncio.DataPlane.AccessLogging;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Pipeline;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Telemetry;
using Nuncio.DataPlane.Tls;
using Nuncio.DataPlane.Time;
using Nuncio.DataPlane.Transport;

namespace Nuncio.DataPlane.Listening;

/// <summary>
/// A client's connection from its acceptance on: what it is is read from its first bytes (PROXY protocol, ClientHello, HTTP), its filter chain is chosen,
/// TLS is shaken hands over, and the chain's network filter takes it.
/// </summary>
internal sealed partial class DownstreamConnection : IDeadlineOwner, IOpeningDeadline
{
    private static readonly string[] NoProtocols = [];
    private static long lastId;

    private readonly ListenerState _listener;
    private readonly ListenerModel _model;
    private ClusterGeneration? _clusters;
    private readonly TransportConnection _socket;
    private readonly LazyDeadline _deadline;
    private readonly PeekBuffer _peek = new();
    private readonly long _opened;
    private readonly long _id;
    private IPEndPoint _remote;
    private IPEndPoint _local;
    private string _serverName = "";
    private IReadOnlyList<string> _offered = NoProtocols;
    private bool _isTls;
    private NetworkSession? _session;
    private volatile bool _endAnnounced;
    private volatile bool _handshaking;
    private ConnectionRecord? _record;
    private TransportConnection? _encrypted;
    private IReadOnlyList<ConnectionLimit> _limits = [];
    private int _counted;
    private volatile bool _draining;
    private HttpConnectionManagerMetrics? _http;
    private bool _countsAsTls;
    private DownstreamConnectionInfo? _described;

    public DownstreamConnection(ListenerState listener, ListenerModel model, ClusterGeneration clusters, TransportConnection socket)
    {
        _listener = listener;
        _model = model;
        _clusters = clusters;
        _socket = socket;
        _deadline = new LazyDeadline(listener.Environment.Timers, this);
        _opened = listener.Environment.Timers.NowMilliseconds;
        _id = Interlocked.Increment(ref lastId);
        _remote = socket.RemoteEndPoint;
        _local = socket.LocalEndPoint;
    }

    /// <summary>The key of the chain that it was given; null as long as it has none.</summary>
    public string? ChainKey { get; private set; }

    /// <summary>Serves until the end. Never fails.</summary>
    public async Task RunAsync()
    {
        var metrics = _listener.Metrics;
        try
        {
            if (await BeginAsync() is { } session)
            {
                _deadline.Clear();
                Volatile.Write(ref _session, session);
                Interlocked.MemoryBarrier();
                if (_endAnnounced)
                {
                    session.AnnounceEnd();
                }

                if (_draining)
                {
                    session.Drain();
                }

                // The session copies what was peeked before it first waits.
                var run = session.RunAsync();
                _peek.Release();
                await run;
            }
        }
        catch (Exception e)
        {
            LogFailed(_listener.Environment.Logger, e, _model.Name);
        }
        finally
        {
            _deadline.End();
            _http?.CountClosed(
                _countsAsTls, (_encrypted ?? _socket).IsEndedByPeer, _described?.EndedInRequest ?? false,
                _listener.Environment.Timers.NowMilliseconds - _opened);
            _socket.Abort();
            for (var i = 0; i < _counted; i++)
            {
                _limits[i].Remove();
            }

            _record?.Write(_model.AccessLogs);
            _listener.Remove(this);
            if (ChainKey is not null)
            {
                metrics.DownstreamConnectionsActive.Decrement();
                metrics.DownstreamConnectionsDestroy.Increment();
                metrics.DownstreamConnectionsLengthMilliseconds.Record(_listener.Environment.Timers.NowMilliseconds - _opened);
            }
        }
    }

    /// <summary>The client is told that the end is near, as soon as it speaks a protocol that can say so.</summary>
    public void AnnounceEnd()
    {
        _endAnnounced = true;
        Interlocked.MemoryBarrier();
        Volatile.Read(ref _session)?.AnnounceEnd();
    }

    /// <summary>No new requests.</summary>
    public void Drain()
    {
        _draining = true;
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _session) is { } session)
        {
            session.Drain();
        }
        else
        {
            _socket.Abort();
        }
    }

    /// <summary>Ends it now.</summary>
    public void Abort()
    {
        Volatile.Read(ref _session)?.Abort();
        _socket.Abort();
    }

    void IDeadlineOwner.OnDeadline()
    {
        if (Volatile.Read(ref _session) is null)
        {
            (_handshaking ? _listener.Metrics.HandshakeTimeout : _listener.Metrics.DownstreamPreConnectionsTimeout).Increment();

            _ = _socket.DisposeAsync().AsTask();
        }
    }

    void IOpeningDeadline.Set(TimeSpan limit)
    {
        if (limit > TimeSpan.Zero)
        {
            _deadline.Set(limit);
        }
        else
        {
            _deadline.Clear();
        }
    }

    private async ValueTask<NetworkSession?> BeginAsync()
    {
        if (_model.InspectionTimeout > TimeSpan.Zero && (_model.InspectTls || _model.InspectHttp || _model.ProxyProtocol is not null))
        {
            _deadline.Set(_model.InspectionTimeout);
            if (!await InspectAsync())
            {
                if (_socket.IsEndedByPeer)
                {
                    _listener.Metrics.ListenerFilterRemoteClose.Increment();
                }

                return null;
            }

            _deadline.Clear();
        }

        if (_model.AccessLogs.Count > 0)
        {
            Record(Describe(encrypted: null));
        }

        var chain = _model.Chains.Find(new FilterChainInput
        {
            Local = _local,
            Remote = _remote,
            DirectRemote = _socket.RemoteEndPoint,
            ServerName = _serverName,
            IsTls = _isTls,
            ApplicationProtocols = _offered,
        });
        if (chain is null)
        {
            _listener.Metrics.NoFilterChainMatch.Increment();
            if (_record is not null)
            {
                _record.Flags |= ResponseFlags.NoRouteFound;
                _record.ResponseCodeDetails = "filter_chain_not_found";
            }

            return null;
        }

        if (chain.Limits.Count > 0 && !await TryCountAsync(chain.Limits))
        {
            return null;
        }

        // Let go here: a connection may live for days.
        var clusters = _clusters!;
        _clusters = null;
        ChainKey = chain.Key;

        // As in Envoy a connection counts from here on.
        _listener.Metrics.DownstreamConnectionsTotal.Increment();
        _listener.Metrics.DownstreamConnectionsActive.Increment();
        _countsAsTls = chain.Transport is not null;
        _http = chain.Filter.HttpMetrics;
        _http?.CountOpened(_countsAsTls);
        TlsTransportConnection? encrypted = null;
        if (chain.Transport is { } transport)
        {
            encrypted = await EncryptAsync(chain, transport);
            if (encrypted is null)
            {
                return null;
            }

            _encrypted = encrypted;
        }

        var connection = _described = Describe(encrypted);
        if (_record is not null)
        {
            Record(connection);
        }

        return await chain.Filter.BeginAsync(new AcceptedConnection
        {
            Transport = encrypted ?? _socket,
            Metrics = _listener.Metrics,
            Peek = _peek,
            Clusters = clusters,
            Opening = this,
            Connection = connection,
            Record = _record,
        });
    }

    private DownstreamConnectionInfo Describe(TlsTransportConnection? encrypted) => new()
    {
        Id = _id,
        DirectRemoteAddress = _socket.RemoteEndPoint,
        RemoteAddress = _remote,
        LocalAddress = _local,
        HeaderSpelling = _model.HeaderSpelling,
        BufferLimit = _model.BufferLimit,
        IsTls = encrypted is not null,
        ServerName = _serverName,
        ApplicationProtocol = encrypted?.ApplicationProtocol ?? "",
        TlsVersion = encrypted?.Version ?? "",
        TlsCipher = encrypted?.Cipher ?? "",
        PeerCertificate = encrypted?.PeerCertificate,
        PeerCertificateChain = encrypted?.PeerChain,
        LocalCertificate = encrypted?.LocalCertificate,
        PeerCertificateValidated = encrypted?.IsPeerValidated ?? false,
    };

    private void Record(DownstreamConnectionInfo connection)
    {
        var clock = _listener.Environment.Timers.Time;
        _record = _record is null ? new ConnectionRecord(connection, clock) : new ConnectionRecord(connection, clock, _record.StartTimestamp, _record.StartTime);
    }

    private async ValueTask<bool> TryCountAsync(IReadOnlyList<ConnectionLimit> limits)
    {
        _limits = limits;
        foreach (var limit in limits)
        {
            if (!limit.TryAdd())
            {
                if (limit.Delay > TimeSpan.Zero)
                {
                    await Task.Delay(limit.Delay, _listener.Environment.Timers.Time);
                }

                return false;
            }

            _counted++;
        }

        return true;
    }

    private async ValueTask<TlsTransportConnection?> EncryptAsync(FilterChainModel chain, DownstreamTlsModel model)
    {
        _handshaking = true;
        _deadline.Set(chain.HandshakeTimeout);
        if (!await ReadHelloAsync(model) || await model.AcceptAsync(_socket, _peek.Take(), _serverName, CancellationToken.None, _listener.Metrics) is not { } encrypted)
        {
            return null;
        }

        _deadline.Clear();
        _handshaking = false;
        _listener.Metrics.CountHandshake(encrypted);
        return encrypted;
    }

    // What the client offers by ALPN decides whether it is answered at all; where nobody has looked at it yet, it is looked at here.
    private async ValueTask<bool> ReadHelloAsync(DownstreamTlsModel model)
    {
        if (!model.NeedsHello)
        {
            return true;
        }

        while (ClientHello.TryParse(_peek.Bytes.Span, out _) == ClientHelloOutcome.NeedMore)
        {
            if (!await _peek.ReadAsync(_socket))
            {
                _listener.Metrics.SslConnectionError.Increment();
                return false;
            }
        }

        return true;
    }

    private async ValueTask<bool> InspectAsync()
    {
        if (_model.ProxyProtocol is { } proxy && !await ReadProxyProtocolAsync(proxy))
        {
            return false;
        }

        if (_model.InspectTls && !await InspectTlsAsync())
        {
            return false;
        }

        return !_model.InspectHttp || _isTls || await InspectHttpAsync();
    }

    private async ValueTask<bool> ReadProxyProtocolAsync(ProxyProtocolModel proxy)
    {
        while (true)
        {
            switch (ProxyProtocolHeader.TryParse(_peek.Bytes.Span, proxy, out var header))
            {
                case ProxyProtocolOutcome.Found:
                    _peek.Consume(header.Length);
                    _remote = header.Source ?? _remote;
                    _local = header.Destination ?? _local;
                    return true;
                case ProxyProtocolOutcome.Absent:
                    return true;
                case ProxyProtocolOutcome.Invalid:
                    return false;
                default:
                    if (!await _peek.ReadAsync(_socket))
                    {
                        return false;
                    }

                    break;
            }
        }
    }

    private async ValueTask<bool> InspectTlsAsync()
    {
        var metrics = _listener.Metrics.TlsInspector;
        while (true)
        {
            switch (ClientHello.TryParse(_peek.Bytes.Span, out var hello))
            {
                case ClientHelloOutcome.Found:
                    _isTls = true;
                    _serverName = hello!.ServerName;
                    _offered = hello.ApplicationProtocols;
                    metrics.CountHello(_serverName.Length > 0, _offered.Count > 0);
                    return true;
                case ClientHelloOutcome.NotTls:
                    metrics.TlsNotFound.Increment();
                    return true;
                case ClientHelloOutcome.TooLarge:
                    metrics.ClientHelloTooLarge.Increment();
                    return false;
                default:
                    if (!await _peek.ReadAsync(_socket))
                    {
                        return false;
                    }

                    break;
            }
        }
    }

    private async ValueTask<bool> InspectHttpAsync()
    {
        while (true)
        {
            var protocol = HttpPreface.Inspect(_peek.Bytes.Span, out var needMore);
            if (!needMore)
            {
                _offered = protocol is null ? NoProtocols : [protocol];
                return true;
            }

            if (!await _peek.ReadAsync(_socket))
            {
                return false;
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A connection of listener {Listener} ended with a defect of ours")]
    private static partial void LogFailed(ILogger logger, Exception exception, string listener);
}
