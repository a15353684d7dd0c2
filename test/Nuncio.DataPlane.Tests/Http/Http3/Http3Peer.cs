using System.Text;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Http.Http2;
using Nuncio.DataPlane.Http.Http3;
using Nuncio.DataPlane.Http.Http3.Qpack;
using Nuncio.DataPlane.Transport.Quic;

namespace Nuncio.DataPlane.Tests.Http.Http3;

/// <summary>The raw client of a connection under test.</summary>
internal sealed class Http3Peer(MemoryQuicConnection transport)
{
    private Http3FrameReader? _control;

    /// <summary>Opens the control stream and sends settings.</summary>
    public async Task<MemoryQuicStream> StartAsync(params (long Id, long Value)[] settings)
    {
        var stream = transport.OpenUnidirectional();
        await stream.SendAsync((byte[])[.. Http3Bytes.Integer(Http3StreamType.Control), .. Http3Bytes.Settings(settings)]);
        return stream;
    }

    /// <summary>Opens a stream for a request and sends what it begins with.</summary>
    public async Task<MemoryQuicStream> RequestAsync(ReadOnlyMemory<byte> bytes, bool end = true)
    {
        var stream = transport.Open();
        await stream.SendAsync(bytes, end);
        return stream;
    }

    /// <summary>Opens a unidirectional stream and sends what it begins with.</summary>
    public async Task<MemoryQuicStream> UnidirectionalAsync(ReadOnlyMemory<byte> bytes, bool end = false)
    {
        var stream = transport.OpenUnidirectional();
        await stream.SendAsync(bytes, end);
        return stream;
    }

    /// <summary>The next frame of the proxy's control stream.</summary>
    public async Task<Http3Frame?> ReadControlAsync()
    {
        if (_control is null)
        {
            _control = new Http3FrameReader(await transport.OpenedAsync());
            (await _control.ReadIntegerAsync()).ShouldBe(Http3StreamType.Control);
        }

        return await _control.ReadAsync();
    }

    /// <summary>Reads control frames on to GOAWAY; what it says.</summary>
    public async Task<long> ReadGoAwayAsync()
    {
        while (await ReadControlAsync() is { } frame)
        {
            if (frame.Type != Http3FrameType.GoAway) continue;
            QuicInteger.TryRead(frame.Payload, out var id, out var length).ShouldBeTrue();
            length.ShouldBe(frame.Payload.Length);
            return id;
        }

        throw new InvalidOperationException("The control stream ended without GOAWAY");
    }
}

/// <summary>A frame as received.</summary>
internal sealed record Http3Frame(long Type, byte[] Payload);

/// <summary>A response as received.</summary>
internal sealed class Http3Reply
{
    public List<int> Interim { get; } = [];

    public HeaderMap Headers { get; set; } = new();

    public HeaderMap? Trailers { get; set; }

    public List<byte> Body { get; } = [];

    public string Text => Encoding.Latin1.GetString(Body.ToArray());

    /// <summary>It came to its end.</summary>
    public bool IsComplete { get; set; }

    /// <summary>What it was reset with.</summary>
    public Http3ErrorCode? Reset { get; set; }
}

/// <summary>Reads what the proxy sends on a stream.</summary>
internal sealed class Http3FrameReader(MemoryQuicStream stream)
{
    private readonly byte[] _chunk = new byte[16 * 1024];
    private readonly List<byte> _bytes = [];

    /// <summary>Nothing is left of an incomplete frame.</summary>
    public bool IsBetweenFrames => _bytes.Count == 0;

    public static HeaderMap Decode(byte[] section, bool isTrailer)
    {
        var map = new HeaderMap();
        var reader = new Http2HeaderReader(1 << 20, 10_000);
        reader.Start(map, isTrailer ? Http2BlockKind.Trailers : Http2BlockKind.Response);
        QpackDecoder.Decode(section, reader).ShouldBeTrue();
        reader.Finish(false).ShouldBe(Http2BlockOutcome.Valid);
        return map;
    }

    public async Task<long?> ReadIntegerAsync()
    {
        while (true)
        {
            if (QuicInteger.TryRead(_bytes.ToArray(), out var value, out var length))
            {
                _bytes.RemoveRange(0, length);
                return value;
            }

            if (!await FillAsync()) return null;
        }
    }

    /// <summary>The next frame; null at the end, also of a stream that was reset or a connection that was lost.</summary>
    public async Task<Http3Frame?> ReadAsync()
    {
        if (await ReadIntegerAsync() is not { } type || await ReadIntegerAsync() is not { } length) return null;
        while (_bytes.Count < length)
        {
            if (!await FillAsync()) return null;
        }

        var payload = _bytes.GetRange(0, (int)length).ToArray();
        _bytes.RemoveRange(0, (int)length);
        return new Http3Frame(type, payload);
    }

    /// <summary>Reads a response to its end.</summary>
    public async Task<Http3Reply> ReadReplyAsync()
    {
        var reply = new Http3Reply();
        var hasHead = false;
        while (await ReadAsync() is { } frame)
        {
            reply.Trailers.ShouldBeNull();
            if (frame.Type == Http3FrameType.Data)
            {
                hasHead.ShouldBeTrue();
                reply.Body.AddRange(frame.Payload);
                continue;
            }

            frame.Type.ShouldBe(Http3FrameType.Headers);
            var map = Decode(frame.Payload, isTrailer: hasHead);
            if (hasHead)
            {
                reply.Trailers = map;
            }
            else if (map.Status < 200)
            {
                reply.Interim.Add(map.Status);
            }
            else
            {
                reply.Headers = map;
                hasHead = true;
            }
        }

        reply.IsComplete = stream.Outbound.IsReadToEnd && IsBetweenFrames;
        reply.Reset = (Http3ErrorCode?)stream.Outbound.ResetCode;
        return reply;
    }

    private async Task<bool> FillAsync()
    {
        var read = await stream.Outbound.ReadAsync(_chunk, drains: true).AsTask().WaitAsync(Until.Limit);
        if (read <= 0) return false;
        _bytes.AddRange(_chunk.AsSpan(0, read));
        return true;
    }
}
