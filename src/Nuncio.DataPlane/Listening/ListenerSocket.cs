using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Transport;

namespace Nuncio.DataPlane.Listening;

/// <summary>
/// A bound address. It outlives the listener that it was opened for when the next configuration has one at the same address, so no connection
/// attempt is lost in between.
/// </summary>
internal sealed partial class ListenerSocket
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(50);

    private readonly Socket _socket;
    private readonly ListenerEnvironment _environment;
    private ListenerState? _owner;
    private volatile bool _closed;

    private ListenerSocket(Socket socket, ListenAddress address, ListenerEnvironment environment)
    {
        _socket = socket;
        Address = address;
        _environment = environment;
    }

    public ListenAddress Address { get; }

    /// <summary>Whom connections go to; null closes them.</summary>
    public ListenerState? Owner
    {
        get => Volatile.Read(ref _owner);
        set => Volatile.Write(ref _owner, value);
    }

    /// <summary>Binds and listens; null with the reason when that fails.</summary>
    public static ListenerSocket? Open(ListenAddress address, int backlog, ListenerEnvironment environment, out string error)
    {
        var socket = new Socket(address.EndPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (address.EndPoint.AddressFamily == AddressFamily.InterNetworkV6)
            {
                socket.DualMode = address.IsDualStack;
            }

            SocketTuning.SetReusePort(socket);
            socket.Bind(address.EndPoint);
            socket.Listen(backlog);
            error = "";
            return new ListenerSocket(socket, address, environment);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            error = $"cannot bind '{address.EndPoint}': {e.Message}";
            return null;
        }
    }

    /// <summary>Accepts until closed.</summary>
    public async Task AcceptAsync()
    {
        while (!_closed)
        {
            try
            {
                Take(await _socket.AcceptAsync());
            }
            catch (ObjectDisposedException)
            {
                return;
            }
            catch (SocketException e) when (!_closed)
            {
                // Out of file descriptors, or the client was gone before we came: the socket itself is fine.
                LogAcceptFailed(_environment.Logger, Address.StatName, e.SocketErrorCode);
                await Task.Delay(RetryDelay, _environment.Timers.Time);
            }
            catch (SocketException)
            {
                return;
            }
        }
    }

    /// <summary>Stops accepting; connections that wait in the kernel's queue are still taken.</summary>
    public void Close()
    {
        _closed = true;
        try
        {
            while (_socket.Poll(0, SelectMode.SelectRead))
            {
                Take(_socket.Accept());
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // Nothing is waiting.
        }

        _socket.Dispose();
    }

    private void Take(Socket accepted)
    {
        try
        {
            if (Owner is { } owner)
            {
                owner.Accept(accepted);
            }
            else
            {
                accepted.Dispose();
            }
        }
        catch (SocketException)
        {
            // Its options cannot be set, or its addresses read: it is closed already.
            accepted.Dispose();
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Accepting at {Address} failed: {Error}")]
    private static partial void LogAcceptFailed(ILogger logger, string address, SocketError error);
}
