using System.Net.Sockets;

namespace Nuncio.DataPlane.Transport;

/// <summary>Socket options that both directions set.</summary>
internal static class SocketTuning
{
    // <asm-generic/socket.h>; .NET's ReuseAddress sets SO_REUSEADDR too, which we leave to Bind.
    private const int SolSocket = 1;
    private const int SoReusePort = 15;

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

    /// <summary>Lets a newer process listen on the same port before the older one stops (Linux only; elsewhere nothing happens).</summary>
    public static void SetReusePort(Socket socket)
    {
        if (OperatingSystem.IsLinux())
        {
            socket.SetRawSocketOption(SolSocket, SoReusePort, BitConverter.GetBytes(1));
        }
    }
}
