using System.Buffers.Binary;
using System.Text;

namespace Nuncio.Compiler.Naming;

/// <summary>
/// Composes the version of a large message from the versions of its parts, so that one changed part does not mean serialising all.
/// Equal parts in equal order give equal versions. The texts that are added must be all that distinguishes the rest of the message.
/// </summary>
public sealed class VersionComposer
{
    private byte[] _buffer = new byte[4096];
    private int _length;

    /// <summary>Adds a part by its version.</summary>
    public VersionComposer Add(XdsVersion version)
    {
        var span = Reserve(16);
        BinaryPrimitives.WriteUInt64BigEndian(span, version.High);
        BinaryPrimitives.WriteUInt64BigEndian(span[8..], version.Low);
        return this;
    }

    /// <summary>Adds a text, with its length so that neighbours do not run together.</summary>
    public VersionComposer Add(string text)
    {
        var size = Encoding.UTF8.GetByteCount(text);
        Add(size);
        Encoding.UTF8.GetBytes(text, Reserve(size));
        return this;
    }

    /// <summary>Adds a number.</summary>
    public VersionComposer Add(int number)
    {
        BinaryPrimitives.WriteInt32BigEndian(Reserve(4), number);
        return this;
    }

    /// <summary>The version of all that was added; the composer is empty after that.</summary>
    public XdsVersion Compose()
    {
        var version = XdsVersion.Of(_buffer.AsSpan(0, _length));
        _length = 0;
        return version;
    }

    private Span<byte> Reserve(int size)
    {
        if (_length + size > _buffer.Length)
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _length + size));
        var span = _buffer.AsSpan(_length, size);
        _length += size;
        return span;
    }
}
