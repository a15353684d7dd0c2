using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Nuncio.DataPlane.Upstream.Dns;

/// <summary>
/// Asks name servers for addresses and how long they hold, which the operating system's resolver does not tell. Like it this completes names, knows the
/// hosts file and asks the next server where one does not answer.
/// </summary>
internal sealed class DnsClient(Func<DnsSettings> settings, TimeProvider time)
{
    private const int MaxDatagram = 4096;

    /// <summary>By the system's own files.</summary>
    public static DnsClient OfSystem(TimeProvider time)
    {
        return new DnsClient(static () => DnsSettings.Parse(Lines("/etc/resolv.conf"), Lines("/etc/hosts")), time);

        static string[] Lines(string path)
        {
            try
            {
                return File.ReadAllLines(path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return [];
            }
        }
    }

    /// <summary>Addresses of a name (see <see cref="NameResolver.ResolveWithTimeToLiveAsync"/>); null where there is no server to ask.</summary>
    public async ValueTask<ResolvedName?> ResolveAsync(string name, AddressFamily family, CancellationToken cancellationToken)
    {
        var current = settings();
        if (current.Servers.Count == 0)
        {
            return null;
        }

        if (current.Hosts.TryGetValue(name.TrimEnd('.'), out var known))
        {
            return new ResolvedName([.. known.Where(address => family is AddressFamily.Unspecified || address.AddressFamily == family)], null);
        }

        var failed = false;
        foreach (var candidate in current.Candidates(name))
        {
            var four = family == AddressFamily.InterNetworkV6 ? null : AskAsync(current, candidate, DnsMessage.TypeA, cancellationToken);
            var six = family == AddressFamily.InterNetwork ? null : AskAsync(current, candidate, DnsMessage.TypeAaaa, cancellationToken);
            var answers = new[] { four is null ? null : await four, six is null ? null : await six };
            List<IPAddress> addresses = [];
            var seconds = uint.MaxValue;
            foreach (var answer in answers)
            {
                failed |= answer is { Outcome: not (DnsOutcome.Answered or DnsOutcome.NoSuchName) };
                if (answer is { Addresses.Count: > 0 })
                {
                    addresses.AddRange(answer.Addresses);
                    seconds = Math.Min(seconds, answer.TimeToLive);
                }
            }

            if (addresses.Count > 0)
            {
                return new ResolvedName([.. addresses], TimeSpan.FromSeconds(seconds));
            }
        }

        // Of a name that a server could not look up nobody can say that it has no address.
        return new ResolvedName(failed ? null : [], null);
    }

    private async Task<Answer> AskAsync(DnsSettings current, string name, ushort type, CancellationToken cancellationToken)
    {
        var question = new byte[DnsMessage.MaxQuestionLength];
        var length = DnsMessage.WriteQuestion(question, (ushort)RandomNumberGenerator.GetInt32(65536), name, type);
        if (length == 0)
        {
            return new Answer(DnsOutcome.NoSuchName, [], 0);
        }

        var asked = question.AsMemory(0, length);
        for (var attempt = 0; attempt < current.Attempts; attempt++)
        {
            foreach (var server in current.Servers)
            {
                using var timeout = new CancellationTokenSource(current.Timeout, time);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
                try
                {
                    var answer = await AskAsync(server, asked, either.Token);
                    if (answer.Outcome is DnsOutcome.Answered or DnsOutcome.NoSuchName)
                    {
                        return answer;
                    }
                }
                catch (Exception e) when (e is SocketException or OperationCanceledException or IOException)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                }
            }
        }

        return new Answer(DnsOutcome.Failed, [], 0);
    }

    private static async Task<Answer> AskAsync(IPEndPoint server, ReadOnlyMemory<byte> question, CancellationToken cancellationToken)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(server, cancellationToken);
        await socket.SendAsync(question, cancellationToken);
        var buffer = new byte[MaxDatagram];
        while (true)
        {
            // What does not fit the question may come from somebody else: the right answer is still waited for.
            var answer = Read(buffer.AsSpan(0, await socket.ReceiveAsync(buffer, cancellationToken)), question.Span);
            switch (answer.Outcome)
            {
                case DnsOutcome.Invalid:
                    continue;
                case DnsOutcome.Truncated:
                    return await AskByStreamAsync(server, question, cancellationToken);
                default:
                    return answer;
            }
        }
    }

    // RFC 1035 section 4.2.2: a length before each message.
    private static async Task<Answer> AskByStreamAsync(IPEndPoint server, ReadOnlyMemory<byte> question, CancellationToken cancellationToken)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(server, cancellationToken);
        await using var stream = new NetworkStream(socket);
        var framed = new byte[question.Length + 2];
        BinaryPrimitives.WriteUInt16BigEndian(framed, (ushort)question.Length);
        question.CopyTo(framed.AsMemory(2));
        await stream.WriteAsync(framed, cancellationToken);
        await stream.ReadExactlyAsync(framed.AsMemory(0, 2), cancellationToken);
        var buffer = new byte[BinaryPrimitives.ReadUInt16BigEndian(framed)];
        await stream.ReadExactlyAsync(buffer, cancellationToken);
        return Read(buffer, question.Span);
    }

    private static Answer Read(ReadOnlySpan<byte> message, ReadOnlySpan<byte> question)
    {
        var addresses = new List<IPAddress>();
        var seconds = uint.MaxValue;
        var outcome = DnsMessage.ReadAnswer(message, question, addresses, ref seconds);
        return new Answer(outcome, addresses, seconds);
    }

    private sealed record Answer(DnsOutcome Outcome, List<IPAddress> Addresses, uint TimeToLive);
}
