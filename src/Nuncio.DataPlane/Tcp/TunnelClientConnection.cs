using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Transport;

namespace Nuncio.DataPlane.Tcp;

/// <summary>
/// A connection to an upstream that carries the bytes of one CONNECT request (Envoy's <c>connect_config</c>): the request's body is what is sent, what comes is
/// the body of a response 200. It has one stream and then closes.
/// </summary>
internal sealed class TunnelClientConnection(TransportConnection transport) : HttpClientConnection
{
    private const int Idle = 0;
    private const int Busy = 1;
    private const int Closed = 2;

    private int _state;
    private int _told;

    /// <inheritdoc/>
    public override HttpProtocolVersion Version => HttpProtocolVersion.Http11;

    /// <inheritdoc/>
    public override int AvailableStreams => Volatile.Read(ref _state) == Idle ? 1 : 0;

    /// <inheritdoc/>
    public override int ActiveStreams => Volatile.Read(ref _state) == Busy ? 1 : 0;

    /// <inheritdoc/>
    public override bool IsClosing => Volatile.Read(ref _state) == Closed;

    /// <inheritdoc/>
    public override bool IsEndedByPeer => transport.IsEndedByPeer;

    internal TransportConnection Transport => transport;

    /// <inheritdoc/>
    public override HttpClientStream? OpenStream() => Interlocked.CompareExchange(ref _state, Busy, Idle) == Idle ? new TunnelClientStream(this) : null;

    /// <inheritdoc/>
    public override void Drain()
    {
        if (Interlocked.CompareExchange(ref _state, Closed, Idle) == Idle)
        {
            End();
        }
    }

    /// <inheritdoc/>
    public override void Close(StreamResetReason reason)
    {
        Volatile.Write(ref _state, Closed);
        End();
    }

    private void End()
    {
        transport.Abort();
        if (Interlocked.Exchange(ref _told, 1) == 0)
        {
            Owner?.OnClosed(this);
        }
    }
}
