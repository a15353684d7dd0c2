using System.Net;
using System.Net.Quic;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.Versioning;
using System.Security.Authentication;
using Microsoft.Extensions.Logging;
using Nuncio.DataPlane.Http.Http3;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Tls;
using Nuncio.DataPlane.Transport.Quic;

namespace Nuncio.DataPlane.Listening;

/// <summary>A UDP port at which QUIC is spoken. A connection's filter chain is chosen, and with it the certificate, from what its first packet asks for.</summary>
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
internal sealed partial class QuicListenerSocket : ListenerSocket
{
    // Handshakes that are under way at once; more are refused until some are done.
    private const int Backlog = 512;

    // Control, QPACK encoder and decoder, and as many again that mean nothing (RFC 9114 section 6.2).
    private const int UnidirectionalStreams = 6;

    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(50);
    private static readonly List<SslApplicationProtocol> Protocols = [SslApplicationProtocol.Http3];

    private static readonly string[] Offered = ["h3"];

    private readonly ListenerEnvironment _environment;
    private readonly ConditionalWeakTable<QuicConnection, PendingQuicConnection> _pending = [];
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private QuicListener? _listener;
    private volatile bool _closed;

    private QuicListenerSocket(ListenAddress address, ListenerEnvironment environment)
        : base(address) => _environment = environment;

    /// <summary>Binds; null with the reason when that fails.</summary>
    public static QuicListenerSocket? Open(ListenAddress address, ListenerEnvironment environment, out string error)
    {
        var socket = new QuicListenerSocket(address, environment);
        try
        {
            // It only looks asynchronous: what it makes is there when it returns.
            var listen = QuicListener.ListenAsync(new QuicListenerOptions
            {
                ListenEndPoint = address.EndPoint,
                ApplicationProtocols = Protocols,
                ListenBacklog = Backlog,
                ConnectionOptionsCallback = socket.ChooseAsync,
            });
            socket._listener = listen.IsCompleted ? listen.Result : listen.AsTask().GetAwaiter().GetResult();
            error = "";
            return socket;
        }
        catch (Exception e) when (e is SocketException or QuicException or PlatformNotSupportedException or InvalidOperationException or ArgumentException)
        {
            error = BindFailure.Describe(address, e);
            return null;
        }
    }

    /// <inheritdoc/>
    public override void Start()
    {
        _started.TrySetResult();
        _ = AcceptAsync(_listener!);
    }

    /// <summary>No: the kernel gives packets, not connections, and those of one that is open must go on coming here.</summary>
    public override Task<bool> StandAsideAsync() => Task.FromResult(false);

    /// <summary>Stops taking new connections; those that are open go on.</summary>
    public override void Close()
    {
        _closed = true;
        _started.TrySetResult();
        _ = _listener!.DisposeAsync().AsTask();
    }

    private async ValueTask<QuicServerConnectionOptions> ChooseAsync(QuicConnection connection, SslClientHelloInfo hello, CancellationToken cancellationToken)
    {
        await _started.Task.WaitAsync(cancellationToken);
        if (_closed || Owner is not { } owner)
        {
            throw new AuthenticationException("Nobody listens any more.");
        }

        // Who cannot be served anyway costs no handshake; who is admitted is counted when it is done.
        if (!owner.HasRoom(_environment.IsEnding ? _environment.LateConnections : _environment.Connections))
        {
            throw new AuthenticationException("There are too many connections.");
        }

        var local = connection.LocalEndPoint.Unmapped();
        if (Address.EndPoint.AddressFamily == AddressFamily.InterNetwork && local.AddressFamily != AddressFamily.InterNetwork)
        {
            // MsQuic's sockets are of both families.
            throw new AuthenticationException("Nobody listens at addresses of IPv6.");
        }

        var remote = connection.RemoteEndPoint.Unmapped();
        var clusters = _environment.Clusters.Current;
        var model = owner.Model;
        var serverName = hello.ServerName.ToLowerInvariant();
        var chain = model.Chains.Find(new FilterChainInput
        {
            Local = local,
            Remote = remote,
            DirectRemote = remote,
            ServerName = serverName,
            IsTls = false,
            IsQuic = true,
            ApplicationProtocols = Offered,
        });
        if (chain is null)
        {
            owner.Metrics.NoFilterChainMatch.Increment();
            throw new AuthenticationException("No filter chain takes the connection.");
        }

        if (chain.Transport?.BeginQuic(serverName, owner.Metrics) is not { } handshake || model.Quic is not { } quic)
        {
            throw new AuthenticationException("There is no certificate for the connection.");
        }

        handshake.Options.ApplicationProtocols = Protocols;
        _pending.Add(connection, new PendingQuicConnection(owner, model, chain, clusters, handshake, serverName));
        var options = new QuicServerConnectionOptions
        {
            ServerAuthenticationOptions = handshake.Options,
            DefaultCloseErrorCode = (long)Http3ErrorCode.NoError,
            DefaultStreamErrorCode = (long)Http3ErrorCode.RequestCancelled,
            MaxInboundBidirectionalStreams = quic.MaxConcurrentStreams,
            MaxInboundUnidirectionalStreams = UnidirectionalStreams,
            IdleTimeout = quic.IdleTimeout,
            HandshakeTimeout = quic.HandshakeTimeout,
            KeepAliveInterval = (chain.Filter as HttpConnectionFilterModel)?.Http3.KeepaliveInterval ?? Timeout.InfiniteTimeSpan,
        };
        if (quic.InitialStreamWindowSize is { } window)
        {
            options.InitialReceiveWindowSizes.RemotelyInitiatedBidirectionalStream = window;
        }

        if (quic.InitialConnectionWindowSize is { } connectionWindow)
        {
            options.InitialReceiveWindowSizes.Connection = connectionWindow;
        }

        return options;
    }

    private async Task AcceptAsync(QuicListener listener)
    {
        while (!_closed)
        {
            try
            {
                Take(await listener.AcceptConnectionAsync());
            }
            catch (Exception) when (_closed)
            {
                return;
            }
            catch (Exception e) when (e is AuthenticationException or QuicException or OperationCanceledException or IOException)
            {
                // A handshake that failed; what failed in looking at a client's certificate is counted there.
                if (e is not AuthenticationException)
                {
                    Owner?.Metrics.SslConnectionError.Increment();
                }
            }
            catch (ObjectDisposedException)
            {
                return;
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                LogAcceptFailed(_environment.Logger, e, Address.StatName);
                await Task.Delay(RetryDelay, _environment.Timers.Time);
            }
        }
    }

    private void Take(QuicConnection connection)
    {
        var among = _environment.IsEnding ? _environment.LateConnections : _environment.Connections;
        if (_pending.TryGetValue(connection, out var pending) && _pending.Remove(connection) && pending.Owner.Admit(among) is { } count)
        {
            pending.Owner.Run(new DownstreamQuicConnection(connection, pending) { CountedIn = count });
        }
        else
        {
            _ = connection.DisposeAsync().AsTask();
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Accepting at {Address} (UDP) failed")]
    private static partial void LogAcceptFailed(ILogger logger, Exception exception, string address);
}

/// <summary>What was decided of a connection before its handshake.</summary>
internal sealed record PendingQuicConnection(
    ListenerState Owner, ListenerModel Model, FilterChainModel Chain, ClusterGeneration Clusters, QuicHandshake Handshake, string ServerName);
