using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Nuncio.DataPlane.Model;

namespace Nuncio.DataPlane.Listening;

/// <summary>What reading a PROXY protocol header gave.</summary>
internal enum ProxyProtocolOutcome
{
    /// <summary>More bytes are needed.</summary>
    NeedMore,

    /// <summary>There is none, or a broken one.</summary>
    Invalid,

    /// <summary>The connection does not begin like one.</summary>
    Absent,

    /// <summary>It was read.</summary>
    Found,
}

/// <summary>The header that a load balancer puts in front of a connection (haproxy.org, proxy-protocol.txt, versions 1 and 2).</summary>
/// <param name="Length">Its bytes, to be skipped.</param>
/// <param name="Source">The client; null when the header speaks of none (LOCAL, UNKNOWN): the connection's own addresses hold.</param>
/// <param name="Destination">Where the client connected to.</param>
internal readonly record struct ProxyProtocolHeader(int Length, IPEndPoint? Source, IPEndPoint? Destination)
{
    private const int MaxV1 = 107;
    private const int V2Fixed = 16;

    // Addresses and TLVs; Envoy's bound is the two bytes of the length, ours keeps a connection from filling memory before it has said who it is.
    private const int MaxV2 = 16 + 4096;

    private static ReadOnlySpan<byte> V2Signature => "\r\n\r\n\0\r\nQUIT\n"u8;

    private static ReadOnlySpan<byte> V1Signature => "PROXY "u8;

    /// <summary>Reads it from the first bytes of a connection.</summary>
    public static ProxyProtocolOutcome TryParse(ReadOnlySpan<byte> bytes, ProxyProtocolModel allowed, out ProxyProtocolHeader header)
    {
        header = default;
        if (BeginsLike(bytes, V2Signature))
        {
            return bytes.Length < V2Fixed ? ProxyProtocolOutcome.NeedMore : allowed.AllowV2 ? ParseV2(bytes, out header) : ProxyProtocolOutcome.Invalid;
        }

        if (BeginsLike(bytes, V1Signature))
        {
            return bytes.Length < V1Signature.Length ? ProxyProtocolOutcome.NeedMore
                : allowed.AllowV1 ? ParseV1(bytes, out header)
                : ProxyProtocolOutcome.Invalid;
        }

        return allowed.AllowWithout ? ProxyProtocolOutcome.Absent : ProxyProtocolOutcome.Invalid;
    }

    private static bool BeginsLike(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> signature)
    {
        var common = Math.Min(bytes.Length, signature.Length);
        return bytes[..common].SequenceEqual(signature[..common]);
    }

    private static ProxyProtocolOutcome ParseV1(ReadOnlySpan<byte> bytes, out ProxyProtocolHeader header)
    {
        header = default;
        var end = bytes[..Math.Min(bytes.Length, MaxV1)].IndexOf("\r\n"u8);
        if (end < 0)
        {
            return bytes.Length >= MaxV1 ? ProxyProtocolOutcome.Invalid : ProxyProtocolOutcome.NeedMore;
        }

        var words = Encoding.ASCII.GetString(bytes[..end]).Split(' ');
        if (words.Length >= 2 && words[1] == "UNKNOWN")
        {
            header = new ProxyProtocolHeader(end + 2, null, null);
            return ProxyProtocolOutcome.Found;
        }

        var family = words.Length == 6
            ? words[1] switch { "TCP4" => AddressFamily.InterNetwork, "TCP6" => AddressFamily.InterNetworkV6, _ => AddressFamily.Unknown }
            : AddressFamily.Unknown;
        if (family == AddressFamily.Unknown
            || !TryAddress(words[2], family, out var source)
            || !TryAddress(words[3], family, out var destination)
            || !ushort.TryParse(words[4], NumberStyles.None, CultureInfo.InvariantCulture, out var sourcePort)
            || !ushort.TryParse(words[5], NumberStyles.None, CultureInfo.InvariantCulture, out var destinationPort))
        {
            return ProxyProtocolOutcome.Invalid;
        }

        header = new ProxyProtocolHeader(end + 2, new IPEndPoint(source, sourcePort), new IPEndPoint(destination, destinationPort));
        return ProxyProtocolOutcome.Found;
    }

    // Four numbers: the platform would take 10.1.2 for an address as well.
    private static bool TryAddress(string text, AddressFamily family, [NotNullWhen(true)] out IPAddress? address) =>
        IPAddress.TryParse(text, out address) && address.AddressFamily == family && (family != AddressFamily.InterNetwork || address.ToString() == text);

    private static ProxyProtocolOutcome ParseV2(ReadOnlySpan<byte> bytes, out ProxyProtocolHeader header)
    {
        header = default;
        int version = bytes[12] >> 4;
        int command = bytes[12] & 0xf;
        var length = V2Fixed + BinaryPrimitives.ReadUInt16BigEndian(bytes[14..]);
        if (version != 2 || command > 1 || length > MaxV2)
        {
            return ProxyProtocolOutcome.Invalid;
        }

        if (bytes.Length < length)
        {
            return ProxyProtocolOutcome.NeedMore;
        }

        var addresses = bytes[V2Fixed..length];
        header = new ProxyProtocolHeader(length, null, null);
        switch (bytes[13])
        {
            case 0x11 when command == 1 && addresses.Length >= 12:
                header = Addresses(length, addresses[..4], addresses[4..8], addresses[8..]);
                return ProxyProtocolOutcome.Found;
            case 0x21 when command == 1 && addresses.Length >= 36:
                header = Addresses(length, addresses[..16], addresses[16..32], addresses[32..]);
                return ProxyProtocolOutcome.Found;
            default:
                // LOCAL: a health check of the load balancer itself. Anything but TCP over IP cannot have come to a TCP listener.
                return command == 0 ? ProxyProtocolOutcome.Found : ProxyProtocolOutcome.Invalid;
        }
    }

    private static ProxyProtocolHeader Addresses(int length, ReadOnlySpan<byte> source, ReadOnlySpan<byte> destination, ReadOnlySpan<byte> ports) =>
        new(
            length,
            new IPEndPoint(new IPAddress(source), BinaryPrimitives.ReadUInt16BigEndian(ports)),
            new IPEndPoint(new IPAddress(destination), BinaryPrimitives.ReadUInt16BigEndian(ports[2..])));
}
