using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Nuncio.Testing.Backends;
using Xunit.Abstractions;

namespace Nuncio.EndToEndTests.Conformance.Smuggling;

/// <summary>
/// An upstream that lies about lengths, answers twice, or sends what is no HTTP: what the client gets of it, and that the requests after it get their own
/// answers all the same. A line of <c>answers.txt</c> is a name, what the client gets, the method, and the bytes.
/// </summary>
public sealed class AnswersTests(ITestOutputHelper output)
{
    private const string CleanBody = "clean";

    [Fact]
    public async Task HostileUpstream_OnEveryAnswer_PoisonsNoOtherRequest()
    {
        var cases = Corpus.Read("answers.txt");
        cases.Count.ShouldBeGreaterThanOrEqualTo(150);
        await using var upstream = new HostileUpstream(cases);
        await using var nuncio = await ProxyFixture.StartNuncioAsync(upstream.Port);
        var faults = new List<string>();

        foreach (var @case in cases)
        {
            await using var client = await WireClient.ConnectAsync(nuncio.Port);
            var got = await AskAsync(client, @case.Difference, @case.Name);
            if (got != @case.Want) faults.Add($"{@case.Name}: got '{got}', not '{@case.Want}'");

            // What comes unasked after an answer can only be told from the next answer where it comes before the next request.
            if (@case.Text.Contains("{pause}", StringComparison.Ordinal)) await upstream.QuietAsync();
            for (var i = 0; i < 2; i++)
            {
                await using var next = await WireClient.ConnectAsync(nuncio.Port);
                var clean = await AskAsync(next, "GET", CleanBody);
                if (clean != "200 " + CleanBody) faults.Add($"{@case.Name}: the request after it got '{clean}'");
            }
        }

        output.WriteLine($"{cases.Count} answers");
        faults.ShouldBeEmpty(string.Join('\n', faults));
    }

    private static async Task<string> AskAsync(WireClient client, string method, string name)
    {
        await client.Wire.WriteAsync($"{method} /{name} HTTP/1.1\r\nhost: a\r\n\r\n");
        var status = "";
        var body = new StringBuilder();
        try
        {
            string line;
            List<KeyValuePair<string, string>> headers;
            do
            {
                line = await client.Wire.ReadLineAsync() ?? throw new EndOfStreamException();
                headers = await client.Wire.ReadHeadersAsync();
                status = line.Split(' ')[1];
            }
            while (status[0] == '1' && status != "101");

            if (method == "HEAD" || status is "204" or "304" || !status.StartsWith('2')) return status;
            await ReadBodyAsync(client.Wire, headers, body);
            return $"{status} {body}".TrimEnd();
        }
        catch (Exception e) when (e is EndOfStreamException or IOException)
        {
            return $"{status} {body} cut".Trim();
        }
    }

    private static async Task ReadBodyAsync(HttpWire wire, List<KeyValuePair<string, string>> headers, StringBuilder body)
    {
        if (Find("content-length") is { } length)
        {
            for (var left = int.Parse(length, System.Globalization.CultureInfo.InvariantCulture); left > 0; left--) body.Append((char)(await wire.ReadExactlyAsync(1))[0]);
        }
        else
        {
            Find("transfer-encoding").ShouldBe("chunked");
            while (true)
            {
                var line = await wire.ReadLineAsync() ?? throw new EndOfStreamException();
                var size = Convert.ToInt32(line, 16);
                for (var left = size; left > 0; left--) body.Append((char)(await wire.ReadExactlyAsync(1))[0]);
                if (await wire.ReadLineAsync() is not "") throw new EndOfStreamException();
                if (size == 0) return;
            }
        }

        string? Find(string name) => headers.Find(header => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;
    }

    private sealed class HostileUpstream : IAsyncDisposable
    {
        private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(150);
        private static readonly TimeSpan Arrival = TimeSpan.FromSeconds(2);

        private readonly Dictionary<string, string[]> _answers;
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly CancellationTokenSource _stop = new();
        private readonly ConcurrentDictionary<Task, bool> _answering = [];
        private readonly Task _accepting;

        public HostileUpstream(IReadOnlyList<Case> cases)
        {
            _answers = cases.ToDictionary(static @case => @case.Name, static @case => RawText.Pieces(@case.Text).ToArray(), StringComparer.Ordinal);
            _listener.Start();
            Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
            _accepting = AcceptAsync();
        }

        public int Port { get; }

        /// <summary>Completes when everything under way has been sent, with a moment for it to arrive.</summary>
        public async Task QuietAsync()
        {
            await Task.WhenAll(_answering.Keys).WaitAsync(Until.Limit);
            await Task.Delay(Arrival);
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            _listener.Stop();
            await _accepting;
            _stop.Dispose();
        }

        private async Task AcceptAsync()
        {
            while (!_stop.IsCancellationRequested)
            {
                try
                {
                    _ = TalkAsync(await _listener.AcceptTcpClientAsync(_stop.Token));
                }
                catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
                {
                    return;
                }
            }
        }

        private async Task TalkAsync(TcpClient client)
        {
            using var own = client;
            client.NoDelay = true;
            var wire = new HttpWire(client.GetStream());
            try
            {
                while (await wire.ReadRequestAsync(_stop.Token) is { } request)
                {
                    var answer = AnswerAsync(wire, request.Target[1..]);
                    _answering.TryAdd(answer, true);
                    var open = await answer;
                    _answering.TryRemove(answer, out _);
                    if (!open) return;
                }
            }
            catch (Exception e) when (e is IOException or InvalidDataException or OperationCanceledException)
            {
                // The proxy has had enough.
            }
        }

        // False: the connection closes.
        private async Task<bool> AnswerAsync(HttpWire wire, string name)
        {
            try
            {
                foreach (var piece in _answers.GetValueOrDefault(name, [Responses.Ok(CleanBody)]))
                {
                    switch (piece)
                    {
                        case "{pause}":
                            await Task.Delay(Pause, _stop.Token);
                            break;
                        case "{close}":
                            return false;
                        default:
                            await wire.WriteAsync(piece, _stop.Token);
                            break;
                    }
                }

                return true;
            }
            catch (Exception e) when (e is IOException or OperationCanceledException)
            {
                return false;
            }
        }
    }
}
