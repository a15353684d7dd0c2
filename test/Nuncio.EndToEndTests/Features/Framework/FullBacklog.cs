using System.Net;
using System.Net.Sockets;

namespace Nuncio.EndToEndTests.Features;

/// <summary>A port whose queue of connections is full: the kernel answers nobody who wants to connect.</summary>
internal sealed class FullBacklog : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly List<Socket> _clients = [];

    public FullBacklog()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(1);
        Port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
        for (var i = 0; i < 8; i++)
        {
            var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
            _clients.Add(client);
            try
            {
                client.Connect(IPAddress.Loopback, Port);
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
            {
                // On its way, or for ever.
            }
        }
    }

    public int Port { get; }

    public ValueTask DisposeAsync()
    {
        foreach (var client in _clients) client.Dispose();
        _listener.Dispose();
        return ValueTask.CompletedTask;
    }
}
