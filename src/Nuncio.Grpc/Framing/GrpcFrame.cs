using System.Buffers.Binary;

namespace Nuncio.Grpc.Framing;

/// <summary>The form of a message on a stream: a flag octet, four octets of length, the message (gRPC's PROTOCOL-HTTP2.md).</summary>
public static class GrpcFrame
{
    /// <summary>Octets before each message.</summary>
    public const int PrefixLength = 5;

    /// <summary>What a message takes on the wire.</summary>
    /// <exception cref="GrpcStatusException">It is larger than allowed (ResourceExhausted).</exception>
    public static int LengthOf(IMessage message, int maxMessageLength)
    {
        ArgumentNullException.ThrowIfNull(message);
        var length = message.CalculateSize();
        if (length > maxMessageLength)
            throw new GrpcStatusException(GrpcStatusCode.ResourceExhausted, $"A message to send has {length} bytes; {maxMessageLength} are allowed.");
        return PrefixLength + length;
    }

    /// <summary>Writes a message into exactly what <see cref="LengthOf"/> said.</summary>
    public static void Write(IMessage message, Span<byte> destination)
    {
        destination[0] = 0;
        BinaryPrimitives.WriteUInt32BigEndian(destination[1..], (uint)(destination.Length - PrefixLength));
        message.WriteTo(destination[PrefixLength..]);
    }

    /// <summary>Reads the prefix of a message.</summary>
    /// <returns>The message's length.</returns>
    /// <exception cref="GrpcStatusException">It is compressed, which was not offered (Internal), or too large (ResourceExhausted).</exception>
    public static int ReadPrefix(ReadOnlySpan<byte> prefix, int maxMessageLength)
    {
        var length = BinaryPrimitives.ReadUInt32BigEndian(prefix[1..]);
        if (prefix[0] != 0)
        {
            throw prefix[0] == 1
                ? new GrpcStatusException(GrpcStatusCode.Unimplemented, "The message is compressed, which was not agreed on.")
                : new GrpcStatusException(GrpcStatusCode.Internal, "What arrived is no gRPC message.");
        }

        if (length > (uint)maxMessageLength)
            throw new GrpcStatusException(GrpcStatusCode.ResourceExhausted, $"A received message has {length} bytes; {maxMessageLength} are allowed.");
        return (int)length;
    }

    /// <summary>Parses a message.</summary>
    /// <exception cref="GrpcStatusException">It is none of its type (Internal).</exception>
    public static T Parse<T>(MessageParser<T> parser, ReadOnlySpan<byte> message)
        where T : IMessage<T>
    {
        ArgumentNullException.ThrowIfNull(parser);
        try
        {
            return parser.ParseFrom(message);
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or InvalidOperationException)
        {
            throw new GrpcStatusException(GrpcStatusCode.Internal, "A received message cannot be read.", e);
        }
    }
}
