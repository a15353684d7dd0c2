using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Nuncio.Testing;

namespace Nuncio.EndToEndTests.Features;

/// <summary>Finds out whether QUIC is spoken at a port, on machines without QUIC too.</summary>
internal static class QuicProbe
{
    // One of those that are reserved so that clients can ask with it (RFC 9000, 15).
    private const uint UnknownVersion = 0x1a2a3a4a;

    // A shorter datagram is not answered (RFC 9000, 14.1).
    private const int DatagramBytes = 1200;

    /// <summary>Asks with a version that nobody knows until the port answers which ones it knows, as RFC 9000, 6.1 wants.</summary>
    /// <returns>These versions; 1 is that of RFC 9000.</returns>
    public static async Task<uint[]> VersionsAsync(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(IPAddress.Loopback, port);
        var question = new byte[DatagramBytes];
        question[0] = 0xC0;
        BinaryPrimitives.WriteUInt32BigEndian(question.AsSpan(1), UnknownVersion);
        question[5] = question[14] = 8;
        RandomNumberGenerator.Fill(question.AsSpan(6, 8));
        RandomNumberGenerator.Fill(question.AsSpan(15, 8));
        var answer = new byte[DatagramBytes];
        var received = 0;
        await Until.TrueAsync(
            async () =>
            {
                using var impatience = new CancellationTokenSource(TimeSpan.FromSeconds(1));
                try
                {
                    await socket.SendAsync(question, impatience.Token);
                    received = await socket.ReceiveAsync(answer, impatience.Token);
                    return true;
                }
                catch (Exception e) when (e is OperationCanceledException or SocketException)
                {
                    // A datagram may be lost, and nothing may listen yet.
                    return false;
                }
            },
            what: "an answer over QUIC");

        // The connection ids come back the other way round, after a version of zero.
        answer[0].ShouldBeGreaterThanOrEqualTo((byte)0x80);
        BinaryPrimitives.ReadUInt32BigEndian(answer.AsSpan(1)).ShouldBe(0u);
        answer.AsSpan(5, 9).SequenceEqual(question.AsSpan(14, 9)).ShouldBeTrue();
        return [.. Enumerable.Range(0, (received - 23) / 4).Select(i => BinaryPrimitives.ReadUInt32BigEndian(answer.AsSpan(23 + (4 * i))))];
    }
}
