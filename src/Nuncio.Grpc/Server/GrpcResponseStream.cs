using System.IO.Pipelines;
using Nuncio.Grpc.Framing;

namespace Nuncio.Grpc.Server;

/// <summary>Where a handler's messages go. One writer at a time.</summary>
public sealed class GrpcResponseStream<TResponse>
    where TResponse : class, IMessage<TResponse>, new()
{
    private readonly PipeWriter _body;
    private readonly Action _start;
    private readonly CancellationToken _cancellation;

    internal GrpcResponseStream(PipeWriter body, Action start, CancellationToken cancellation)
    {
        _body = body;
        _start = start;
        _cancellation = cancellation;
    }

    /// <summary>
    /// Sends a message. Completes when the connection takes more: a slow caller is felt here, and a handler decides what it does meanwhile
    /// (an ADS server replaces what it has not sent yet by what is newer).
    /// </summary>
    /// <exception cref="OperationCanceledException">The call is over.</exception>
    public async ValueTask WriteAsync(TResponse message)
    {
        _start();
        var length = GrpcFrame.LengthOf(message, int.MaxValue - 64);
        GrpcFrame.Write(message, _body.GetSpan(length)[..length]);
        _body.Advance(length);
        var flushed = await _body.FlushAsync(_cancellation).ConfigureAwait(false);
        if (flushed.IsCompleted || flushed.IsCanceled) throw new OperationCanceledException("The caller is gone.", _cancellation);
    }
}
