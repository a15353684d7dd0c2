using System.Net.Sockets;

namespace Nuncio.DataPlane.Transport;

/// <summary>Socket options that both directions set.</summary>
internal static class SocketTuning
{
    /// <summary>Switches keep-alive probes on.</summary>
    public static void SetKeepAlive(Socket socket, TcpKeepAliveOptions options)
    {
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        if (options.Time is { } time)
        {
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, time);
        }

        if (options.Interval is { } interval)
        {
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, interval);
        }

        if (options.Probes is { } probes)
        {
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, probes);
        }
    }
}
