using System.Buffers;
using Nuncio.Grpc.Framing;

namespace Nuncio.Grpc.Client;

/// <summary>Cuts the body of an answer into messages. What it keeps is bounded by the largest allowed message.</summary>
internal sealed class GrpcMessageReader(GrpcTransportStream stream, int maxMessageLength) : IDisposable
{
    private const int FirstLength = 4096;

    private byte[]? _buffer;
    private int _start;
    private int _end;
    private volatile bool _isReading;

    /// <summary>The next message; null at the end of the body.</summary>
    /// <exception cref="GrpcStatusException">The body is no sequence of whole messages.</exception>
    public async ValueTask<T?> ReadAsync<T>(MessageParser<T> parser, CancellationToken cancellation)
        where T : class, IMessage<T>
    {
        _isReading = true;
        try
        {
            if (!await FillAsync(GrpcFrame.PrefixLength, cancellation).ConfigureAwait(false)) return null;
            var length = GrpcFrame.ReadPrefix(_buffer.AsSpan(_start, GrpcFrame.PrefixLength), maxMessageLength);
            _start += GrpcFrame.PrefixLength;
            if (length > 0 && !await FillAsync(length, cancellation).ConfigureAwait(false)) throw Cut();
            var message = GrpcFrame.Parse(parser, _buffer.AsSpan(_start, length));
            _start += length;
            return message;
        }
        finally
        {
            _isReading = false;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // A read that is under way may still write: its buffer must not become another's, and is left to the collector.
        if (_isReading || _buffer is not { } buffer) return;
        _buffer = null;
        ArrayPool<byte>.Shared.Return(buffer);
    }

    private static GrpcStatusException Cut() => new(GrpcStatusCode.Internal, "The answer ends inside a message.");

    // The buffer grows with what has arrived, not with what a length says.
    private async ValueTask<bool> FillAsync(int wanted, CancellationToken cancellation)
    {
        _buffer ??= ArrayPool<byte>.Shared.Rent(FirstLength);
        while (_end - _start < wanted)
        {
            if (_start > 0)
            {
                _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
                _end -= _start;
                _start = 0;
            }

            if (_end == _buffer.Length)
            {
                var larger = ArrayPool<byte>.Shared.Rent(_buffer.Length * 2);
                _buffer.AsSpan(0, _end).CopyTo(larger);
                ArrayPool<byte>.Shared.Return(_buffer);
                _buffer = larger;
            }

            var read = await stream.ReadAsync(_buffer.AsMemory(_end), cancellation).ConfigureAwait(false);
            if (read == 0)
            {
                return _end == _start ? false : throw Cut();
            }

            _end += read;
        }

        return true;
    }
}
