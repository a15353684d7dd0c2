namespace Nuncio.Grpc.Client;

/// <summary>The time that a call has left, and what an exception under it means.</summary>
internal sealed class GrpcDeadline : IDisposable
{
    private readonly CancellationTokenSource? _source;

    public GrpcDeadline(TimeSpan? timeout, TimeProvider time) =>
        _source = timeout is { } limit ? new CancellationTokenSource(limit > TimeSpan.Zero ? limit : TimeSpan.Zero, time) : null;

    /// <summary>A token that ends with either.</summary>
    public Linked Link(CancellationToken cancellation)
    {
        if (_source is null) return new Linked(null, cancellation);
        if (!cancellation.CanBeCanceled) return new Linked(null, _source.Token);
        var both = CancellationTokenSource.CreateLinkedTokenSource(_source.Token, cancellation);
        return new Linked(both, both.Token);
    }

    /// <summary>What a caller is told instead; null for the exception itself.</summary>
    public Exception? Translate(Exception e, CancellationToken cancellation) => e switch
    {
        _ when cancellation.IsCancellationRequested => e is OperationCanceledException ? null : new OperationCanceledException(e.Message, e, cancellation),
        _ when _source is { IsCancellationRequested: true } and not null => e is GrpcStatusException { Status.Code: GrpcStatusCode.DeadlineExceeded }
            ? null : new GrpcStatusException(GrpcStatusCode.DeadlineExceeded, "The call took longer than allowed.", e),
        GrpcStatusException => null,
        OperationCanceledException => new GrpcStatusException(GrpcStatusCode.Cancelled, "The call was given up.", e),

        // ObjectDisposedException: so the platform says that the server has ended the call meanwhile.
        IOException or ObjectDisposedException or HttpRequestException or System.Net.Sockets.SocketException =>
            new GrpcStatusException(GrpcStatusCode.Unavailable, e.Message, e),
        _ => null,
    };

    /// <inheritdoc/>
    public void Dispose() => _source?.Dispose();

    /// <summary>A token, and what to dispose with it.</summary>
    public readonly struct Linked(CancellationTokenSource? source, CancellationToken token) : IDisposable
    {
        /// <summary>The token.</summary>
        public CancellationToken Token { get; } = token;

        /// <inheritdoc/>
        public void Dispose() => source?.Dispose();
    }
}
