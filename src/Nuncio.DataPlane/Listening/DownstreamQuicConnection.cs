using System.Net.Quic;
using System.Runtime.Versioning;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Http.Http3;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Tls;
using Nuncio.DataPlane.Transport.Quic;

namespace Nuncio.DataPlane.Listening;

/// <summary>A client's QUIC connection from the end of its handshake on.</summary>
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
internal sealed class DownstreamQuicConnection : ListenerConnection
{
    private readonly QuicConnection _connection;
    private readonly PlatformQuicConnection _transport;
    private PendingQuicConnection? _pending;

    public DownstreamQuicConnection(QuicConnection connection, PendingQuicConnection pending)
        : base(pending.Owner, pending.Model)
    {
        _connection = connection;
        _transport = new PlatformQuicConnection(connection);
        _pending = pending;
    }

    /// <inheritdoc/>
    protected override bool IsEndedByPeer => _transport.IsEndedByPeer;

    /// <inheritdoc/>
    protected override async ValueTask<NetworkSession?> BeginAsync()
    {
        // Let go here: a connection may live for days.
        var pending = _pending!;
        _pending = null;

        // What a client has sent already is not worked off while others wait to be accepted.
        await Task.Yield();

        // Whether one was asked for and verified is not left to the platform alone.
        if (pending.Handshake.Check is { } asked && !asked.ConfirmsNew())
        {
            return null;
        }

        if (!await TryJoinAsync(pending.Chain) || pending.Chain.Filter is not HttpConnectionFilterModel filter)
        {
            return null;
        }

        var check = pending.Handshake.Check;
        var remote = _connection.RemoteEndPoint.Unmapped();
        var connection = new DownstreamConnectionInfo
        {
            Id = Id,
            DirectRemoteAddress = remote,
            RemoteAddress = remote,
            LocalAddress = _connection.LocalEndPoint.Unmapped(),
            HeaderSpelling = Model.HeaderSpelling,
            BufferLimit = Model.BufferLimit,
            IsTls = true,
            ServerName = pending.ServerName,
            ApplicationProtocol = "h3",
            TlsVersion = "TLSv1.3",
            TlsCipher = CipherSuiteNames.NameOf(_connection.NegotiatedCipherSuite),
            PeerCertificate = check?.Certificate,
            PeerCertificateChain = check?.Chain,
            LocalCertificate = pending.Handshake.Certificate.Leaf,
            PeerCertificateValidated = check is { IsValidated: true },
        };
        Describe(connection);
        Listener.Metrics.CountHandshake(connection.TlsVersion, connection.TlsCipher, connection.PeerCertificate is not null);
        connection.HttpMetrics = Listener.Metrics.Http(filter.StatPrefix);
        return filter.BeginHttp3(_transport, connection, Model.Quic!.MaxConcurrentStreams);
    }

    /// <inheritdoc/>
    protected override Task ServeAsync(NetworkSession session) => session.RunAsync();

    /// <inheritdoc/>
    protected override ValueTask EndAsync() => _transport.CloseAsync((long)Http3ErrorCode.NoError, Listener.Environment.Timers.Time);

    /// <inheritdoc/>
    protected override void AbortTransport() => _transport.Close((long)Http3ErrorCode.NoError);

    /// <summary>Nothing: it is served at once, and its client learns by GOAWAY that it is late.</summary>
    protected override void DrainUnserved()
    {
    }
}
