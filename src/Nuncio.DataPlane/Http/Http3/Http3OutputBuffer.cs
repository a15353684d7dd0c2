using System.Buffers;
using Nuncio.DataPlane.Transport.Quic;

namespace Nuncio.DataPlane.Http.Http3;

/// <summary>Frames on their way out, one after the other in one pooled buffer, so that a head and the body behind it leave with one send.</summary>
internal sealed class Http3OutputBuffer
{
    private const int InitialSize = 1024;

    // A type of one byte and a length of four: written before the length is known.
    private const int OpenFrameHeader = 1 + QuicInteger.FourBytes;

    private byte[] _bytes = [];
    private int _frameStart;

    /// <summary>Bytes written.</summary>
    public int Length { get; private set; }

    /// <summary>What was written.</summary>
    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, Length);

    /// <summary>At least <paramref name="length"/> bytes, to be filled and confirmed by <see cref="Advance"/>.</summary>
    public Span<byte> Space(int length)
    {
        if (_bytes.Length - Length < length)
        {
            Grow(length);
        }

        return _bytes.AsSpan(Length);
    }

    /// <summary>Confirms bytes written.</summary>
    public void Advance(int length) => Length += length;

    /// <summary>Writes an integer.</summary>
    public void WriteInteger(long value) => Advance(QuicInteger.Write(Space(QuicInteger.MaxLength), value));

    /// <summary>Writes bytes.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Space(bytes.Length));
        Length += bytes.Length;
    }

    /// <summary>Begins a frame whose length <see cref="EndFrame"/> fills in.</summary>
    public void StartFrame(long type)
    {
        _frameStart = Length;
        Space(OpenFrameHeader)[0] = (byte)type;
        Length += OpenFrameHeader;
    }

    /// <summary>Ends the frame that was begun.</summary>
    public void EndFrame() => QuicInteger.WriteFour(_bytes.AsSpan(_frameStart + 1), Length - _frameStart - OpenFrameHeader);

    /// <summary>Writes the beginning of a frame of a known length.</summary>
    public void WriteFrameHeader(long type, long length)
    {
        WriteInteger(type);
        WriteInteger(length);
    }

    /// <summary>Forgets what was written.</summary>
    public void Clear() => Length = 0;

    /// <summary>Gives the buffer back.</summary>
    public void Release()
    {
        if (_bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = [];
        }

        Length = 0;
    }

    private void Grow(int length)
    {
        var bigger = ArrayPool<byte>.Shared.Rent(Math.Max(InitialSize, Math.Max(_bytes.Length * 2, Length + length)));
        _bytes.AsSpan(0, Length).CopyTo(bigger);
        if (_bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
        }

        _bytes = bigger;
    }
}
