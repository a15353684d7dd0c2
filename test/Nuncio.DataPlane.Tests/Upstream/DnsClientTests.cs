using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Nuncio.DataPlane.Upstream;
using Nuncio.DataPlane.Upstream.Dns;
using Nuncio.Testing;

namespace Nuncio.DataPlane.Tests.Upstream;

public sealed class DnsClientTests
{
    [Fact]
    public async Task Name_WithAddressesBehindAnAlias_HasThemAndTheShortestTimeToLive()
    {
        await using var server = new Server((name, type) => name == "a.example"
            ? new Reply(0, type == 1 ? [(5, 30, [1, (byte)'x', 0]), (1, 60, [10, 0, 0, 1]), (1, 90, [10, 0, 0, 2])] : [])
            : new Reply(3, []));
        var found = await ResolveAsync(server, "a.example", AddressFamily.Unspecified);
        found.Addresses.ShouldBe([IPAddress.Parse("10.0.0.1"), IPAddress.Parse("10.0.0.2")]);
        found.TimeToLive.ShouldBe(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task ShortName_IsCompletedByTheSearchedDomains()
    {
        await using var server = new Server((name, type) => name == "web.ns.svc" && type == 28 ? new Reply(0, [(28, 7, new byte[15].Append((byte)1).ToArray())]) : new Reply(3, []));
        var found = await ResolveAsync(server, "web", AddressFamily.Unspecified);
        found.ShouldSatisfyAllConditions(() => found.Addresses.ShouldBe([IPAddress.IPv6Loopback]), () => found.TimeToLive.ShouldBe(TimeSpan.FromSeconds(7)));
        server.Asked.ShouldContain("web.other");
    }

    [Fact]
    public async Task NameThatIsNot_HasNoAddress_AndOneThatNobodyKnows_IsAFailure()
    {
        await using var server = new Server((name, _) => new Reply(name.StartsWith("broken", StringComparison.Ordinal) ? 2 : 3, []));
        (await ResolveAsync(server, "missing.example", AddressFamily.InterNetwork)).Addresses.ShouldBe([]);
        (await ResolveAsync(server, "broken.example", AddressFamily.InterNetwork)).Addresses.ShouldBeNull();
        (await ResolveAsync(server, new string('x', 64) + ".example", AddressFamily.InterNetwork)).Addresses.ShouldBe([]);
    }

    [Fact]
    public async Task AnswerOfSomebodyElse_IsPassedOver_AndATruncatedOneAskedForAgainByTcp()
    {
        await using var server = new Server((_, _) => new Reply(0, [(1, 5, [10, 0, 0, 3])])) { SendsForgeriesFirst = true, TruncatesDatagrams = true };
        (await ResolveAsync(server, "a.example", AddressFamily.InterNetwork)).Addresses.ShouldBe([IPAddress.Parse("10.0.0.3")]);
    }

    [Fact]
    public async Task NameOfTheHostsFile_IsNotAskedFor()
    {
        await using var server = new Server((_, _) => new Reply(2, []));
        var found = await ResolveAsync(server, "Own.Example", AddressFamily.Unspecified);
        found.Addresses.ShouldBe([IPAddress.Parse("10.9.9.9"), IPAddress.Parse("fd00::9")]);
        found.TimeToLive.ShouldBeNull();
        server.Asked.ShouldBeEmpty();
    }

    [Fact]
    public void Settings_TakeWhatResolvConfSays()
    {
        var settings = DnsSettings.Parse(
            ["# comment", "nameserver 10.0.0.53", "nameserver nonsense", "nameserver fd00::53 ; other", "search a.b. c", "options ndots:5 timeout:2 attempts:3 rotate"], []);
        settings.Servers.ShouldBe([new IPEndPoint(IPAddress.Parse("10.0.0.53"), 53), new IPEndPoint(IPAddress.Parse("fd00::53"), 53)]);
        settings.Candidates("x.y").ShouldBe(["x.y.a.b", "x.y.c", "x.y"]);
        settings.Candidates("x.y.").ShouldBe(["x.y."]);
        (settings.Timeout, settings.Attempts).ShouldBe((TimeSpan.FromSeconds(2), 3));
    }

    private static async Task<ResolvedName> ResolveAsync(Server server, string name, AddressFamily family) =>
        (await Client(server).ResolveAsync(name, family, default)).ShouldNotBeNull();

    private static DnsClient Client(Server server)
    {
        var settings = DnsSettings.Parse(["search other ns.svc"], ["10.9.9.9 own.example", "fd00::9 own.example # mine"]);
        return new DnsClient(
            () => new DnsSettings { Servers = [server.EndPoint], Searched = settings.Searched, Hosts = settings.Hosts, Attempts = 1, Timeout = Until.Limit },
            TimeProvider.System);
    }

    private sealed record Reply(int Code, (ushort Type, uint Seconds, byte[] Data)[] Records);

    private sealed class Server : IAsyncDisposable
    {
        private readonly Func<string, ushort, Reply> _answer;
        private readonly Socket _datagrams = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        private readonly TcpListener _streams;
        private readonly Task _serving;

        public Server(Func<string, ushort, Reply> answer)
        {
            _answer = answer;
            _datagrams.Bind(new IPEndPoint(IPAddress.Loopback, FreePort.Next()));
            EndPoint = (IPEndPoint)_datagrams.LocalEndPoint!;
            _streams = new TcpListener(EndPoint);
            _streams.Start();
            _serving = Task.WhenAll(ServeDatagramsAsync(), ServeStreamsAsync());
        }

        public IPEndPoint EndPoint { get; }

        public bool SendsForgeriesFirst { get; init; }

        public bool TruncatesDatagrams { get; init; }

        public System.Collections.Concurrent.ConcurrentQueue<string> Asked { get; } = [];

        public async ValueTask DisposeAsync()
        {
            _datagrams.Dispose();
            _streams.Stop();
            await _serving.WaitAsync(Until.Limit);
        }

        private async Task ServeDatagramsAsync()
        {
            var buffer = new byte[512];
            try
            {
                while (true)
                {
                    var received = await _datagrams.ReceiveFromAsync(buffer, EndPoint);
                    var question = buffer.AsMemory(0, received.ReceivedBytes);
                    if (SendsForgeriesFirst)
                    {
                        var forged = Answer(question.Span, new Reply(0, [(1, 5, [6, 6, 6, 6])]), truncated: false);
                        forged[0] ^= 1;
                        await _datagrams.SendToAsync(forged, received.RemoteEndPoint);
                        await _datagrams.SendToAsync(new byte[] { 1, 2, 3 }, received.RemoteEndPoint);
                    }

                    await _datagrams.SendToAsync(Answer(question.Span, null, TruncatesDatagrams), received.RemoteEndPoint);
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The test is over.
            }
        }

        private async Task ServeStreamsAsync()
        {
            try
            {
                while (true)
                {
                    using var client = await _streams.AcceptTcpClientAsync();
                    var stream = client.GetStream();
                    var length = new byte[2];
                    await stream.ReadExactlyAsync(length);
                    var question = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
                    await stream.ReadExactlyAsync(question);
                    var answer = Answer(question, null, truncated: false);
                    BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)answer.Length);
                    await stream.WriteAsync(length.Concat(answer).ToArray());
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or IOException)
            {
                // The test is over.
            }
        }

        private byte[] Answer(ReadOnlySpan<byte> question, Reply? reply, bool truncated)
        {
            var name = new StringBuilder();
            var at = 12;
            for (; question[at] != 0; at += 1 + question[at])
            {
                name.Append(name.Length == 0 ? "" : ".").Append(Encoding.ASCII.GetString(question.Slice(at + 1, question[at])));
            }

            Asked.Enqueue(name.ToString());
            reply ??= _answer(name.ToString(), BinaryPrimitives.ReadUInt16BigEndian(question[(at + 1)..]));
            var answer = new List<byte>(question.ToArray());
            (answer[2], answer[3]) = ((byte)(truncated ? 0x83 : 0x81), (byte)(0x80 | reply.Code));
            answer[7] = (byte)reply.Records.Length;
            foreach (var (type, seconds, data) in reply.Records)
            {
                answer.AddRange([0xC0, 12, (byte)(type >> 8), (byte)type, 0, 1, (byte)(seconds >> 24), (byte)(seconds >> 16), (byte)(seconds >> 8), (byte)seconds, 0, (byte)data.Length]);
                answer.AddRange(data);
            }

            return [.. answer];
        }
    }
}
