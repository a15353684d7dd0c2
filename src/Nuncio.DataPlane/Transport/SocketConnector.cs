using System.Net;
using System.Net.Sockets;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Transport.Epoll;

namespace Nuncio.DataPlane.Transport;

/// <summary>Connects with plain sockets.</summary>
public sealed class SocketConnector : TransportConnector
{
    private readonly TimeProvider _time;

    /// <summary>Measures connect timeouts with <paramref name="time"/>.</summary>
    public SocketConnector(TimeProvider time) => _time = time;

    /// <inheritdoc/>
    public override async ValueTask<TransportConnect> ConnectAsync(IPEndPoint remote, TransportConnectOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(remote);
        ArgumentNullException.ThrowIfNull(options);
        Socket? socket = null;
        using var timeout = new CancellationTokenSource(options.ConnectTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            socket = new Socket(remote.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            if (options.KeepAlive is { } keepAlive)
            {
                SocketTuning.SetKeepAlive(socket, keepAlive);
            }

            if (options.Source is { } source && source.AddressFamily == remote.AddressFamily)
            {
                socket.Bind(source);
            }

            if (EpollLoops.IsSupported)
            {
                return TransportConnect.Of(await EpollConnector.ConnectAsync(socket, remote, either.Token));
            }

            await socket.ConnectAsync(remote, either.Token);
            return TransportConnect.Of(new SocketTransportConnection(socket));
        }
        catch (OperationCanceledException)
        {
            socket?.Dispose();
            return cancellationToken.IsCancellationRequested
                ? new TransportConnect(null, StreamResetReason.LocalReset, "cancelled")
                : new TransportConnect(null, StreamResetReason.ConnectionTimeout, "connection timeout");
        }
        catch (SocketException e)
        {
            socket?.Dispose();
            return new TransportConnect(null, StreamResetReason.ConnectionFailure, "delayed connect error: " + e.Message);
        }
    }
}
