using System.Net;

namespace Nuncio.DataPlane.Transport;

/// <summary>
/// A connected byte stream, plain or TLS, of either side of the proxy. Reads and writes may overlap, each one at a time. Failures are
/// results, not exceptions: a read of 0 bytes is the peer's end, -1 a broken connection.
/// </summary>
public abstract class TransportConnection : IAsyncDisposable
{
    private const int ByPeer = 1;
    private const int ByUs = 2;

    private int _ended;

    /// <summary>The peer ended or broke it before we did, and a read or write has noticed.</summary>
    public virtual bool IsEndedByPeer => Volatile.Read(ref _ended) == ByPeer;

    /// <summary>
    /// All that the peer has sent is read, and it sends nothing more. Costs nothing as long as nobody has said so; false also where nothing is known.
    /// </summary>
    public virtual bool HasPeerHungUp => false;

    /// <summary>The peer.</summary>
    public abstract IPEndPoint RemoteEndPoint { get; }

    /// <summary>Our side.</summary>
    public abstract IPEndPoint LocalEndPoint { get; }

    /// <summary>
    /// Reads at least one byte. An empty <paramref name="buffer"/> waits without one until a read may find something, the peer's end included, and returns 0
    /// then; that read may have to wait after all. Returns the count, 0 at the peer's end, -1 when the connection is broken or aborted.
    /// </summary>
    public abstract ValueTask<int> ReadAsync(Memory<byte> buffer);

    /// <summary>Writes all of it. False when the connection is broken or aborted.</summary>
    public abstract ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> buffer);

    /// <summary>
    /// The next write is the last one, and <see cref="DisposeAsync"/> or <see cref="ShutdownWriteAsync"/> follows: what says so to the peer (close_notify with TLS)
    /// can leave together with it.
    /// </summary>
    public virtual void EndWithNextWrite()
    {
    }

    /// <summary>Sends the end of our direction (FIN, and close_notify with TLS); reading goes on.</summary>
    public abstract ValueTask ShutdownWriteAsync();

    /// <summary>It is going to end whatever the peer does, unless the peer was first: only <see cref="IsEndedByPeer"/> goes by it.</summary>
    public virtual void NoteEndByUs() => Interlocked.CompareExchange(ref _ended, ByUs, 0);

    /// <summary>Ends it at once, from any thread; pending reads and writes return.</summary>
    public abstract void Abort();

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();

    /// <summary>A read or write found the peer's end, or that the connection is broken.</summary>
    private protected void NoteEndByPeer() => Interlocked.CompareExchange(ref _ended, ByPeer, 0);

    /// <summary>An IPv4 address where a socket of both families shows one as IPv6.</summary>
    private protected static IPEndPoint Unmapped(IPEndPoint point) =>
        point.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(point.Address.MapToIPv4(), point.Port) : point;
}
