using System.Net;
using System.Net.Sockets;

namespace Nuncio.DataPlane.Transport.Epoll;

/// <summary>Connects sockets that a loop waits for.</summary>
internal static class EpollConnector
{
    /// <summary>Connects a new socket, which this owns. Gives up with the token by <see cref="OperationCanceledException"/>.</summary>
    /// <exception cref="SocketException">It cannot be connected.</exception>
    public static async ValueTask<TransportConnection> ConnectAsync(Socket socket, IPEndPoint remote, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        socket.Blocking = false;
        var result = LinuxSockets.Connect((int)socket.SafeHandle.DangerousGetHandle(), remote);
        if (result < 0 && result != -LinuxSockets.InProgress)
        {
            throw new SocketException((int)ErrorOf(-result));
        }

        var connection = EpollTransportConnection.Connecting(socket, remote) ?? throw new SocketException((int)SocketError.NoBufferSpaceAvailable);
        await using (cancellationToken.UnsafeRegister(static state => ((EpollTransportConnection)state!).Abort(), connection))
        {
            if (await connection.WaitUntilConnectedAsync() && Outcome(socket) is var outcome)
            {
                if (outcome == SocketError.Success)
                {
                    return connection;
                }

                connection.Abort();
                throw new SocketException((int)outcome);
            }
        }

        cancellationToken.ThrowIfCancellationRequested();
        throw new SocketException((int)SocketError.ConnectionAborted);
    }

    private static SocketError Outcome(Socket socket)
    {
        try
        {
            return (SocketError)(int)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)!;
        }
        catch (ObjectDisposedException)
        {
            return SocketError.OperationAborted;
        }
    }

    // Of <asm-generic/errno.h>: what connect(2) says at once.
    private static SocketError ErrorOf(int error) => error switch
    {
        1 or 13 => SocketError.AccessDenied,
        98 => SocketError.AddressAlreadyInUse,
        97 => SocketError.AddressFamilyNotSupported,
        99 => SocketError.AddressNotAvailable,
        101 => SocketError.NetworkUnreachable,
        110 => SocketError.TimedOut,
        111 => SocketError.ConnectionRefused,
        113 => SocketError.HostUnreachable,
        _ => SocketError.SocketError,
    };
}
