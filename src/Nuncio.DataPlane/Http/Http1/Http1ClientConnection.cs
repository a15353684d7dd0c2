using Nuncio.DataPlane.Transport;

namespace Nuncio.DataPlane.Http.Http1;

/// <summary>
/// An HTTP/1.1 connection to an upstream. Between requests a read is pending, so a connection that the upstream closes leaves the pool at once, and bytes
/// that nobody asked for close it: they would otherwise be taken for the answer to the next request.
/// </summary>
public sealed class Http1ClientConnection : HttpClientConnection, IHttp1InputObserver
{
    private const int Idle = 0;
    private const int Busy = 1;
    private const int Closed = 2;

    private readonly TransportConnection _transport;
    private readonly Http1ClientStream _stream;
    private int _state;
    private bool _draining;
    private int _reportedClosed;

    /// <summary>Takes over a connected transport.</summary>
    public Http1ClientConnection(TransportConnection transport, Http1ClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(transport);
        ArgumentNullException.ThrowIfNull(options);
        _transport = transport;
        Input = new Http1Input(transport, this);
        Output = new Http1Output(transport);
        _stream = new Http1ClientStream(this, options);
    }

    /// <inheritdoc/>
    public override HttpProtocolVersion Version => HttpProtocolVersion.Http11;

    /// <inheritdoc/>
    public override int AvailableStreams => Volatile.Read(ref _state) == Idle && !_draining ? 1 : 0;

    /// <inheritdoc/>
    public override int ActiveStreams => Volatile.Read(ref _state) == Busy ? 1 : 0;

    /// <inheritdoc/>
    public override bool IsClosing => _draining || Volatile.Read(ref _state) == Closed;

    /// <inheritdoc/>
    public override bool IsEndedByPeer => _transport.IsEndedByPeer;

    internal Http1Input Input { get; }

    internal Http1Output Output { get; }

    /// <inheritdoc/>
    public override HttpClientStream? OpenStream()
    {
        if (_draining || Interlocked.CompareExchange(ref _state, Busy, Idle) != Idle)
        {
            return null;
        }

        return _stream;
    }

    /// <inheritdoc/>
    public override void Drain()
    {
        _draining = true;
        if (Interlocked.CompareExchange(ref _state, Closed, Idle) == Idle)
        {
            CloseTransport();
        }
    }

    /// <inheritdoc/>
    public override void Close(StreamResetReason reason)
    {
        var before = Interlocked.Exchange(ref _state, Closed);
        if (before == Busy)
        {
            EndedInRequest |= reason != StreamResetReason.None;
            _stream.Fail(reason);
        }

        if (before != Closed)
        {
            CloseTransport();
        }
    }

    void IHttp1InputObserver.OnInputRead(int read)
    {
        // Whatever comes while idle, the connection is of no use any more: an end, or bytes that answer nothing.
        if (Interlocked.CompareExchange(ref _state, Closed, Idle) == Idle)
        {
            CloseTransport();
            return;
        }

        _stream.OnInputRead(read);
    }

    internal TransportConnection Transport => _transport;

    internal ValueTask ShutdownWriteAsync() => _transport.ShutdownWriteAsync();

    // The exchange is over; the stream says whether both messages were complete, and whether nothing is left over.
    internal void OnStreamReleased(bool complete, bool reusable)
    {
        EndedInRequest |= !complete;
        if (!reusable || _draining)
        {
            Close(StreamResetReason.None);
            return;
        }

        // The read for the next response is pending before anybody can open a stream; a read that is over by now has brought an end or unasked bytes.
        _stream.Begin();
        Input.ArmIdle();
        if (Interlocked.CompareExchange(ref _state, Idle, Busy) != Busy)
        {
            return;
        }

        if (Input.IsReadOver && Interlocked.CompareExchange(ref _state, Closed, Idle) == Idle)
        {
            CloseTransport();
            return;
        }

        Owner?.OnStreamsAvailable(this);
    }

    private void CloseTransport()
    {
        _transport.Abort();
        if (Interlocked.Exchange(ref _reportedClosed, 1) == 0)
        {
            Owner?.OnClosed(this);
        }
    }
}
