using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Nuncio.DataPlane.Upstream.Dns;

/// <summary>What a server answered to one question.</summary>
internal enum DnsOutcome : byte
{
    /// <summary>It is not an answer to this question, or cannot be read.</summary>
    Invalid,

    /// <summary>The name has the addresses given, perhaps none.</summary>
    Answered,

    /// <summary>There is no such name.</summary>
    NoSuchName,

    /// <summary>The server cannot say.</summary>
    Failed,

    /// <summary>The answer is too long for a datagram.</summary>
    Truncated,
}

/// <summary>Questions for addresses and their answers on the wire (RFC 1035 section 4).</summary>
internal static class DnsMessage
{
    /// <summary>Record type A.</summary>
    public const ushort TypeA = 1;

    /// <summary>Record type AAAA (RFC 3596).</summary>
    public const ushort TypeAaaa = 28;

    /// <summary>A question is never longer: header, the longest name, type and class.</summary>
    public const int MaxQuestionLength = 12 + 255 + 4;

    private const ushort TypeCname = 5;
    private const ushort ClassInternet = 1;
    private const int HeaderLength = 12;
    private const int MaxRecords = 256;
    private const int MaxNameJumps = 32;

    /// <summary>Writes a question; 0 where the name is none (RFC 1035: labels of 1 to 63 bytes, 255 in all).</summary>
    public static int WriteQuestion(Span<byte> buffer, ushort id, string name, ushort type)
    {
        buffer[..HeaderLength].Clear();
        BinaryPrimitives.WriteUInt16BigEndian(buffer, id);
        buffer[2] = 1; // recursion desired
        buffer[5] = 1; // one question
        var at = HeaderLength;
        foreach (var label in name.AsSpan().TrimEnd('.').Split('.'))
        {
            var text = name.AsSpan()[label];
            if (text.Length is 0 or > 63 || !Ascii.IsValid(text) || at + text.Length + 2 > HeaderLength + 255)
            {
                return 0;
            }

            buffer[at++] = (byte)text.Length;
            at += Encoding.ASCII.GetBytes(text, buffer[at..]);
        }

        buffer[at++] = 0;
        BinaryPrimitives.WriteUInt16BigEndian(buffer[at..], type);
        BinaryPrimitives.WriteUInt16BigEndian(buffer[(at + 2)..], ClassInternet);
        return at + 4;
    }

    /// <summary>Reads an answer to a question that <see cref="WriteQuestion"/> wrote.</summary>
    /// <param name="message">The answer.</param>
    /// <param name="question">The question as it was sent.</param>
    /// <param name="addresses">Gets the addresses.</param>
    /// <param name="timeToLive">The shortest of the records that lead to them, in seconds.</param>
    public static DnsOutcome ReadAnswer(ReadOnlySpan<byte> message, ReadOnlySpan<byte> question, List<IPAddress> addresses, ref uint timeToLive)
    {
        // The same id and the same question: with the random port of the socket what makes it hard to answer in the server's place.
        if (message.Length < question.Length || !message[..2].SequenceEqual(question[..2]) || (message[2] & 0xF8) != 0x80
            || BinaryPrimitives.ReadUInt16BigEndian(message[4..]) != 1 || !EqualNames(message[HeaderLength..question.Length], question[HeaderLength..]))
        {
            return DnsOutcome.Invalid;
        }

        if ((message[2] & 2) != 0)
        {
            return DnsOutcome.Truncated;
        }

        switch (message[3] & 15)
        {
            case 0:
                break;
            case 3:
                return DnsOutcome.NoSuchName;
            default:
                return DnsOutcome.Failed;
        }

        var type = BinaryPrimitives.ReadUInt16BigEndian(question[^4..]);
        var count = Math.Min(MaxRecords, (int)BinaryPrimitives.ReadUInt16BigEndian(message[6..]));
        var at = question.Length;
        for (var i = 0; i < count; i++)
        {
            if (!SkipName(message, ref at) || message.Length - at < 10)
            {
                return DnsOutcome.Invalid;
            }

            var kind = BinaryPrimitives.ReadUInt16BigEndian(message[at..]);
            var isInternet = BinaryPrimitives.ReadUInt16BigEndian(message[(at + 2)..]) == ClassInternet;
            var seconds = BinaryPrimitives.ReadUInt32BigEndian(message[(at + 4)..]);
            var length = BinaryPrimitives.ReadUInt16BigEndian(message[(at + 8)..]);
            at += 10;
            if (message.Length - at < length)
            {
                return DnsOutcome.Invalid;
            }

            if (isInternet && (kind == type || kind == TypeCname))
            {
                // RFC 2181 section 8: the highest bit set means 0.
                timeToLive = Math.Min(timeToLive, seconds > int.MaxValue ? 0 : seconds);
                if (kind == type && length == (type == TypeA ? 4 : 16))
                {
                    addresses.Add(new IPAddress(message.Slice(at, length)));
                }
            }

            at += length;
        }

        return DnsOutcome.Answered;
    }

    // Servers may answer in another case.
    private static bool EqualNames(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other) =>
        Ascii.EqualsIgnoreCase(one[..^4], other[..^4]) && one[^4..].SequenceEqual(other[^4..]);

    private static bool SkipName(ReadOnlySpan<byte> message, ref int at)
    {
        for (var labels = 0; labels < 128 + MaxNameJumps; labels++)
        {
            if (at >= message.Length)
            {
                return false;
            }

            var length = message[at];
            if ((length & 0xC0) == 0xC0)
            {
                at += 2;
                return at <= message.Length;
            }

            if (length > 63)
            {
                return false;
            }

            at += 1 + length;
            if (length == 0)
            {
                return true;
            }
        }

        return false;
    }
}
