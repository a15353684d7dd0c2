using System.Buffers.Binary;
using System.Text;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Http.Http2;
using Nuncio.DataPlane.Http.Http2.Hpack;

namespace Nuncio.DataPlane.Tests.Http.Http2;

/// <summary>The raw other side of a connection under test: writes any frames, right or wrong, and reads what comes back.</summary>
internal sealed class Http2Peer(MemoryTransport transport)
{
    private readonly byte[] _buffer = new byte[1 << 20];
    private readonly HpackEncoder _encoder = new();
    private readonly HpackDecoder _decoder = new(4096);
    private int _start;
    private int _end;

    public MemoryTransport Transport => transport;

    public static byte[] Frame(Http2FrameType type, byte flags, int streamId, params ReadOnlySpan<byte> payload)
    {
        var frame = new byte[9 + payload.Length];
        BinaryPrimitives.WriteUInt32BigEndian(frame, ((uint)payload.Length << 8) | (uint)type);
        frame[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), streamId);
        payload.CopyTo(frame.AsSpan(9));
        return frame;
    }

    public static byte[] Number(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }

    public async Task StartClientAsync(params byte[] settings)
    {
        await SendAsync(Http2Frames.Preface.ToArray());
        await SendAsync(Frame(Http2FrameType.Settings, 0, 0, settings));
    }

    public async Task SendAsync(byte[] bytes) => await transport.WriteAsync(bytes);

    public Task SendAsync(Http2FrameType type, byte flags, int streamId, params byte[] payload) => SendAsync(Frame(type, flags, streamId, payload));

    public byte[] Block(params (string Name, string Value)[] headers)
    {
        var output = new Http2OutputBuffer();
        _encoder.StartBlock(output);
        foreach (var (name, value) in headers)
        {
            var bytes = Encoding.Latin1.GetBytes(name);
            _encoder.Write(output, KnownHeaders.Find(bytes), bytes, Encoding.Latin1.GetBytes(value));
        }

        return output.Written.ToArray();
    }

    public Task RequestAsync(int streamId, bool endStream, params (string Name, string Value)[] more) =>
        SendAsync(Http2FrameType.Headers, (byte)(4 | (endStream ? 1 : 0)), streamId,
            Block([(":method", endStream ? "GET" : "POST"), (":scheme", "http"), (":authority", "test"), (":path", $"/{streamId}"), .. more]));

    /// <summary>The next frame; null at the end of the connection.</summary>
    public async Task<PeerFrame?> ReadAsync()
    {
        while (true)
        {
            if (_end - _start >= 9)
            {
                var length = (int)(BinaryPrimitives.ReadUInt32BigEndian(_buffer.AsSpan(_start)) >> 8);
                if (_end - _start >= 9 + length)
                {
                    var frame = new PeerFrame(
                        (Http2FrameType)_buffer[_start + 3], _buffer[_start + 4], BinaryPrimitives.ReadInt32BigEndian(_buffer.AsSpan(_start + 5)),
                        _buffer.AsSpan(_start + 9, length).ToArray());
                    _start += 9 + length;
                    return frame;
                }
            }

            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
            var read = await transport.ReadAsync(_buffer.AsMemory(_end)).AsTask().WaitAsync(Until.Limit);
            if (read <= 0) return null;
            _end += read;
        }
    }

    /// <summary>Reads on to a frame of a type; fails at the end of the connection.</summary>
    public async Task<PeerFrame> ReadAsync(Http2FrameType type)
    {
        while (await ReadAsync() is { } frame)
        {
            // Blocks are decoded in any case, for the sake of the table.
            if (frame.Type == Http2FrameType.Headers) frame.Headers = Decode(frame.Payload);
            if (frame.Type == type && !(type == Http2FrameType.Settings && frame.Flags == 1)) return frame;
        }

        throw new InvalidOperationException($"The connection ended without {type}");
    }

    /// <summary>Reads on to GOAWAY or the end; the error code, null when there was no GOAWAY.</summary>
    public async Task<Http2ErrorCode?> ReadEndAsync()
    {
        Http2ErrorCode? error = null;
        while (await ReadAsync() is { } frame)
        {
            if (frame.Type == Http2FrameType.GoAway) error = (Http2ErrorCode)BinaryPrimitives.ReadUInt32BigEndian(frame.Payload.AsSpan(4));
        }

        return error;
    }

    private HeaderMap Decode(byte[] block)
    {
        // Requests begin with :method, which is static entry 2 or 3 or a literal with that name.
        var request = block.Length > 0 && (block[0] is 0x82 or 0x83 || (block[0] & 0x3F) is 2 or 3);
        var map = new HeaderMap();
        var reader = new Http2HeaderReader(1 << 20, 10_000);
        reader.Start(map, request ? Http2BlockKind.Request : Http2BlockKind.Response);
        _decoder.Decode(block, reader).ShouldBeTrue();
        return map;
    }
}

/// <summary>A frame as received.</summary>
internal sealed record PeerFrame(Http2FrameType Type, byte Flags, int StreamId, byte[] Payload)
{
    public HeaderMap? Headers { get; set; }

    public bool EndStream => (Flags & 1) != 0;

    public Http2ErrorCode ErrorCode => (Http2ErrorCode)BinaryPrimitives.ReadUInt32BigEndian(Payload);
}
