using System.Runtime.CompilerServices;
using Nuncio.DataPlane.Async;

namespace Nuncio.DataPlane.Http.Http1;

/// <summary>
/// Takes one message body out of a connection's bytes, by its framing. Pieces are slices of the input buffer: nothing is copied. Strict: what is not
/// exactly RFC 9112 section 7.1 fails the body, since a lenient reader in front of another lenient reader is how requests are smuggled.
/// </summary>
internal sealed class Http1BodyReader
{
    // Longer chunk extensions serve nobody but an attacker (CVE-2023-39326 and others).
    private const int MaxChunkLine = 256;
    private const int MaxChunkDigits = 15;

    private readonly Http1Input _input;
    private readonly int _maxTrailerBytes;
    private readonly int _maxTrailerCount;
    private readonly bool _keepTrailers;
    private HeaderMap _trailers = null!;
    private State _state;
    private long _remaining;
    private int _lent;
    private BodyRead _decoded;

    public Http1BodyReader(Http1Input input, int maxTrailerBytes, int maxTrailerCount, bool keepTrailers)
    {
        _input = input;
        _maxTrailerBytes = maxTrailerBytes;
        _maxTrailerCount = maxTrailerCount;
        _keepTrailers = keepTrailers;
    }

    private enum State : byte
    {
        Complete,
        Length,
        ChunkSize,
        ChunkData,
        ChunkEnd,
        Trailers,
        UntilEnd,
        Failed,
    }

    /// <summary>The whole body was handed out, and the next message begins after it.</summary>
    public bool IsComplete => _state == State.Complete;

    /// <summary>A piece was handed out whose memory is still in use.</summary>
    public bool IsLending => _lent > 0;

    /// <summary>There are bytes beyond what was handed out.</summary>
    public bool HasSurplus => _input.Length > _lent;

    /// <summary>Where the trailers of the message go.</summary>
    public void Attach(HeaderMap trailers) => _trailers = trailers;

    /// <summary>Chunked (else by length, or to the end of the connection).</summary>
    public bool IsChunked => _state is State.ChunkSize or State.ChunkData or State.ChunkEnd or State.Trailers;

    /// <summary>No body.</summary>
    public void BeginNone() => Begin(State.Complete, 0);

    /// <summary>By Content-Length.</summary>
    public void BeginLength(long length) => Begin(length == 0 ? State.Complete : State.Length, length);

    /// <summary>By Transfer-Encoding: chunked.</summary>
    public void BeginChunked() => Begin(State.ChunkSize, 0);

    /// <summary>Everything up to the end of the connection: old responses, and tunnels.</summary>
    public void BeginUntilEnd() => Begin(State.UntilEnd, 0);

    /// <summary>The memory of the last piece is free again.</summary>
    public void Return()
    {
        if (_lent > 0)
        {
            _input.Consume(_lent);
            _lent = 0;
        }
    }

    /// <summary>The next piece, see <see cref="HttpServerStream.ReadBodyAsync"/>.</summary>
    public ValueTask<BodyRead> ReadAsync()
    {
        Return();
        return TryDecode() ? new ValueTask<BodyRead>(_decoded) : ReadMoreAsync();
    }

    [AsyncMethodBuilder(typeof(PooledBuilder<>))]
    private async ValueTask<BodyRead> ReadMoreAsync()
    {
        do
        {
            var large = _state == State.UntilEnd || _remaining > Http1Input.SmallBuffer || IsChunked;
            var read = await _input.FillAsync(large ? Http1Input.LargeBuffer : Http1Input.SmallBuffer);
            if (read <= 0)
            {
                if (_state == State.UntilEnd && read == 0)
                {
                    _state = State.Complete;
                    return BodyRead.End;
                }

                _state = State.Failed;
                return BodyRead.Failed(StreamResetReason.ConnectionTermination);
            }
        }
        while (!TryDecode());
        return _decoded;
    }

    private void Begin(State state, long remaining)
    {
        _state = state;
        _remaining = remaining;
        _lent = 0;
    }

    // False: more bytes are needed. True: _decoded is the answer.
    private bool TryDecode()
    {
        while (true)
        {
            switch (_state)
            {
                case State.Complete:
                    _decoded = BodyRead.End;
                    return true;
                case State.Failed:
                    return Fail();
                case State.UntilEnd:
                    if (_input.Length == 0)
                    {
                        return false;
                    }

                    _lent = _input.Length;
                    _decoded = new BodyRead(_input.Slice(0, _lent), false);
                    return true;
                case State.Length:
                    return DecodeLength();
                case State.ChunkData:
                    return DecodeChunkData();
                case State.ChunkSize:
                    if (!DecodeChunkSize(out var needsMore))
                    {
                        return !needsMore && Fail();
                    }

                    break;
                case State.ChunkEnd:
                    if (_input.Length < 2)
                    {
                        return false;
                    }

                    if (!_input.Span.StartsWith("\r\n"u8))
                    {
                        return Fail();
                    }

                    _input.Consume(2);
                    _state = State.ChunkSize;
                    break;
                default:
                    return DecodeTrailers();
            }
        }
    }

    private bool Fail()
    {
        _state = State.Failed;
        _decoded = BodyRead.Failed(StreamResetReason.ProtocolError);
        return true;
    }

    private bool DecodeLength()
    {
        var available = (int)Math.Min(_input.Length, _remaining);
        if (available == 0)
        {
            return false;
        }

        _remaining -= available;
        _lent = available;
        if (_remaining == 0)
        {
            _state = State.Complete;
        }

        _decoded = new BodyRead(_input.Slice(0, available), _remaining == 0);
        return true;
    }

    private bool DecodeChunkData()
    {
        var available = (int)Math.Min(_input.Length, _remaining);
        if (available == 0)
        {
            return false;
        }

        _remaining -= available;
        _lent = available;
        var end = false;
        if (_remaining == 0)
        {
            _state = State.ChunkEnd;
            // The usual end of a small response came along with the data: saying so now lets the writer finish in the same send.
            if (_input.Span[available..].StartsWith("\r\n0\r\n\r\n"u8))
            {
                _lent += 7;
                _state = State.Complete;
                end = true;
            }
        }

        _decoded = new BodyRead(_input.Slice(0, available), end);
        return true;
    }

    private bool DecodeChunkSize(out bool needsMore)
    {
        var span = _input.Span;
        var lineEnd = span.IndexOf((byte)'\n');
        needsMore = lineEnd < 0 && span.Length <= MaxChunkLine;
        if (lineEnd < 2 || lineEnd > MaxChunkLine || span[lineEnd - 1] != '\r')
        {
            return false;
        }

        var line = span[..(lineEnd - 1)];
        var digits = 0;
        long size = 0;
        while (digits < line.Length && HexValue(line[digits]) is >= 0 and var value)
        {
            size = (size << 4) | (long)value;
            if (++digits > MaxChunkDigits)
            {
                return false;
            }
        }

        var extension = line[digits..];
        if (digits == 0 || (extension.Length > 0 && (extension[0] != ';' || extension.ContainsAny(Http1Chars.NotInValue))))
        {
            return false;
        }

        _input.Consume(lineEnd + 1);
        _remaining = size;
        _state = size == 0 ? State.Trailers : State.ChunkData;
        return true;
    }

    private bool DecodeTrailers()
    {
        var span = _input.Span;
        if (span.StartsWith("\r\n"u8))
        {
            _input.Consume(2);
            return Complete();
        }

        var end = span.IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            return span.Length > _maxTrailerBytes && Fail();
        }

        if (end > _maxTrailerBytes)
        {
            return Fail();
        }

        var framing = Http1FieldParser.Begin();
        if (Http1FieldParser.Parse(span[..(end + 4)], _trailers, ref framing, _maxTrailerCount, hostAsAuthority: false) is not null
            || framing.HasTransferEncoding || framing.ContentLength >= 0 || _trailers.Contains(KnownHeader.Host))
        {
            // Framing and routing fields are forbidden in trailers (RFC 9110 section 6.5.1): somebody hopes that the next hop believes them.
            _trailers.Clear();
            return Fail();
        }

        if (!_keepTrailers)
        {
            _trailers.Clear();
        }

        _input.Consume(end + 4);
        return Complete();
    }

    private bool Complete()
    {
        _state = State.Complete;
        _decoded = BodyRead.End;
        return true;
    }

    private static int HexValue(byte digit) => digit switch
    {
        >= (byte)'0' and <= (byte)'9' => digit - '0',
        >= (byte)'a' and <= (byte)'f' => digit - 'a' + 10,
        >= (byte)'A' and <= (byte)'F' => digit - 'A' + 10,
        _ => -1,
    };
}
