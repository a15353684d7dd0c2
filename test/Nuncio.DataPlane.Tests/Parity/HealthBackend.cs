using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Nuncio.DataPlane.Tests.Parity;

/// <summary>
/// Answers health checks over HTTP/1.1 and gRPC as what is asked for says, a name and the port of the proxy that asks: <c>/NAME/PORT</c> or the service
/// <c>NAME PORT</c>. The first check is good, the second one is as the name says, and to the third there is no answer.
/// </summary>
internal sealed class HealthBackend : IAsyncDisposable
{
    private static readonly byte[] Serving = [0, 0, 0, 0, 2, 8, 1];

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<string, int> _asked = new();
    private readonly ConcurrentBag<TcpClient> _clients = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    public HealthBackend()
    {
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _running = AcceptAsync();
    }

    public int Port { get; }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _running.WaitAsync(Until.Limit);
        foreach (var client in _clients) client.Dispose();
        _stop.Dispose();
    }

    /// <summary>A check of this name runs out of time.</summary>
    public static bool IsUnanswered(string key) => key.Split('/', ' ').FirstOrDefault(static word => word.Length > 0) is "silent" or "half";

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                _clients.Add(client);
                _ = ServeAsync(client);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // It is over.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        try
        {
            using (client)
            {
                client.NoDelay = true;
                var stream = client.GetStream();
                var start = new byte[3];
                await stream.ReadExactlyAsync(start, _stop.Token);
                if (start[0] == 'P') await ServeHttp2Async(stream);
                else await ServeHttp1Async(stream, Encoding.Latin1.GetString(start));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // Gone.
        }
    }

    // What the check before or after the one in question gets; null for the one in question. What runs out of time is the first one: a check that must
    // not could do so too where the machine is busy.
    private string? Other(string key) => _asked.AddOrUpdate(key, 1, static (_, n) => n + 1) switch
    {
        1 when IsUnanswered(key) => null,
        1 => "good",
        2 => null,
        _ => "silent",
    };

    private async Task ServeHttp1Async(NetworkStream stream, string text)
    {
        var buffer = new byte[4096];
        while (true)
        {
            while (!text.Contains("\r\n\r\n", StringComparison.Ordinal))
            {
                var read = await stream.ReadAsync(buffer, _stop.Token);
                if (read == 0) return;
                text += Encoding.Latin1.GetString(buffer, 0, read);
            }

            var key = text.Split(' ')[1];
            text = "";
            var name = Other(key) ?? key.Split('/')[1];
            if (name == "close") return;
            await stream.WriteAsync(
                Encoding.Latin1.GetBytes(name switch
                {
                    "silent" => "",
                    "half" => "HTTP/1.1 200 x\r\ncontent-length: 10\r\n\r\nabc",
                    "degraded" => "HTTP/1.1 200 x\r\nx-envoy-degraded: 1\r\ncontent-length: 0\r\n\r\n",
                    "excluded" => "HTTP/1.1 503 x\r\nx-envoy-immediate-health-check-fail: 1\r\ncontent-length: 0\r\n\r\n",
                    "excluded-ok" => "HTTP/1.1 200 x\r\nx-envoy-immediate-health-check-fail: 1\r\ncontent-length: 0\r\n\r\n",
                    _ => $"HTTP/1.1 {(int.TryParse(name, out var status) ? status : 200)} x\r\ncontent-length: 0\r\n\r\n",
                }),
                _stop.Token);
        }
    }

    private async Task ServeHttp2Async(NetworkStream stream)
    {
        await stream.ReadExactlyAsync(new byte[21], _stop.Token);
        await stream.WriteAsync(Frame(4, 0, 0, []), _stop.Token);
        var head = new byte[9];
        while (true)
        {
            await stream.ReadExactlyAsync(head, _stop.Token);
            var payload = new byte[(head[0] << 16) | (head[1] << 8) | head[2]];
            await stream.ReadExactlyAsync(payload, _stop.Token);
            if (head[3] == 4 && head[4] == 0) await stream.WriteAsync(Frame(4, 1, 0, []), _stop.Token);
            if (head[3] != 0) continue;

            // A frame of five bytes, a tag and a length, and the service.
            var service = Encoding.ASCII.GetString(payload.AsSpan(7));
            var name = Other(service) ?? service.Split(' ')[0];
            if (!await AnswerAsync(stream, head[8], name)) return;
        }
    }

    // False to close the connection.
    private async Task<bool> AnswerAsync(NetworkStream stream, byte id, string name)
    {
        var contentType = name switch { "html" => "text/html", "proto" => "application/grpc+proto", _ => "application/grpc" };
        var status = name.StartsWith("http-503", StringComparison.Ordinal) ? "503" : "200";
        var onlyHead = name is "http-503" or "trailers-only-0" or "trailers-only-12";
        var body = name switch
        {
            "not-serving" => [0, 0, 0, 0, 2, 8, 2],
            "unknown" => [0, 0, 0, 0, 2, 8, 0],
            "service-unknown" => [0, 0, 0, 0, 2, 8, 3],
            "other-field" => [0, 0, 0, 0, 4, 16, 5, 8, 1],
            "malformed" => [0, 0, 0, 0, 2, 8, 255],
            "compressed" => [1, .. Serving[1..]],
            "empty-first" => [0, 0, 0, 0, 0, .. Serving],
            "two-messages" => [.. Serving, .. Serving],
            "half-a-message" => Serving[..6],
            "no-message" => [],
            _ => Serving,
        };
        var trailers = name switch
        {
            "status-5" => Block(("grpc-status", "5")),
            "status-missing" => Block(("x", "y")),
            _ => Block(("grpc-status", "0")),
        };
        switch (name)
        {
            case "silent":
                return true;
            case "close":
                return false;
            case "reset":
                await stream.WriteAsync(Frame(3, 0, id, [0, 0, 0, 2]), _stop.Token);
                return true;
            case "refused":
                await stream.WriteAsync(Frame(3, 0, id, [0, 0, 0, 7]), _stop.Token);
                return true;
            case "goaway-unanswered":
                await stream.WriteAsync(Frame(7, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0]), _stop.Token);
                return true;
            case "goaway-answered":
                await stream.WriteAsync(Frame(7, 0, 0, [0, 0, 0, id, 0, 0, 0, 0]), _stop.Token);
                break;
        }

        byte[] headers = name == "trailers-only-12"
            ? Block((":status", status), ("content-type", contentType), ("grpc-status", "12"))
            : name is "trailers-only-0" or "status-in-headers" ? Block((":status", status), ("content-type", contentType), ("grpc-status", "0"))
            : Block((":status", status), ("content-type", contentType));
        await stream.WriteAsync(Frame(1, (byte)(onlyHead ? 5 : 4), id, headers), _stop.Token);
        if (onlyHead) return true;
        if (body.Length > 0) await stream.WriteAsync(Frame(0, (byte)(name is "without-trailers" or "status-in-headers" ? 1 : 0), id, body), _stop.Token);
        if (name is not ("without-trailers" or "status-in-headers")) await stream.WriteAsync(Frame(1, 5, id, trailers), _stop.Token);
        return true;
    }

    private static byte[] Block(params (string Name, string Value)[] headers) =>
    [
        .. headers.SelectMany(static header => (byte[])
            [0, (byte)header.Name.Length, .. Encoding.ASCII.GetBytes(header.Name), (byte)header.Value.Length, .. Encoding.ASCII.GetBytes(header.Value)]),
    ];

    private static byte[] Frame(byte type, byte flags, byte stream, byte[] payload) =>
        [0, (byte)(payload.Length >> 8), (byte)payload.Length, type, flags, 0, 0, 0, stream, .. payload];
}
