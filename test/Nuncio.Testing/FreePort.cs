using System.Net;
using System.Net.Sockets;

namespace Nuncio.Testing;

/// <summary>Loopback ports that nothing listens on.</summary>
public static class FreePort
{
    /// <summary>A free TCP port. Something else may take it before the caller does; the kernel hands ports out in turn, so that is rare.</summary>
    public static int Next()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
