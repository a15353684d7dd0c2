using System.Buffers;
using Nuncio.DataPlane.Transport.Quic;

namespace Nuncio.DataPlane.Http.Http3;

/// <summary>What a read of a stream ended with.</summary>
internal enum Http3InputOutcome : byte
{
    /// <summary>There is what was asked for.</summary>
    Read,

    /// <summary>The peer's end came before it.</summary>
    Ended,

    /// <summary>The stream or its connection failed, or nobody wants the rest.</summary>
    Failed,

    /// <summary>It is longer than may be.</summary>
    TooLarge,
}

/// <summary>Reads frames of a stream through a pooled buffer that is held only while bytes are in it.</summary>
internal sealed class Http3Input
{
    private const int BufferSize = 16 * 1024;

    private readonly QuicTransportStream _stream;
    private byte[] _buffer = [];
    private int _start;
    private int _end;
    private volatile bool _isReading;

    public Http3Input(QuicTransportStream stream) => _stream = stream;

    /// <summary>Bytes that were read and not consumed.</summary>
    public ReadOnlyMemory<byte> Buffered => _buffer.AsMemory(_start, _end - _start);

    /// <summary>The peer's end has come, and everything before it is consumed.</summary>
    public bool IsAtEnd => _start == _end && _stream.HasPeerEnded;

    /// <summary>Takes bytes off <see cref="Buffered"/>; they stay valid until the next read.</summary>
    public void Consume(int length) => _start += length;

    /// <summary>Reads the type and the length of the next frame; <see cref="IsTruncated"/> tells whether the end came in their middle.</summary>
    public async ValueTask<(Http3InputOutcome Outcome, long Type, long Length)> ReadFrameHeaderAsync()
    {
        while (true)
        {
            var bytes = Buffered.Span;
            if (QuicInteger.TryRead(bytes, out var type, out var typeLength) && QuicInteger.TryRead(bytes[typeLength..], out var length, out var lengthLength))
            {
                Consume(typeLength + lengthLength);
                return (Http3InputOutcome.Read, type, length);
            }

            var outcome = await FillAsync();
            if (outcome != Http3InputOutcome.Read)
            {
                IsTruncated = outcome == Http3InputOutcome.Ended && _end > _start;
                return (outcome, 0, 0);
            }
        }
    }

    /// <summary>The type, the length and the size of the frame header that is buffered behind so many bytes; false when it is not complete.</summary>
    public bool TryPeekFrameHeader(int behind, out long type, out long length, out int size)
    {
        var bytes = Buffered.Span[behind..];
        length = 0;
        size = 0;
        if (!QuicInteger.TryRead(bytes, out type, out var typeLength) || !QuicInteger.TryRead(bytes[typeLength..], out length, out var lengthLength))
        {
            return false;
        }

        size = typeLength + lengthLength;
        return true;
    }

    /// <summary>Moves buffered bytes to an earlier place, over what is no longer needed.</summary>
    public void Move(int from, int to, int length) => _buffer.AsSpan(_start + from, length).CopyTo(_buffer.AsSpan(_start + to));

    /// <summary>Reads one integer.</summary>
    public async ValueTask<(Http3InputOutcome Outcome, long Value)> ReadIntegerAsync()
    {
        while (true)
        {
            if (QuicInteger.TryRead(Buffered.Span, out var value, out var length))
            {
                Consume(length);
                return (Http3InputOutcome.Read, value);
            }

            if (await FillAsync() is not Http3InputOutcome.Read and var outcome)
            {
                return (outcome, 0);
            }
        }
    }

    /// <summary>The stream ended in the middle of something.</summary>
    public bool IsTruncated { get; private set; }

    /// <summary>Reads until <paramref name="length"/> bytes are buffered, which may be at most <paramref name="atMost"/>.</summary>
    public async ValueTask<Http3InputOutcome> ReadAllAsync(long length, int atMost)
    {
        if (length > atMost)
        {
            return Http3InputOutcome.TooLarge;
        }

        while (_end - _start < length)
        {
            // What is said to come takes no room before it does.
            Reserve((int)Math.Min(length, Math.Max(BufferSize, 2 * (_end - _start))));
            if (await FillAsync() is not Http3InputOutcome.Read and var outcome)
            {
                IsTruncated = outcome == Http3InputOutcome.Ended;
                return outcome;
            }
        }

        return Http3InputOutcome.Read;
    }

    /// <summary>Reads past <paramref name="length"/> bytes.</summary>
    public async ValueTask<Http3InputOutcome> SkipAsync(long length)
    {
        while (true)
        {
            var part = (int)Math.Min(length, _end - _start);
            Consume(part);
            length -= part;
            if (length == 0)
            {
                return Http3InputOutcome.Read;
            }

            if (await FillAsync() is not Http3InputOutcome.Read and var outcome)
            {
                IsTruncated = outcome == Http3InputOutcome.Ended;
                return outcome;
            }
        }
    }

    /// <summary>Reads what there is, behind what is buffered.</summary>
    public async ValueTask<Http3InputOutcome> FillAsync()
    {
        _isReading = true;
        var read = -1;
        if (_start < _end || await WaitAsync())
        {
            Reserve(_end - _start + 1);
            read = await _stream.ReadAsync(_buffer.AsMemory(_end));
        }

        _end += Math.Max(read, 0);
        _isReading = false;
        return read switch
        {
            > 0 => Http3InputOutcome.Read,
            0 => Http3InputOutcome.Ended,
            _ => Http3InputOutcome.Failed,
        };
    }

    /// <summary>Gives the buffer back, unless a read that was given up still has it.</summary>
    public void Release()
    {
        if (!_isReading)
        {
            ReturnBuffer();
        }
    }

    // Most of the time nothing comes, and no buffer is needed to wait.
    private ValueTask<bool> WaitAsync()
    {
        ReturnBuffer();
        return _stream.WaitAsync();
    }

    private void ReturnBuffer()
    {
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
        }

        _start = _end = 0;
    }

    // Room for so many bytes in one piece, some of which may be there.
    private void Reserve(int length)
    {
        if (_start == _end)
        {
            _start = _end = 0;
        }

        if (_buffer.Length - _start >= length && _end < _buffer.Length)
        {
            return;
        }

        var used = _end - _start;
        if (_buffer.Length >= length && used < _buffer.Length)
        {
            _buffer.AsSpan(_start, used).CopyTo(_buffer);
        }
        else
        {
            var bigger = ArrayPool<byte>.Shared.Rent(Math.Max(BufferSize, length));
            _buffer.AsSpan(_start, used).CopyTo(bigger);
            if (_buffer.Length > 0)
            {
                ArrayPool<byte>.Shared.Return(_buffer);
            }

            _buffer = bigger;
        }

        _start = 0;
        _end = used;
    }
}
