using System.Net;
using System.Net.Sockets;
using Nuncio.DataPlane.Transport.Epoll;

namespace Nuncio.DataPlane.Transport;

/// <summary>
/// A connection that was accepted and that nobody serves yet: a descriptor of ours, or the platform's socket. One of its methods is called, once.
/// </summary>
internal readonly struct IncomingSocket
{
    private readonly Socket? _socket;
    private readonly int _descriptor;

    /// <summary>A descriptor that does not block, of a listening socket whose connections send without delay.</summary>
    public IncomingSocket(int descriptor, IPEndPoint remote)
    {
        _descriptor = descriptor;
        Remote = remote;
    }

    /// <summary>A socket.</summary>
    /// <exception cref="SocketException">It is closed already.</exception>
    public IncomingSocket(Socket socket)
    {
        _socket = socket;
        Remote = (IPEndPoint)socket.RemoteEndPoint!;
    }

    /// <summary>The peer.</summary>
    public IPEndPoint Remote { get; }

    /// <summary>Makes a connection of it; null when it is broken or the system has no room for it: it is closed then.</summary>
    public TransportConnection? Adopt(TcpKeepAliveOptions? keepAlive)
    {
        var connection = _socket is null ? OfDescriptor(keepAlive) : OfSocket(_socket, keepAlive);
        if (connection is null)
        {
            Close();
        }

        return connection;
    }

    /// <summary>Ends it.</summary>
    public void Close()
    {
        if (_socket is null)
        {
            LinuxSockets.Close(_descriptor);
        }
        else
        {
            _socket.Dispose();
        }
    }

    private EpollTransportConnection? OfDescriptor(TcpKeepAliveOptions? keepAlive) =>
        keepAlive is null || LinuxSockets.TrySetKeepAlive(_descriptor, keepAlive) ? EpollTransportConnection.Of(_descriptor, Remote) : null;

    private static TransportConnection? OfSocket(Socket socket, TcpKeepAliveOptions? keepAlive)
    {
        try
        {
            socket.NoDelay = true;
            if (keepAlive is not null)
            {
                SocketTuning.SetKeepAlive(socket, keepAlive);
            }

            return SocketTransports.Adopt(socket);
        }
        catch (SocketException)
        {
            return null;
        }
    }
}
