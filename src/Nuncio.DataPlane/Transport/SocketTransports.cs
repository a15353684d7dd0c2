using System.Net.Sockets;
using Nuncio.DataPlane.Transport.Epoll;

namespace Nuncio.DataPlane.Transport;

/// <summary>Makes connections of sockets, with the engine of this process.</summary>
public static class SocketTransports
{
    /// <summary>Takes over an accepted socket.</summary>
    /// <exception cref="SocketException">It is closed already, or the system has no room for it.</exception>
    public static TransportConnection Adopt(Socket socket) =>
        EpollLoops.IsSupported ? EpollTransportConnection.Of(socket) : new SocketTransportConnection(socket);
}
