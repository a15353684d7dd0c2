using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Authentication;
using System.Text;
using Nuncio.Testing.Backends;

namespace Nuncio.EndToEndTests.Running.Churn;

/// <summary>Traffic of many kinds that goes on whatever happens to the gateway, and remembers everything that a client would call a fault.</summary>
internal sealed class SteadyTraffic : IAsyncDisposable
{
    /// <summary>The server name of TLS connections.</summary>
    public const string ServerName = "secure.example.com";

    private const string HostName = "example.com";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<string, int> _done = new();
    private readonly ConcurrentQueue<string> _faults = new();
    private readonly List<Task> _running = [];
    private readonly int _port;

    public SteadyTraffic(int port) => _port = port;

    /// <summary>What went wrong, each with the kind of traffic that met it.</summary>
    public IReadOnlyCollection<string> Faults => _faults;

    /// <summary>How much went right, by kind.</summary>
    public IReadOnlyDictionary<string, int> Done => _done;

    /// <summary>Requests one after the other on one connection, which nobody but the client may end.</summary>
    public SteadyTraffic KeepAlive(string target, bool tls = false) => Add($"keep-alive {(tls ? "https" : "http")} {target}", async kind =>
    {
        await using var client = await ConnectAsync(tls);
        while (!_stop.IsCancellationRequested)
        {
            Expect200(await client.SendAsync("GET", target, tls ? ServerName : HostName));
            Count(kind);
            await Task.Delay(2);
        }
    });

    /// <summary>Requests one after the other on one connection for as long as the gateway keeps it, as most clients send them.</summary>
    public SteadyTraffic Obedient(string target, bool tls = false) => Add($"obedient {(tls ? "https" : "http")} {target}", async kind =>
    {
        var keeps = true;
        await using var client = await ConnectAsync(tls);
        while (keeps && !_stop.IsCancellationRequested)
        {
            var response = await client.SendAsync("GET", target, tls ? ServerName : HostName);
            Expect200(response);
            Count(kind);
            keeps = response["connection"] != "close";
            await Task.Delay(2);
        }
    });

    /// <summary>Each request on a connection of its own.</summary>
    public SteadyTraffic NewConnections(string target, bool tls = false, int delay = 5) => Add($"new {(tls ? "https" : "http")} {target}", async kind =>
    {
        while (!_stop.IsCancellationRequested)
        {
            await using var client = await ConnectAsync(tls);
            Expect200(await client.SendAsync("GET", target, tls ? ServerName : HostName, "connection: close\r\n"));
            Count(kind);
            if (delay > 0) await Task.Delay(tls ? delay * 5 : delay);
        }
    });

    /// <summary>Requests with bodies.</summary>
    public SteadyTraffic Uploads(string target, bool obedient = false) => Add($"upload {target}", async kind =>
    {
        var body = new string('u', 20_000);
        var keeps = true;
        await using var client = await ConnectAsync(false);
        while (keeps && !_stop.IsCancellationRequested)
        {
            var response = await client.SendAsync("POST", target, HostName, body: body);
            Expect200(response);
            Count(kind);
            keeps = !obedient || response["connection"] != "close";
            await Task.Delay(10);
        }
    });

    /// <summary>Requests over HTTP/2 with TLS, some at once on one connection.</summary>
    public SteadyTraffic Http2(string target, bool mayReconnect = false) => Add($"http/2 {target}", async kind =>
    {
        var connections = 0;
        using var client = Http2Client(() => connections++);
        while (!_stop.IsCancellationRequested)
        {
            var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => client.GetAsync(target)));
            foreach (var answer in answers)
            {
                using (answer)
                {
                    if (answer.StatusCode != HttpStatusCode.OK) throw new InvalidDataException($"{answer.StatusCode}");
                }
            }

            if (connections != 1 && !mayReconnect) throw new InvalidDataException($"{connections} connections");
            Count(kind);
            await Task.Delay(5);
        }
    });

    /// <summary>A WebSocket that gets each of its messages back.</summary>
    public SteadyTraffic WebSocket(string target) => Add($"websocket {target}", async kind =>
    {
        using var socket = new ClientWebSocket();
        using (var patience = new CancellationTokenSource(Patience))
            await socket.ConnectAsync(new Uri(string.Create(CultureInfo.InvariantCulture, $"ws://127.0.0.1:{_port}{target}")), patience.Token);
        var buffer = new byte[100];
        for (var number = 0; !_stop.IsCancellationRequested; number++)
        {
            var text = number.ToString(CultureInfo.InvariantCulture);
            using var patience = new CancellationTokenSource(Patience);
            await socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, true, patience.Token);
            var message = await socket.ReceiveAsync(buffer, patience.Token);
            if (Encoding.UTF8.GetString(buffer, 0, message.Count) != text) throw new InvalidDataException($"message {number} came back otherwise");
            Count(kind);
            await Task.Delay(50);
        }

        using var last = new CancellationTokenSource(Patience);
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, last.Token);
    });

    /// <summary>One answer that goes on for as long as the traffic does; see <see cref="Numbers"/>.</summary>
    public SteadyTraffic Stream(string target) => Add($"stream {target}", async kind =>
    {
        await using var client = await ConnectAsync(false);
        await client.Wire.WriteAsync($"GET {target} HTTP/1.1\r\nhost: {HostName}\r\n\r\n");
        var status = await client.Wire.ReadLineAsync();
        if (status?.Contains(" 200 ", StringComparison.Ordinal) != true) throw new InvalidDataException($"{status}");
        await client.Wire.ReadHeadersAsync();
        for (var number = 0; !_stop.IsCancellationRequested; number++)
        {
            var length = int.Parse(await client.Wire.ReadLineAsync() ?? "", NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            var chunk = Encoding.Latin1.GetString(await client.Wire.ReadExactlyAsync(length));
            await client.Wire.ReadLineAsync();
            ExpectNumber(number, chunk.TrimEnd('\n'));
            Count(kind);
        }
    });

    /// <summary>The same over HTTP/2 with TLS.</summary>
    public SteadyTraffic Http2Stream(string target) => Add($"http/2 stream {target}", async kind =>
    {
        using var client = Http2Client(() => { });
        using var answer = await client.GetAsync(target, HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync());
        for (var number = 0; !_stop.IsCancellationRequested; number++)
        {
            using var patience = new CancellationTokenSource(Patience);
            ExpectNumber(number, await reader.ReadLineAsync(patience.Token));
            Count(kind);
        }
    });

    /// <summary>A connection to a TCPMapping that gets each of its lines back.</summary>
    public SteadyTraffic Tcp(int port) => Add("tcp", async kind =>
    {
        await using var client = await WireClient.ConnectAsync(port);
        for (var number = 0; !_stop.IsCancellationRequested; number++)
        {
            await client.Wire.WriteAsync(string.Create(CultureInfo.InvariantCulture, $"{number}\r\n"));
            ExpectNumber(number, await client.Wire.ReadLineAsync());
            Count(kind);
            await Task.Delay(50);
        }
    });

    /// <summary>What a backend of <see cref="Stream"/> says: a line with the next number every now and then, until it is stopped.</summary>
    public static async IAsyncEnumerable<string> Numbers([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (var number = 0; ; number++)
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"{number}\n");
            await Task.Delay(50, cancellationToken);
        }
    }

    /// <summary>What a backend of <see cref="Tcp"/> says: each line once more.</summary>
    public static async Task LinesBack(HttpWire wire, CancellationToken cancellationToken)
    {
        while (await wire.ReadLineAsync(cancellationToken) is { } line) await wire.WriteAsync($"{line}\r\n", cancellationToken);
    }

    /// <summary>Waits until every kind has done some more.</summary>
    public async Task ContinueAsync(int more)
    {
        var goals = _running.Count == 0 ? [] : _done.ToDictionary(pair => pair.Key, pair => pair.Value + more);
        for (var tries = 0; goals.Any(goal => _done[goal.Key] < goal.Value); tries++)
        {
            if (!_faults.IsEmpty || tries > 9000) throw new TimeoutException($"{this}");
            await Task.Delay(10);
        }
    }

    /// <summary>Ends it, and says what went wrong and how much went right.</summary>
    public async Task<IReadOnlyCollection<string>> StopAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_running);
        return _faults;
    }

    public override string ToString() => string.Join('\n', _faults.Concat(_done.Select(pair => $"{pair.Key}: {pair.Value}")));

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
    }

    private static void Expect200(WireResponse response)
    {
        if (response.Status != 200) throw new InvalidDataException($"{response.StatusLine} {response.BodyText}");
    }

    private static void ExpectNumber(int number, string? text)
    {
        if (text != number.ToString(CultureInfo.InvariantCulture)) throw new InvalidDataException($"{number} was due, and '{text}' came");
    }

    private Task<WireClient> ConnectAsync(bool tls) => tls ? WireClient.ConnectTlsAsync(_port, ServerName) : WireClient.ConnectAsync(_port);

    private HttpClient Http2Client(Action connected)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) =>
            {
                connected();
                var client = new TcpClient { NoDelay = true };
                await client.ConnectAsync(IPAddress.Loopback, _port, cancellationToken);
                return client.GetStream();
            },
        };
        // Which certificate came is what other tests ask.
        handler.SslOptions.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
        return new HttpClient(handler)
        {
            BaseAddress = new Uri($"https://{ServerName}"),
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Timeout = Patience,
        };
    }

    private SteadyTraffic Add(string kind, Func<string, Task> talk)
    {
        _done.TryAdd(kind, 0);
        _running.Add(RunAsync(kind, talk));
        return this;
    }

    private async Task RunAsync(string kind, Func<string, Task> talk)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await talk(kind);
            }
            catch (Exception e) when (e is IOException or SocketException or InvalidDataException or FormatException or HttpRequestException
                or WebSocketException or AuthenticationException or OperationCanceledException)
            {
                _faults.Enqueue($"{kind}: {e.Message} {e.InnerException?.Message}");
                await Task.Delay(20);
            }
        }
    }

    private void Count(string kind) => _done.AddOrUpdate(kind, 1, static (_, count) => count + 1);
}
