using System.Buffers;
using System.Buffers.Binary;

namespace Nuncio.DataPlane.Http.Http2;

/// <summary>Frames on their way out, one after the other in one pooled buffer, so that many of them leave with one send.</summary>
internal sealed class Http2OutputBuffer
{
    private const int InitialSize = 4096;

    private byte[] _bytes = [];

    /// <summary>Bytes written.</summary>
    public int Length { get; private set; }

    /// <summary>Frames written.</summary>
    public int Frames { get; private set; }

    /// <summary>Of these, PING, SETTINGS and RST_STREAM.</summary>
    public int ControlFrames { get; private set; }

    /// <summary>What was written.</summary>
    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, Length);

    /// <summary>Makes sure that so many bytes can be written.</summary>
    public void EnsureSpace(int length)
    {
        if (_bytes.Length - Length < length)
        {
            Grow(length);
        }
    }

    /// <summary>The next <paramref name="length"/> bytes, to be filled and confirmed by <see cref="Advance"/>.</summary>
    public Span<byte> Space(int length)
    {
        EnsureSpace(length);
        return _bytes.AsSpan(Length, length);
    }

    /// <summary>Confirms bytes written.</summary>
    public void Advance(int length) => Length += length;

    /// <summary>Starts a frame whose payload of <paramref name="length"/> bytes the caller writes next.</summary>
    public void WriteFrameHeader(int length, Http2FrameType type, byte flags, int streamId)
    {
        PutFrameHeader(Space(Http2Frames.HeaderLength), length, type, flags, streamId);
        Length += Http2Frames.HeaderLength;
        Count(type);
    }

    /// <summary>Sets the header of a frame that was written before its length was known.</summary>
    public void SetFrameHeader(int at, int length, Http2FrameType type, byte flags, int streamId)
    {
        PutFrameHeader(_bytes.AsSpan(at), length, type, flags, streamId);
        Count(type);
    }

    /// <summary>Inserts room for a frame header at <paramref name="at"/>, moving what follows.</summary>
    public void InsertFrameHeader(int at, int length, Http2FrameType type, byte flags, int streamId)
    {
        EnsureSpace(Http2Frames.HeaderLength);
        _bytes.AsSpan(at, Length - at).CopyTo(_bytes.AsSpan(at + Http2Frames.HeaderLength));
        Length += Http2Frames.HeaderLength;
        SetFrameHeader(at, length, type, flags, streamId);
    }

    /// <summary>Writes a frame whose payload is one 32-bit number: RST_STREAM, WINDOW_UPDATE.</summary>
    public void WriteNumberFrame(Http2FrameType type, int streamId, uint value)
    {
        WriteFrameHeader(4, type, 0, streamId);
        BinaryPrimitives.WriteUInt32BigEndian(Space(4), value);
        Length += 4;
    }

    /// <summary>Writes PING with an opaque value.</summary>
    public void WritePing(ulong value, bool acknowledgement)
    {
        WriteFrameHeader(8, Http2FrameType.Ping, acknowledgement ? Http2Frames.Acknowledgement : (byte)0, 0);
        BinaryPrimitives.WriteUInt64BigEndian(Space(8), value);
        Length += 8;
    }

    /// <summary>Writes GOAWAY.</summary>
    public void WriteGoAway(int lastStreamId, Http2ErrorCode error)
    {
        WriteFrameHeader(8, Http2FrameType.GoAway, 0, 0);
        var space = Space(8);
        BinaryPrimitives.WriteInt32BigEndian(space, lastStreamId);
        BinaryPrimitives.WriteUInt32BigEndian(space[4..], (uint)error);
        Length += 8;
    }

    /// <summary>Writes one setting into a SETTINGS frame that was started.</summary>
    public void WriteSetting(Http2Setting setting, uint value)
    {
        var space = Space(6);
        BinaryPrimitives.WriteUInt16BigEndian(space, (ushort)setting);
        BinaryPrimitives.WriteUInt32BigEndian(space[2..], value);
        Length += 6;
    }

    /// <summary>Forgets what was written; the buffer is kept unless it has become large.</summary>
    public void Clear(int keepUpTo)
    {
        Length = Frames = ControlFrames = 0;
        if (_bytes.Length > keepUpTo)
        {
            Release();
        }
    }

    /// <summary>Gives the buffer back.</summary>
    public void Release()
    {
        Length = Frames = ControlFrames = 0;
        if (_bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = [];
        }
    }

    private static void PutFrameHeader(Span<byte> space, int length, Http2FrameType type, byte flags, int streamId)
    {
        BinaryPrimitives.WriteUInt32BigEndian(space, ((uint)length << 8) | (uint)type);
        space[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(space[5..], streamId);
    }

    private void Count(Http2FrameType type)
    {
        Frames++;
        if (type is Http2FrameType.Ping or Http2FrameType.Settings or Http2FrameType.RstStream)
        {
            ControlFrames++;
        }
    }

    private void Grow(int length)
    {
        var bigger = ArrayPool<byte>.Shared.Rent(Math.Max(Math.Max(InitialSize, _bytes.Length * 2), Length + length));
        _bytes.AsSpan(0, Length).CopyTo(bigger);
        if (_bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
        }

        _bytes = bigger;
    }
}
