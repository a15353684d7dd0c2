using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Nuncio.Testing;

/// <summary>Loopback ports that nothing listens on.</summary>
public static class FreePort
{
    private static readonly ConcurrentDictionary<int, bool> Given = new();

    /// <summary>
    /// A free TCP port, never the same twice: two gateways that got one would share its connections, since both listen with SO_REUSEPORT. Something else may
    /// take it before the caller does, which is rare.
    /// </summary>
    public static int Next()
    {
        while (true)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            var port = ((IPEndPoint)socket.LocalEndPoint!).Port;
            if (Given.TryAdd(port, true)) return port;
        }
    }
}
