using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Nuncio.Grpc.Framing;

namespace Nuncio.Grpc.Server;

/// <summary>The messages of a caller, one after the other.</summary>
public sealed class GrpcRequestStream<TRequest>
    where TRequest : class, IMessage<TRequest>, new()
{
    private readonly PipeReader _body;
    private readonly MessageParser<TRequest> _parser;
    private readonly int _maxLength;
    private readonly CancellationToken _cancellation;

    internal GrpcRequestStream(PipeReader body, MessageParser<TRequest> parser, int maxLength, CancellationToken cancellation)
    {
        _body = body;
        _parser = parser;
        _maxLength = maxLength;
        _cancellation = cancellation;
    }

    /// <summary>The next message; null when the caller sends no more.</summary>
    /// <exception cref="GrpcStatusException">What came is no message, or too large.</exception>
    /// <exception cref="OperationCanceledException">The call is over.</exception>
    public async ValueTask<TRequest?> ReadAsync()
    {
        while (true)
        {
            var result = await _body.ReadAsync(_cancellation).ConfigureAwait(false);
            var buffer = result.Buffer;
            if (TryCut(ref buffer, out var message))
            {
                _body.AdvanceTo(buffer.Start);
                return message;
            }

            _body.AdvanceTo(result.Buffer.Start, result.Buffer.End);
            if (!result.IsCompleted) continue;
            return result.Buffer.IsEmpty ? null : throw new GrpcStatusException(GrpcStatusCode.Internal, "The request ends inside a message.");
        }
    }

    /// <summary>All messages that are still to come.</summary>
    public async IAsyncEnumerable<TRequest> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        while (await ReadAsync().ConfigureAwait(false) is { } message)
        {
            cancellation.ThrowIfCancellationRequested();
            yield return message;
        }
    }

    private bool TryCut(ref ReadOnlySequence<byte> buffer, out TRequest? message)
    {
        message = null;
        if (buffer.Length < GrpcFrame.PrefixLength) return false;
        Span<byte> prefix = stackalloc byte[GrpcFrame.PrefixLength];
        buffer.Slice(0, GrpcFrame.PrefixLength).CopyTo(prefix);
        var length = GrpcFrame.ReadPrefix(prefix, _maxLength);
        if (buffer.Length - GrpcFrame.PrefixLength < length) return false;
        var content = buffer.Slice(GrpcFrame.PrefixLength, length);
        try
        {
            message = _parser.ParseFrom(content);
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or InvalidOperationException)
        {
            throw new GrpcStatusException(GrpcStatusCode.Internal, "A received message cannot be read.", e);
        }

        buffer = buffer.Slice(content.End);
        return true;
    }
}
