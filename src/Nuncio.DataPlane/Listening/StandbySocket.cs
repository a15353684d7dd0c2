using System.Net.Sockets;
using Nuncio.DataPlane.Binding;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Transport;

namespace Nuncio.DataPlane.Listening;

/// <summary>
/// A listening socket beside those of another program of the same user at the same address (SO_REUSEPORT). The kernel gives it no connection while the
/// other's are there, and every one from the moment that they are gone; an <see cref="EmbeddedProxy"/> that is made then serves it. Linux only.
/// </summary>
public sealed class StandbySocket : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Action _reached;
    private readonly List<Socket> _waiting = [];
    private CancellationTokenSource _watching = new();
    private Action<Socket>? _taker;
    private bool _isReached;
    private bool _isClosed;
    private (int First, int Count) _chosen;

    private StandbySocket(Socket socket, ListenAddress address, Action reached)
    {
        Socket = socket;
        Address = address;
        _reached = reached;
    }

    /// <summary>Where it listens.</summary>
    public ListenAddress Address { get; }

    /// <summary>How many sockets of others listen there; 0 where that cannot be known.</summary>
    public int Others => Math.Max(0, SharedPort.Listeners(Address.EndPoint) - 1);

    /// <summary>How many the kernel chooses among since the last <see cref="TryLeaveTo"/>; 0 before the first.</summary>
    public int Chosen => _chosen.Count;

    /// <summary>A connection has come to it, and nobody serves it.</summary>
    public bool IsReached
    {
        get
        {
            lock (_gate)
            {
                return _isReached && _taker is null;
            }
        }
    }

    internal Socket Socket { get; }

    /// <summary>How many sockets listen at an address; 0 where that cannot be known.</summary>
    public static int Listeners(ListenAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return SharedPort.Listeners(address.EndPoint);
    }

    /// <summary>The addresses of a listener that another program can have a socket at too: TCP ports with a number, not kept for one socket alone.</summary>
    public static IReadOnlyList<ListenAddress> AddressesOf(ListenerV3.Listener listener)
    {
        ArgumentNullException.ThrowIfNull(listener);
        return listener.EnableReusePort is false || listener.BindToPort is false ? []
            : [.. ListenerBinder.Addresses(listener, new BindErrors()).Where(static address => address.EndPoint.Port != 0 && !address.IsUdp)];
    }

    /// <summary>Opens one, behind all others that listen there; null with the reason when that fails.</summary>
    /// <param name="address">Where.</param>
    /// <param name="backlog">How many connections may wait.</param>
    /// <param name="others">How many sockets of others listen there, which are to get all connections.</param>
    /// <param name="reached">Told, on any thread, when a connection has come to it and nobody serves it.</param>
    /// <param name="error">The reason.</param>
    public static StandbySocket? Open(ListenAddress address, int backlog, int others, Action reached, out string error)
    {
        ArgumentNullException.ThrowIfNull(address);
        try
        {
            // The kernel can be told whom to give connections to only once this one is among those who get some.
            var socket = TcpListenerSocket.Listen(address, backlog, others > 0 ? static socket => SharedPort.TrySilence(socket) : null);
            var opened = new StandbySocket(socket, address, reached);
            if (others > 0 && !opened.TryLeaveTo(0, others))
            {
                socket.Dispose();
                error = "the kernel does not let a program choose who gets connections";
                return null;
            }

            SharedPort.EndSilence(socket);
            error = "";
            return opened;
        }
        catch (SocketException e)
        {
            error = e.Message;
            return null;
        }
    }

    /// <summary>
    /// Has the kernel give new connections to those of the other sockets that it numbers from <paramref name="first"/> on. Where it has no such number, it
    /// chooses among all. False when the kernel does not take that.
    /// </summary>
    public bool TryLeaveTo(int first, int count)
    {
        if (_chosen == (first, count))
        {
            return true;
        }

        if (!SharedPort.TryChooseAmong(Socket, first, count))
        {
            return false;
        }

        _chosen = (first, count);
        return true;
    }

    /// <summary>Begins to look for connections.</summary>
    public void Watch()
    {
        lock (_gate)
        {
            if (_isClosed || _taker is not null)
            {
                return;
            }

            _isReached = false;
            _watching = new CancellationTokenSource();
            _ = WatchAsync(_watching.Token);
        }
    }

    /// <summary>Closes it; while it is served, as soon as it is not any more.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isClosed = true;
            if (_taker is null)
            {
                Close();
            }
        }
    }

    /// <summary>Whoever accepts on the socket takes what came before too.</summary>
    internal void Serve(Action<Socket> take)
    {
        Socket[] waiting;
        lock (_gate)
        {
            _taker = take;
            _watching.Cancel();
            waiting = [.. _waiting];
            _waiting.Clear();
        }

        foreach (var accepted in waiting)
        {
            take(accepted);
        }
    }

    /// <summary>Nobody accepts on the socket any more.</summary>
    internal void Release()
    {
        lock (_gate)
        {
            if (_taker is null)
            {
                // A listener that was refused after all has served nobody: who waits here is still looked after.
                return;
            }

            _taker = null;
            if (_isClosed)
            {
                Close();
                return;
            }
        }

        Watch();
    }

    // Accepting one is the way to hear of the first; those behind it stay in the kernel's queue.
    private async Task WatchAsync(CancellationToken ended)
    {
        try
        {
            Keep(await Socket.AcceptAsync(ended));
        }
        catch (SocketException)
        {
            // Who serves the socket finds out what is the matter, and knows what to do.
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            return;
        }

        lock (_gate)
        {
            _isReached = true;
        }

        _reached();
    }

    private void Keep(Socket accepted)
    {
        Action<Socket>? taker;
        lock (_gate)
        {
            taker = _taker;
            if (taker is null && !_isClosed)
            {
                _waiting.Add(accepted);
                return;
            }
        }

        if (taker is null)
        {
            accepted.Dispose();
        }
        else
        {
            taker(accepted);
        }
    }

    private void Close()
    {
        _watching.Cancel();
        Socket.Dispose();
        _waiting.ForEach(static accepted => accepted.Dispose());
        _waiting.Clear();
    }
}
