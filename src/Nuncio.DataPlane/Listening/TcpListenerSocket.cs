using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Transport;
using Nuncio.DataPlane.Transport.Epoll;

namespace Nuncio.DataPlane.Listening;

/// <summary>A TCP port that is listened at.</summary>
internal sealed partial class TcpListenerSocket : ListenerSocket
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(50);

    private readonly Socket _socket;
    private readonly ListenerEnvironment _environment;
    private readonly StandbySocket? _standby;
    private readonly CancellationTokenSource _closing = new();
    private EpollAcceptor? _acceptor;
    private PortProbe? _probe;
    private volatile bool _closed;

    private TcpListenerSocket(Socket socket, ListenAddress address, ListenerEnvironment environment, StandbySocket? standby = null)
        : base(address)
    {
        _socket = socket;
        _standby = standby;
        _environment = environment;
    }

    /// <summary>Binds and listens; null with the reason when that fails.</summary>
    public static new TcpListenerSocket? Open(ListenAddress address, int backlog, ListenerEnvironment environment, out string error)
    {
        if (environment.Standby is { } find)
        {
            var standby = find(address);
            error = standby is null ? $"there is no standby at '{address.EndPoint}'" : "";
            return standby is null ? null : new TcpListenerSocket(standby.Socket, address, environment, standby);
        }

        try
        {
            var socket = Listen(address, backlog);
            SharedPort.ForgetChoice(socket);
            error = "";
            return new TcpListenerSocket(socket, address, environment);
        }
        catch (SocketException e)
        {
            error = BindFailure.Describe(address, e);
            return null;
        }
    }

    /// <summary>Binds and listens, beside whoever of the same user does so there and allows it.</summary>
    /// <exception cref="SocketException">It cannot.</exception>
    public static Socket Listen(ListenAddress address, int backlog, Action<Socket>? prepare = null)
    {
        var socket = new Socket(address.EndPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (address.EndPoint.AddressFamily == AddressFamily.InterNetworkV6)
            {
                socket.DualMode = address.IsDualStack;
            }

            // What is accepted inherits it where loops of our own accept.
            socket.NoDelay = true;
            SharedPort.Share(socket);
            prepare?.Invoke(socket);
            socket.Bind(address.EndPoint);
            socket.Listen(backlog);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override void Start()
    {
        if (EpollLoops.IsSupported)
        {
            _acceptor = EpollAcceptor.Start(
                _socket, Take, error => LogAcceptFailed(_environment.Logger, Address.StatName, $"errno {error}"), _environment.Timers.Time);
        }

        if (_acceptor is null)
        {
            _ = AcceptAsync();
        }

        _standby?.Serve(Take);
    }

    private async Task AcceptAsync()
    {
        while (!_closed)
        {
            try
            {
                Take(await _socket.AcceptAsync(_closing.Token));
            }
            catch (Exception e) when (e is ObjectDisposedException or OperationCanceledException)
            {
                return;
            }
            catch (SocketException e) when (!_closed)
            {
                // Out of file descriptors, or the client was gone before we came: the socket itself is fine.
                LogAcceptFailed(_environment.Logger, Address.StatName, e.SocketErrorCode.ToString());
                await Task.Delay(RetryDelay, _environment.Timers.Time);
            }
            catch (SocketException)
            {
                return;
            }
        }
    }

    /// <inheritdoc/>
    public override async Task<bool> StandAsideAsync()
    {
        if (_standby is not null)
        {
            return false;
        }

        for (var other = SharedPort.Listeners(Address.EndPoint) - 1; other >= 0 && !_closed; other--)
        {
            // The kernel numbers the listeners in its own way; which one a number means shows who gets a connection.
            if (!SharedPort.TryChoose(_socket, other))
            {
                return false;
            }

            var probe = new PortProbe(Address.EndPoint, _environment.Timers.Time);
            Volatile.Write(ref _probe, probe);
            var isOurs = await probe.ReachesUsAsync();
            Volatile.Write(ref _probe, null);
            if (!isOurs)
            {
                return true;
            }

            SharedPort.ForgetChoice(_socket);
        }

        return false;
    }

    /// <summary>Stops accepting; connections that wait in the kernel's queue are still taken. A standby socket listens on.</summary>
    public override void Close()
    {
        _closed = true;
        _closing.Cancel();
        _acceptor?.Close();
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

        if (_standby is not null)
        {
            _standby.Release();
        }
        else
        {
            _socket.Dispose();
        }
    }

    private void Take(Socket accepted)
    {
        try
        {
            Take(new IncomingSocket(accepted));
        }
        catch (SocketException)
        {
            // Its address cannot be read: it is closed already.
            accepted.Dispose();
        }
    }

    private void Take(IncomingSocket accepted)
    {
        if ((Volatile.Read(ref _probe) is not { } probe || !probe.IsIt(accepted.Remote)) && Owner is { } owner)
        {
            owner.Accept(accepted);
        }
        else
        {
            accepted.Close();
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Accepting at {Address} failed: {Error}")]
    private static partial void LogAcceptFailed(ILogger logger, string address, string error);
}
