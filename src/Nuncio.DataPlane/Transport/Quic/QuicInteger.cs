using System.Buffers.Binary;

namespace Nuncio.DataPlane.Transport.Quic;

/// <summary>The variable-length integers of QUIC and HTTP/3 (RFC 9000 section 16): the first two bits say whether it has 1, 2, 4 or 8 bytes.</summary>
internal static class QuicInteger
{
    /// <summary>The largest one.</summary>
    public const long MaxValue = (1L << 62) - 1;

    /// <summary>The most bytes of one.</summary>
    public const int MaxLength = 8;

    /// <summary>The bytes of one that <see cref="WriteFour"/> writes.</summary>
    public const int FourBytes = 4;

    /// <summary>Reads one; false when it is not complete.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out long value, out int length)
    {
        value = 0;
        length = 0;
        if (bytes.IsEmpty)
        {
            return false;
        }

        length = 1 << (bytes[0] >> 6);
        if (bytes.Length < length)
        {
            return false;
        }

        value = length switch
        {
            1 => bytes[0] & 0x3F,
            2 => BinaryPrimitives.ReadUInt16BigEndian(bytes) & 0x3FFF,
            4 => BinaryPrimitives.ReadUInt32BigEndian(bytes) & 0x3FFF_FFFF,
            _ => BinaryPrimitives.ReadInt64BigEndian(bytes) & MaxValue,
        };
        return true;
    }

    /// <summary>Writes one in as few bytes as it takes; how many these were.</summary>
    public static int Write(Span<byte> space, long value)
    {
        switch (value)
        {
            case < 1 << 6:
                space[0] = (byte)value;
                return 1;
            case < 1 << 14:
                BinaryPrimitives.WriteUInt16BigEndian(space, (ushort)(value | 0x4000));
                return 2;
            case < 1 << 30:
                WriteFour(space, (int)value);
                return FourBytes;
            default:
                BinaryPrimitives.WriteUInt64BigEndian(space, (ulong)value | 0xC000_0000_0000_0000);
                return MaxLength;
        }
    }

    /// <summary>Writes one of less than 2^30 in four bytes, for a length that is known only when what it counts has been written.</summary>
    public static void WriteFour(Span<byte> space, int value) => BinaryPrimitives.WriteUInt32BigEndian(space, (uint)value | 0x8000_0000);
}
