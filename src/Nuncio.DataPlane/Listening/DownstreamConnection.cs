using System.Net;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Pipeline;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Tls;
using Nuncio.DataPlane.Time;
using Nuncio.DataPlane.Transport;

namespace Nuncio.DataPlane.Listening;

/// <summary>
/// A client's connection from its acceptance on: what it is is read from its first bytes (PROXY protocol, ClientHello, HTTP), its filter chain is chosen,
/// TLS is shaken hands over, and the chain's network filter takes it.
/// </summary>
internal sealed class DownstreamConnection : ListenerConnection, IDeadlineOwner, IOpeningDeadline
{
    private static readonly string[] NoProtocols = [];
    private readonly TransportConnection _socket;
    private readonly LazyDeadline _deadline;
    private readonly PeekBuffer _peek = new();
    private ClusterGeneration? _clusters;
    private IPEndPoint _remote;
    private IPEndPoint _local;
    private string _serverName = "";
    private IReadOnlyList<string> _offered = NoProtocols;
    private bool _isTls;
    private volatile bool _handshaking;
    private TransportConnection? _encrypted;

    public DownstreamConnection(ListenerState listener, ListenerModel model, ClusterGeneration clusters, TransportConnection socket)
        : base(listener, model)
    {
        _clusters = clusters;
        _socket = socket;
        _deadline = new LazyDeadline(listener.Environment.Timers, this);
        _remote = socket.RemoteEndPoint;
        _local = socket.LocalEndPoint;
    }

    /// <inheritdoc/>
    protected override bool IsEndedByPeer => (_encrypted ?? _socket).IsEndedByPeer;

    void IDeadlineOwner.OnDeadline()
    {
        if (!IsServed)
        {
            (_handshaking ? Listener.Metrics.HandshakeTimeout : Listener.Metrics.DownstreamPreConnectionsTimeout).Increment();

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

    /// <inheritdoc/>
    protected override Task ServeAsync(NetworkSession session)
    {
        _deadline.Clear();

        // The session copies what was peeked before it first waits.
        var run = session.RunAsync();
        _peek.Release();
        return run;
    }

    /// <inheritdoc/>
    protected override ValueTask EndAsync()
    {
        _deadline.End();
        _socket.Abort();
        return default;
    }

    /// <inheritdoc/>
    protected override void AbortTransport() => _socket.Abort();

    /// <inheritdoc/>
    protected override async ValueTask<NetworkSession?> BeginAsync()
    {
        if (Model.InspectionTimeout > TimeSpan.Zero && (Model.InspectTls || Model.InspectHttp || Model.ProxyProtocol is not null))
        {
            _deadline.Set(Model.InspectionTimeout);
            if (!await InspectAsync())
            {
                if (_socket.IsEndedByPeer)
                {
                    Listener.Metrics.ListenerFilterRemoteClose.Increment();
                }

                return null;
            }

            _deadline.Clear();
        }

        if (Model.AccessLogs.Count > 0)
        {
            Describe(DescriptionOf(encrypted: null));
        }

        var chain = Model.Chains.Find(new FilterChainInput
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
            Listener.Metrics.NoFilterChainMatch.Increment();
            if (LogRecord is { } record)
            {
                record.Flags |= ResponseFlags.NoRouteFound;
                record.ResponseCodeDetails = "filter_chain_not_found";
            }

            return null;
        }

        if (!await TryJoinAsync(chain))
        {
            return null;
        }

        // Let go here: a connection may live for days.
        var clusters = _clusters!;
        _clusters = null;
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

        var connection = DescriptionOf(encrypted);
        Describe(connection);
        return await chain.Filter.BeginAsync(new AcceptedConnection
        {
            Transport = encrypted ?? _socket,
            Metrics = Listener.Metrics,
            Peek = _peek,
            Clusters = clusters,
            Opening = this,
            Connection = connection,
            Record = LogRecord,
        });
    }

    private DownstreamConnectionInfo DescriptionOf(TlsTransportConnection? encrypted) => new()
    {
        Id = Id,
        DirectRemoteAddress = _socket.RemoteEndPoint,
        RemoteAddress = _remote,
        LocalAddress = _local,
        HeaderSpelling = Model.HeaderSpelling,
        BufferLimit = Model.BufferLimit,
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

    private async ValueTask<TlsTransportConnection?> EncryptAsync(FilterChainModel chain, DownstreamTlsModel model)
    {
        _handshaking = true;
        _deadline.Set(chain.HandshakeTimeout);
        if (!await ReadHelloAsync(model) || await model.AcceptAsync(_socket, _peek.Take(), _serverName, CancellationToken.None, Listener.Metrics) is not { } encrypted)
        {
            return null;
        }

        _deadline.Clear();
        _handshaking = false;
        Listener.Metrics.CountHandshake(encrypted);
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
                Listener.Metrics.SslConnectionError.Increment();
                return false;
            }
        }

        return true;
    }

    private async ValueTask<bool> InspectAsync()
    {
        if (Model.ProxyProtocol is { } proxy && !await ReadProxyProtocolAsync(proxy))
        {
            return false;
        }

        if (Model.InspectTls && !await InspectTlsAsync())
        {
            return false;
        }

        return !Model.InspectHttp || _isTls || await InspectHttpAsync();
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
        var metrics = Listener.Metrics.TlsInspector;
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
}
