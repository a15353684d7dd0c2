using System.Net;
using System.Threading.Channels;
using Nuncio.DataPlane.Transport;

namespace Nuncio.DataPlane.Tests.Http.Http2;

/// <summary>One end of a byte stream in memory. Writes take whole buffers and never wait, unless the other end is told to stop reading.</summary>
internal sealed class MemoryTransport : TransportConnection
{
    private readonly Channel<byte[]> _incoming = Channel.CreateUnbounded<byte[]>();
    private readonly TaskCompletionSource _aborted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private MemoryTransport _peer = null!;
    private ReadOnlyMemory<byte> _rest;
    private TaskCompletionSource? _blocked;
    private long _bytesRead;

    private MemoryTransport()
    {
    }

    public override IPEndPoint RemoteEndPoint { get; } = new(IPAddress.Loopback, 1);

    public override IPEndPoint LocalEndPoint => new(IPAddress.Loopback, LocalPort);

    public int LocalPort { get; set; } = 2;

    public bool IsAborted => _aborted.Task.IsCompleted;

    public override bool HasPeerHungUp => PeerHungUp;

    /// <summary>What <see cref="HasPeerHungUp"/> says.</summary>
    public bool PeerHungUp { get; set; }

    public int Writes { get; private set; }

    /// <summary>How many bytes of the other end were read.</summary>
    public long BytesRead => Volatile.Read(ref _bytesRead);

    /// <summary>The number of the write that was said to be the last; 0 for none.</summary>
    public int LastWrite { get; private set; }

    public static (MemoryTransport One, MemoryTransport Other) CreatePair()
    {
        var one = new MemoryTransport();
        var other = new MemoryTransport { _peer = one };
        one._peer = other;
        return (one, other);
    }

    /// <summary>From now on writes wait, as with a peer that does not read, until <see cref="Unblock"/>.</summary>
    public void Block() => _blocked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Unblock()
    {
        var blocked = _blocked;
        _blocked = null;
        blocked?.SetResult();
    }

    /// <summary>Everything that has been written by the other end and not read yet.</summary>
    public byte[] Received()
    {
        var all = new List<byte>(_rest.ToArray());
        _rest = default;
        while (_incoming.Reader.TryRead(out var bytes)) all.AddRange(bytes);
        return [.. all];
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer)
    {
        while (_rest.IsEmpty)
        {
            var next = _incoming.Reader.WaitToReadAsync().AsTask();
            if (await Task.WhenAny(next, _aborted.Task) != next) return -1;
            if (!await next) return IsAborted ? -1 : 0;
            if (_incoming.Reader.TryRead(out var bytes)) _rest = bytes;
        }

        var length = Math.Min(buffer.Length, _rest.Length);
        _rest[..length].CopyTo(buffer);
        _rest = _rest[length..];
        Interlocked.Add(ref _bytesRead, length);
        return length;
    }

    public override async ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> buffer)
    {
        var copy = buffer.ToArray();
        if (_blocked is { } blocked && await Task.WhenAny(blocked.Task, _aborted.Task) != blocked.Task) return false;
        Writes++;
        return !IsAborted && _peer._incoming.Writer.TryWrite(copy);
    }

    public override void EndWithNextWrite() => LastWrite = Writes + 1;

    public override ValueTask ShutdownWriteAsync()
    {
        _peer._incoming.Writer.TryComplete();
        return default;
    }

    public override void Abort()
    {
        _aborted.TrySetResult();
        _incoming.Writer.TryComplete();
        _peer._incoming.Writer.TryComplete();
    }

    public override ValueTask DisposeAsync()
    {
        Abort();
        return default;
    }
}
