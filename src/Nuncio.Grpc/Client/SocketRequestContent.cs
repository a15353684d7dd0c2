using System.Net;

namespace Nuncio.Grpc.Client;

/// <summary>The body of a request that is written while the call goes on.</summary>
internal sealed class SocketRequestContent : HttpContent
{
    private readonly TaskCompletionSource<Stream> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _complete = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Where octets go, once the head is sent.</summary>
    public Task<Stream> Ready => _ready.Task;

    /// <summary>The body is whole.</summary>
    public void Complete() => _complete.TrySetResult();

    /// <summary>The call failed before the body could be written, or is given up.</summary>
    public void Fail(Exception cause)
    {
        _ready.TrySetException(cause);
        _complete.TrySetException(cause);

        // Nobody may be waiting any more.
        _ = _ready.Task.Exception;
        _ = _complete.Task.Exception;
    }

    /// <inheritdoc/>
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    /// <inheritdoc/>
    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        // The head must leave at once: a server may speak first.
        try
        {
            await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // A server that answers at once may end the call here: without a word to who waits for the stream, that would be waited for without an end.
            Fail(e);
            throw;
        }

        _ready.TrySetResult(stream);
        await _complete.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    protected override bool TryComputeLength(out long length)
    {
        length = -1;
        return false;
    }
}
