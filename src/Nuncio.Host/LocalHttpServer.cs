using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Http.Http1;
using Nuncio.DataPlane.Time;
using Nuncio.DataPlane.Transport;

namespace Nuncio.Host;

/// <summary>
/// A small HTTP/1.1 server of our own pages, on the data plane's codec: no second web server is started, and hostile input meets the same limits.
/// </summary>
public sealed partial class LocalHttpServer(IPEndPoint address, HttpStreamProcessor processor, ILoggerFactory loggers, TimeProvider time) : IAsyncDisposable
{
    // Whoever polls health or metrics needs a handful; more is a mistake or an attack.
    private const int MaxConnections = 256;

    // The older process that has the port leaves it when it is told to stop.
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(250);

    private readonly ILogger _log = loggers.CreateLogger<LocalHttpServer>();
    private readonly HashSet<Http1ServerConnection> _connections = [];
    private readonly TimerService _timers = new(time);
    private readonly CancellationTokenSource _stopping = new();
    private Socket? _socket;
    private Task? _accepting;
    private Task? _retrying;
    private volatile bool _left;
    private long _lastId;

    /// <summary>Where it listens; null before it is started.</summary>
    public IPEndPoint? EndPoint { get; private set; }

    /// <summary>
    /// Binds and begins to serve. False and a reason when the address cannot be bound; where it belongs to another process, it is served as soon as that one
    /// lets go of it.
    /// </summary>
    public bool TryStart(out string? error)
    {
        if (TryBind(out error, out var isTaken))
            return true;
        if (isTaken)
            _retrying = RetryAsync();
        return false;
    }

    /// <summary>Stops accepting, so that a newer process gets the address; what was accepted is answered.</summary>
    public void Leave()
    {
        _left = true;
        _socket?.Dispose();
    }

    private bool TryBind(out string? error, out bool isTaken)
    {
        isTaken = false;
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            // Not ReuseAddress: on Linux .NET makes SO_REUSEPORT of it too, and two processes would answer in turn.
            socket.Bind(address);
            socket.Listen(128);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            error = e.Message;
            isTaken = e.SocketErrorCode == SocketError.AddressAlreadyInUse;
            return false;
        }

        error = null;
        _socket = socket;
        EndPoint = (IPEndPoint)socket.LocalEndPoint!;
        _accepting = AcceptAsync(socket);
        return true;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        if (_retrying is { } retrying)
            await retrying;
        _socket?.Dispose();
        if (_accepting is { } accepting)
            await accepting;
        List<Http1ServerConnection> open;
        lock (_connections)
            open = [.. _connections];
        foreach (var connection in open)
            connection.Abort();
        _timers.Dispose();
        _stopping.Dispose();
    }

    private async Task RetryAsync()
    {
        try
        {
            while (true)
            {
                await Task.Delay(RetryDelay, time, _stopping.Token);
                if (TryBind(out _, out var isTaken))
                {
                    LogStarted(EndPoint!.ToString());
                    return;
                }

                if (!isTaken)
                    return;
            }
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }

    private async Task AcceptAsync(Socket listening)
    {
        while (!_stopping.IsCancellationRequested && !_left)
        {
            try
            {
                var socket = await listening.AcceptAsync(_stopping.Token);
                _ = ServeAsync(socket);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception) when (_left)
            {
                return;
            }
            catch (ObjectDisposedException)
            {
                return;
            }
            catch (SocketException e)
            {
                LogAcceptFailed(e.Message);
                await Task.Delay(TimeSpan.FromMilliseconds(50), time);
            }
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        Http1ServerConnection? connection = null;
        try
        {
            socket.NoDelay = true;
            var transport = new SocketTransportConnection(socket);
            var info = new DownstreamConnectionInfo
            {
                Id = Interlocked.Increment(ref _lastId),
                DirectRemoteAddress = transport.RemoteEndPoint,
                RemoteAddress = transport.RemoteEndPoint,
                LocalAddress = transport.LocalEndPoint,
            };
            connection = new Http1ServerConnection(transport, info, Http1ServerOptions.Default, processor, _timers);
            lock (_connections)
            {
                if (_connections.Count >= MaxConnections)
                {
                    transport.Abort();
                    return;
                }

                _connections.Add(connection);
            }

            await connection.RunAsync();
        }
        catch (Exception e)
        {
            LogConnectionFailed(e);
        }
        finally
        {
            if (connection is not null)
            {
                lock (_connections)
                    _connections.Remove(connection);
            }
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "A connection could not be accepted: {Reason}")]
    private partial void LogAcceptFailed(string reason);

    [LoggerMessage(3, LogLevel.Information, "Served on http://{EndPoint} now")]
    private partial void LogStarted(string endPoint);

    [LoggerMessage(2, LogLevel.Error, "A connection failed")]
    private partial void LogConnectionFailed(Exception exception);
}
