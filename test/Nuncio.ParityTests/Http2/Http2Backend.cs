using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Nuncio.ParityTests.Static;
using Nuncio.Testing.Backends;

namespace Nuncio.ParityTests.Http2;

/// <summary>
/// An HTTP/2 upstream in cleartext that answers as the request's <c>x-do</c> says, by default with what it was asked; a gRPC call gets its messages back.
/// </summary>
internal sealed class Http2Backend : IPlaneBackend
{
    private readonly WireBackend _backend;

    public Http2Backend() => _backend = WireBackend.Start(TalkAsync);

    public int Port => _backend.Port;

    public int Connections => _backend.Accepted;

    public ConcurrentQueue<BackendRequest> Requests { get; } = [];

    public ValueTask DisposeAsync() => _backend.DisposeAsync();

    private async Task TalkAsync(HttpWire raw, CancellationToken cancellation)
    {
        await raw.Stream.ReadExactlyAsync(new byte[Http2Wire.Preface.Length], cancellation);
        var wire = new Http2Wire(raw.Stream);
        await wire.WriteAsync([.. Http2Wire.Frame(
            WireFrame.Settings, 0, 0, Http2Wire.OpenSettings), .. Http2Wire.Frame(WireFrame.WindowUpdate, 0, 0, Http2Wire.Number(1 << 29))]);
        var open = new Dictionary<int, Incoming>();
        while (await wire.ReadAsync(cancellation) is { } frame)
        {
            if (frame.Type is not (WireFrame.Headers or WireFrame.Data)) continue;
            if (!open.TryGetValue(frame.Stream, out var incoming)) open[frame.Stream] = incoming = new Incoming(frame.Block);
            else if (frame.Type == WireFrame.Headers) incoming.Trailers = frame.Block;

            if (frame.Type == WireFrame.Data)
            {
                incoming.Body.Write(frame.Payload);
                if (incoming.Do == "stream") await wire.WriteDataAsync(frame.Stream, frame.Payload, end: false);
            }
            else if (incoming.Trailers.Count == 0 && incoming.Do is "stream" or "early")
            {
                await wire.WriteHeadersAsync(frame.Stream, [(":status", "200"), ("content-type", "application/grpc")], end: false);
                if (incoming.Do == "early")
                {
                    await wire.WriteHeadersAsync(frame.Stream, [("grpc-status", "7"), ("grpc-message", "early")], end: true);
                    await wire.WriteAsync(WireFrame.Reset, 0, frame.Stream, Http2Wire.Number(0));
                    incoming.IsAnswered = true;
                    Requests.Enqueue(incoming.ToRequest());
                }
            }

            if (!frame.EndStream || incoming.IsAnswered) continue;
            Requests.Enqueue(incoming.ToRequest());
            if (!await AnswerAsync(wire, frame.Stream, incoming)) return;
        }
    }

    // False to close the connection.
    private static async Task<bool> AnswerAsync(Http2Wire wire, int stream, Incoming request)
    {
        var words = request.Do.Split(' ');
        var isGrpc = request["content-type"]?.StartsWith("application/grpc", StringComparison.Ordinal) == true;
        switch (words[0])
        {
            case "close":
                return false;
            case "silent":
                return true;
            case "stream":
                await wire.WriteHeadersAsync(stream, [("grpc-status", "0")], end: true);
                return true;
            case "reset":
                await wire.WriteAsync(WireFrame.Reset, 0, stream, Http2Wire.Number(uint.Parse(words[1], CultureInfo.InvariantCulture)));
                return true;
            case "reset-after":
                await wire.WriteHeadersAsync(stream, [(":status", "200")], end: false);
                await wire.WriteDataAsync(stream, "partly"u8.ToArray(), end: false);
                await wire.WriteAsync(WireFrame.Reset, 0, stream, Http2Wire.Number(uint.Parse(words[1], CultureInfo.InvariantCulture)));
                return true;
            case "close-after":
                await wire.WriteHeadersAsync(stream, [(":status", "200")], end: false);
                await wire.WriteDataAsync(stream, "partly"u8.ToArray(), end: false);
                return false;
            case "goaway":
                await wire.WriteAsync(WireFrame.GoAway, 0, 0, [.. Http2Wire.Number(0), .. Http2Wire.Number(0)]);
                return false;
            case "103":
                await wire.WriteHeadersAsync(stream, [(":status", "103"), ("link", "</a>")], end: false);
                break;
            case "trailers":
                await wire.WriteHeadersAsync(stream, [(":status", "200")], end: false);
                await wire.WriteDataAsync(stream, "one"u8.ToArray(), end: false);
                await wire.WriteHeadersAsync(stream, [("x-trailer", "last")], end: true);
                return true;
            case "large":
                await wire.WriteHeadersAsync(stream, [(":status", "200")], end: false);
                // Not awaited: the windows that it needs are read here.
                _ = wire.WriteDataAsync(stream, Encoding.ASCII.GetBytes(new string('a', 300_000)), end: true);
                return true;
            case "bad":
                await wire.WriteHeadersAsync(stream, words[1] switch
                {
                    "upper" => [(":status", "200"), ("X-Upper", "1")],
                    "connection" => [(":status", "200"), ("connection", "close")],
                    "nostatus" => [("x-a", "1")],
                    "pseudo" => [(":status", "200"), (":other", "1")],
                    "value" => [(":status", "200"), ("x-a", "o\nne")],
                    "length" => [(":status", "200"), ("content-length", "10")],
                    _ => [(":status", "2x0")],
                }, end: words[1] != "length");
                if (words[1] == "length") await wire.WriteDataAsync(stream, "short"u8.ToArray(), end: true);
                return true;
            case "grpc-trailers-only":
                await wire.WriteHeadersAsync(
                    stream, [(":status", "200"), ("content-type", "application/grpc"), ("grpc-status", words[1]), ("grpc-message", "as told")], end: true);
                return true;
            case "grpc-error":
                await wire.WriteHeadersAsync(stream, [(":status", "200"), ("content-type", "application/grpc")], end: false);
                await wire.WriteDataAsync(stream, [0, 0, 0, 0, 2, 8, 1], end: false);
                await wire.WriteHeadersAsync(stream, [("grpc-status", words[1]), ("grpc-message", "as told")], end: true);
                return true;
            case "grpc-without-trailers":
                await wire.WriteHeadersAsync(stream, [(":status", "200"), ("content-type", "application/grpc")], end: false);
                await wire.WriteDataAsync(stream, [0, 0, 0, 0, 2, 8, 1], end: true);
                return true;
            case "grpc-http-status":
                await wire.WriteHeadersAsync(stream, [(":status", words[1])], end: true);
                return true;
        }

        if (isGrpc)
        {
            await wire.WriteHeadersAsync(stream, [(":status", "200"), ("content-type", "application/grpc")], end: false);
            if (request.Body.Length > 0) await wire.WriteDataAsync(stream, request.Body.ToArray(), end: false);
            await wire.WriteHeadersAsync(stream, [("grpc-status", "0")], end: true);
            return true;
        }

        var status = int.TryParse(words[0], out var number) && number >= 200 ? words[0] : "200";
        await wire.WriteHeadersAsync(stream, [(":status", status), ("x-upstream", "h2")], end: request.Method == "HEAD");
        if (request.Method != "HEAD") await wire.WriteDataAsync(stream, Encoding.UTF8.GetBytes("body of " + request.Method), end: true);
        return true;
    }

    private sealed class Incoming(IReadOnlyList<(string Name, string Value)> headers)
    {
        public MemoryStream Body { get; } = new();

        public IReadOnlyList<(string Name, string Value)> Trailers { get; set; } = [];

        public bool IsAnswered { get; set; }

        public string Do { get; } = headers.FirstOrDefault(header => header.Name == "x-do").Value ?? "";

        public string Method => this[":method"] ?? "";

        public string? this[string name] => headers.FirstOrDefault(header => header.Name == name).Value;

        public BackendRequest ToRequest() => new(
            Method, this[":path"] ?? "",
            "HTTP/2", [.. headers.Where(header => header.Name is not (":method" or ":path")).Select(header => KeyValuePair.Create(header.Name, header.Value))],
            Body.ToArray(),
            [.. Trailers.Select(trailer => KeyValuePair.Create(trailer.Name, trailer.Value))]);
    }
}
