using System.Buffers;
using System.Runtime.CompilerServices;
using Nuncio.Grpc.Framing;

namespace Nuncio.Grpc.Client;

/// <summary>
/// A call that is under way, with any number of messages both ways. One writer and one reader at a time. Disposing it gives it up where it has not ended.
/// </summary>
public sealed class GrpcDuplexCall<TRequest, TResponse> : IAsyncDisposable
    where TRequest : class, IMessage<TRequest>, new()
    where TResponse : class, IMessage<TResponse>, new()
{
    private readonly GrpcTransportStream _stream;
    private readonly GrpcMethod<TRequest, TResponse> _method;
    private readonly GrpcClientOptions _options;
    private readonly GrpcDeadline _deadline;
    private readonly GrpcMessageReader _reader;
    private GrpcResponseHead? _head;
    private bool _sentAll;

    internal GrpcDuplexCall(GrpcTransportStream stream, GrpcMethod<TRequest, TResponse> method, GrpcClientOptions options, GrpcDeadline deadline)
    {
        _stream = stream;
        _method = method;
        _options = options;
        _deadline = deadline;
        _reader = new GrpcMessageReader(stream, options.MaxReceiveMessageLength);
    }

    /// <summary>The headers of the answer; empty until the first read has completed.</summary>
    public GrpcMetadata Headers => _head?.Headers ?? GrpcMetadata.Empty;

    /// <summary>The trailers of the answer; empty until it has ended.</summary>
    public GrpcMetadata Trailers => _stream.Trailers;

    /// <summary>Sends a message; completes when the next may be sent.</summary>
    /// <exception cref="GrpcStatusException">The call is over; the reader gets the reason.</exception>
    public async ValueTask WriteAsync(TRequest message, CancellationToken cancellation = default)
    {
        var length = GrpcFrame.LengthOf(message, _options.MaxSendMessageLength);
        var buffer = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            GrpcFrame.Write(message, buffer.AsSpan(0, length));
            await SendAsync(buffer.AsMemory(0, length), endOfStream: false, cancellation).ConfigureAwait(false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Says that no more messages follow.</summary>
    public async ValueTask CompleteAsync(CancellationToken cancellation = default)
    {
        if (_sentAll) return;
        _sentAll = true;
        await SendAsync(default, endOfStream: true, cancellation).ConfigureAwait(false);
    }

    /// <summary>The next message; null when the call has ended well.</summary>
    /// <exception cref="GrpcStatusException">The call has ended otherwise.</exception>
    public async ValueTask<TResponse?> ReadAsync(CancellationToken cancellation = default)
    {
        using var linked = _deadline.Link(cancellation);
        try
        {
            if (_head is null)
            {
                _head = await _stream.ReadHeadAsync(linked.Token).ConfigureAwait(false);
                if (GrpcAnswerStatus.ErrorIn(_head) is { } error) throw new GrpcStatusException(error, _head.Headers);
            }

            if (await _reader.ReadAsync(_method.ResponseParser, linked.Token).ConfigureAwait(false) is { } message) return message;
            var status = GrpcAnswerStatus.In(_stream.Trailers) ?? GrpcAnswerStatus.In(_head.Headers)
                ?? new GrpcStatus(GrpcStatusCode.Unknown, "The answer ended without a status.");
            return status.IsOk ? null : throw new GrpcStatusException(status, _stream.Trailers);
        }
        catch (Exception e) when (_deadline.Translate(e, cancellation) is { } translated)
        {
            throw translated;
        }
    }

    /// <summary>All messages that are still to come, until the call has ended well.</summary>
    /// <exception cref="GrpcStatusException">The call has ended otherwise.</exception>
    public async IAsyncEnumerable<TResponse> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        while (await ReadAsync(cancellation).ConfigureAwait(false) is { } message)
        {
            yield return message;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync().ConfigureAwait(false);
        _reader.Dispose();
        _deadline.Dispose();
    }

    private async ValueTask SendAsync(ReadOnlyMemory<byte> data, bool endOfStream, CancellationToken cancellation)
    {
        using var linked = _deadline.Link(cancellation);
        try
        {
            await _stream.WriteAsync(data, endOfStream, linked.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (_deadline.Translate(e, cancellation) is { } translated)
        {
            throw translated;
        }
    }
}
