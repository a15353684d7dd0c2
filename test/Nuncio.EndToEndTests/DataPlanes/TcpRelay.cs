using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Nuncio.EndToEndTests.DataPlanes;

/// <summary>Stands between two that talk over TCP, and can be cut.</summary>
internal sealed class TcpRelay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentBag<TcpClient> _open = [];
    private readonly Task _accepting;
    private volatile bool _isCut;

    public TcpRelay(int target)
    {
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync(target);
    }

    public int Port { get; }

    /// <summary>Closes what is open, and whatever comes, until <see cref="Mend"/>.</summary>
    public void Cut()
    {
        _isCut = true;
        foreach (var client in _open) client.Dispose();
    }

    public void Mend() => _isCut = false;

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        Cut();
        await _accepting.WaitAsync(Until.Limit);
    }

    private async Task AcceptAsync(int target)
    {
        try
        {
            while (true)
            {
                var from = await _listener.AcceptTcpClientAsync();
                _ = RelayAsync(from, target);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // Stopped.
        }
    }

    private async Task RelayAsync(TcpClient from, int target)
    {
        using var to = new TcpClient();
        _open.Add(from);
        _open.Add(to);
        try
        {
            if (!_isCut)
            {
                await to.ConnectAsync(IPAddress.Loopback, target);
                await Task.WhenAny(from.GetStream().CopyToAsync(to.GetStream()), to.GetStream().CopyToAsync(from.GetStream()));
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // Cut.
        }

        from.Dispose();
    }
}
