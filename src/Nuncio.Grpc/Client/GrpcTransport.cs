namespace Nuncio.Grpc.Client;

/// <summary>
/// Opens HTTP/2 streams to one service. The data plane has one over its clusters, with their load balancing, TLS and statistics;
/// <see cref="SocketGrpcTransport"/> is one for everything else.
/// </summary>
public abstract class GrpcTransport
{
    /// <summary>Opens a stream and sends the request's head.</summary>
    /// <exception cref="GrpcStatusException">There is no connection (Unavailable).</exception>
    public abstract ValueTask<GrpcTransportStream> OpenAsync(GrpcRequestHead head, CancellationToken cancellation);
}

/// <summary>The head of a call.</summary>
/// <param name="Path">The <c>:path</c>.</param>
/// <param name="Headers">All headers in their order, <c>te</c>, <c>content-type</c> and <c>grpc-timeout</c> included; pseudo-headers are the
/// transport's.</param>
public sealed record GrpcRequestHead(string Path, GrpcMetadata Headers);

/// <summary>The head of an answer.</summary>
/// <param name="HttpStatus">The <c>:status</c>.</param>
/// <param name="Headers">All other headers; those of the status too, where nothing but the head arrived.</param>
public sealed record GrpcResponseHead(int HttpStatus, GrpcMetadata Headers);

/// <summary>An HTTP/2 stream that carries one call. One writer and one reader at a time; both at once are allowed.</summary>
public abstract class GrpcTransportStream : IAsyncDisposable
{
    /// <summary>Trailers; empty until the body has ended, and where there are none.</summary>
    public abstract GrpcMetadata Trailers { get; }

    /// <summary>Sends octets; completes when the next may be sent, which is how a slow receiver is felt.</summary>
    public abstract ValueTask WriteAsync(ReadOnlyMemory<byte> data, bool endOfStream, CancellationToken cancellation);

    /// <summary>Waits for the head of the answer.</summary>
    public abstract ValueTask<GrpcResponseHead> ReadHeadAsync(CancellationToken cancellation);

    /// <summary>Reads octets of the answer's body; 0 at its end.</summary>
    public abstract ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellation);

    /// <summary>Gives the stream up where it has not ended: the server gets RST_STREAM with CANCEL.</summary>
    public abstract ValueTask DisposeAsync();
}
