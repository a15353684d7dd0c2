using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Nuncio.DataPlane.Async;

namespace Nuncio.DataPlane.Transport;

/// <summary>
/// A TCP connection over <see cref="Socket"/>. Work goes on inline on the socket thread when the process is started with
/// <c>DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS=1</c>, so nothing above may block.
/// </summary>
public sealed class SocketTransportConnection : TransportConnection
{
    private readonly Socket _socket;
    private readonly SocketOperation _receive;
    private readonly SocketOperation _send;
    private int _closed;

    /// <summary>Takes over a connected socket.</summary>
    public SocketTransportConnection(Socket socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        _socket = socket;
        _receive = new SocketOperation(OnFinished);
        _send = new SocketOperation(OnFinished);
        RemoteEndPoint = Unmapped((IPEndPoint)socket.RemoteEndPoint!);
        LocalEndPoint = Unmapped((IPEndPoint)socket.LocalEndPoint!);
    }

    /// <inheritdoc/>
    public override IPEndPoint RemoteEndPoint { get; }

    /// <inheritdoc/>
    public override IPEndPoint LocalEndPoint { get; }

    /// <inheritdoc/>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer)
    {
        try
        {
            _receive.SetBuffer(buffer);
            _receive.Prepare();
            return _socket.ReceiveAsync(_receive) ? _receive.Pending : new ValueTask<int>(_receive.Finish());
        }
        catch (ObjectDisposedException)
        {
            return new ValueTask<int>(-1);
        }
    }

    /// <inheritdoc/>
    public override ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> buffer)
    {
        try
        {
            _send.SetBuffer(System.Runtime.InteropServices.MemoryMarshal.AsMemory(buffer));
            _send.Prepare();
            if (_socket.SendAsync(_send))
            {
                return FinishWriteAsync(buffer.Length);
            }

            // The socket sends all of it or fails: on a stream socket, a partial send goes on inside the operation.
            return new ValueTask<bool>(_send.Finish() == buffer.Length);
        }
        catch (ObjectDisposedException)
        {
            return new ValueTask<bool>(false);
        }
    }

    /// <inheritdoc/>
    public override ValueTask ShutdownWriteAsync()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The peer was faster; the reader sees it.
        }

        return default;
    }

    /// <inheritdoc/>
    public override void Abort()
    {
        if (Interlocked.Exchange(ref _closed, 1) == 0)
        {
            _socket.Dispose();
        }
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        NoteEndByUs();

        // .NET closes a socket with a receive pending by a reset, which takes back what the peer has not read yet, unless it was shut down before.
        if (Volatile.Read(ref _closed) == 0)
        {
            await ShutdownWriteAsync();
        }

        Abort();
    }

    // An empty read waits for bytes and an empty write does nothing: neither is an end.
    private void OnFinished(SocketOperation operation)
    {
        if ((operation.Outcome < 0 || (operation.Outcome == 0 && operation.Count > 0)) && Volatile.Read(ref _closed) == 0)
        {
            NoteEndByPeer();
        }
    }

    [AsyncMethodBuilder(typeof(PooledBuilder<>))]
    private async ValueTask<bool> FinishWriteAsync(int length) => await _send.Pending == length;
}
