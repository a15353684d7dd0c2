using System.Globalization;
using System.Text;
using Nuncio.ParityTests.Http2;
using Nuncio.ParityTests.Static;
using static Nuncio.ParityTests.Static.Resources;

namespace Nuncio.ParityTests.Areas;

/// <summary>gRPC: calls of all kinds, their deadlines, and the answers of the proxy itself.</summary>
internal static class GrpcArea
{
    private const string Call = "content-type: application/grpc\r\nte: trailers\r\n";

    private static readonly byte[] Message = [0, 0, 0, 0, 2, 8, 7];

    public static Area Value { get; } = new(
        "gRPC",
        [Listener("grpc", "", Chain(Http("grpc", string.Join(',',
            Route("/echo/", "grpc"),
            Route("/deadline/", "grpc", "\"max_stream_duration\":{\"grpc_timeout_header_max\":\"2s\"},"),
            Route("/retried/", "grpc", "\"retry_policy\":{\"retry_on\":\"unavailable,cancelled\",\"num_retries\":2},"),
            Route("/closed/", "grpc-closed"),
            Route("/one/", "grpc-one"),
            Route("/short/", "grpc", "\"timeout\":\"0.3s\","),
            $$"""{"match":{"prefix":"/direct/"},"direct_response":{"status":403,"body":{"inline_string":"not allowed"} } }"""))))],
        [Cluster("grpc", OverHttp2, "h2:grpc"), Cluster("grpc-closed", OverHttp2, "closed:grpc"), Cluster("grpc-one", "", "h1:grpc")],
        [
            Does.Http2("grpc-unary", "grpc", "/echo/Call", Call, Message),
            Does.Http2("grpc-unary-empty", "grpc", "/echo/Call", Call, []),
            Does.Http2("grpc-content-type-proto", "grpc", "/echo/Call", "content-type: application/grpc+proto\r\nte: trailers\r\n", Message),
            Does.Http2("grpc-request-trailers", "grpc", "/echo/Call", Call, Message, "x-t: 1\r\n"),
            .. new[] { 1, 2, 5, 13, 14, 16, 99 }.Select(
                status => Does.Http2($"grpc-trailers-only-{status}", "grpc", "/echo/Call", Call + $"x-do: grpc-trailers-only {status}\r\n", Message)),
            .. new[] { 0, 3, 7 }.Select(status => Does.Http2($"grpc-error-{status}", "grpc", "/echo/Call", Call + $"x-do: grpc-error {status}\r\n", Message)),
            Does.Http2("grpc-without-trailers", "grpc", "/echo/Call", Call + "x-do: grpc-without-trailers\r\n", Message),
            .. new[] { 400, 401, 403, 404, 429, 500, 502, 503, 504 }.Select(
                status => Does.Http2($"grpc-http-{status}", "grpc", "/echo/Call", Call + $"x-do: grpc-http-status {status}\r\n", Message)),
            Does.Http2("grpc-early-answer", "grpc", "/echo/Call", Call + "x-do: early\r\n", Message),
            Does.Http2("grpc-no-route", "grpc", "/nowhere/Call", Call, Message),
            Does.Http2("grpc-direct-response", "grpc", "/direct/Call", Call, Message),
            Does.Http2("grpc-connection-refused", "grpc", "/closed/Call", Call, Message),
            Does.Http2("grpc-timeout-of-route", "grpc", "/short/Call", Call + "x-do: silent\r\n", Message, takes: TimeSpan.FromSeconds(0.3)),
            Does.Http2(
                "grpc-timeout-header", "grpc", "/deadline/Call", Call + "grpc-timeout: 300m\r\nx-do: silent\r\n", Message, takes: TimeSpan.FromSeconds(0.3)),
            Does.Http2(
                "grpc-timeout-header-above", "grpc", "/deadline/Call", Call + "grpc-timeout: 20S\r\nx-do: silent\r\n", Message, takes: TimeSpan.FromSeconds(2)),
            // Whether an answer comes within microseconds is chance: there is none to that.
            .. new[] { "1H", "5M", "1S", "1500m", "2u", "999999999m", "x", "-1S", "" }.Select((value, i) =>
                Does.Http2(
                    $"grpc-timeout-value-{i}", "grpc", "/deadline/Call", Call + $"grpc-timeout: {value}\r\n{(value == "2u" ? "x-do: silent\r\n" : "")}", Message)),
            Does.Http2("grpc-timeout-ignored", "grpc", "/echo/Call", Call + "grpc-timeout: 5S\r\n", Message),
            Does.Http2("grpc-retried", "grpc", "/retried/Call", Call + "x-do: grpc-trailers-only 14\r\n", Message),
            Does.Http2("grpc-retried-not", "grpc", "/retried/Call", Call + "x-do: grpc-trailers-only 13\r\n", Message),
            Does.Http2("grpc-retry-of-header", "grpc", "/echo/Call", Call + "x-envoy-retry-grpc-on: internal\r\nx-do: grpc-trailers-only 13\r\n", Message),
            Does.Http2("grpc-reset", "grpc", "/echo/Call", Call + "x-do: reset 8\r\n", Message),
            Does.Http2("grpc-reset-after", "grpc", "/echo/Call", Call + "x-do: reset-after 8\r\n", Message),
            Does.Http2("grpc-closed-by-upstream", "grpc", "/echo/Call", Call + "x-do: close\r\n", Message),
            Does.Http2("grpc-to-http1", "grpc", "/one/Call", Call, Message),
            Does.Http2("grpc-web-unasked", "grpc", "/echo/Call", "content-type: application/grpc-web\r\n", Message),
            Does.Http1(
                "grpc-over-http1", "grpc",
                "POST /echo/?ID HTTP/1.1\r\nhost: a\r\ncontent-type: application/grpc\r\nte: trailers\r\ncontent-length: 7\r\n\r\n\0\0\0\0\u0002\u0008\u0007"),
            Does.Http1(
                "grpc-over-http1-no-route", "grpc", "POST /nowhere/?ID HTTP/1.1\r\nhost: a\r\ncontent-type: application/grpc\r\ncontent-length: 0\r\n\r\n"),
            new("grpc-streaming", (plane, seen) => Does.WithClientAsync(plane, seen, "grpc", null, null, async (client, cancellation) =>
            {
                var wire = new Http2Wire(client.Stream);
                await wire.StartClientAsync();
                await wire.WriteHeadersAsync(1, [.. Does.Pseudo("POST", "/echo/Chat?grpc-streaming"), .. Does.Fields(Call), ("x-do", "stream")], end: false);
                for (var i = 0; i < 3; i++)
                {
                    // Each message comes back before the next is sent.
                    await wire.WriteDataAsync(1, [0, 0, 0, 0, 2, 8, (byte)i], end: false);
                    while (await wire.ReadAsync(cancellation) is { } frame)
                    {
                        if (frame.Type != WireFrame.Data || frame.Payload.Length == 0) continue;
                        seen.Add($"message {i}", Convert.ToHexString(frame.Payload));
                        break;
                    }
                }

                await wire.WriteDataAsync(1, [], end: true);
                await Does.AddAnswerAsync(wire, seen, 1, cancellation, "after ");
            })),
            new("grpc-cancelled", (plane, seen) => Does.WithClientAsync(plane, seen, "grpc", null, null, async (client, cancellation) =>
            {
                var wire = new Http2Wire(client.Stream);
                await wire.StartClientAsync();
                await wire.WriteHeadersAsync(1, [.. Does.Pseudo("POST", "/echo/Chat?grpc-cancelled"), .. Does.Fields(Call), ("x-do", "stream")], end: false);
                await wire.WriteDataAsync(1, Message, end: false);
                while (await wire.ReadAsync(cancellation) is { } frame && (frame.Type != WireFrame.Data || frame.Payload.Length == 0))
                {
                    // Until the first message came back.
                }

                await wire.WriteAsync(WireFrame.Reset, 0, 1, Http2Wire.Number(8));
                await wire.WriteAsync(WireFrame.Ping, 0, 0, new byte[8]);
                while (await wire.ReadAsync(cancellation) is { } frame)
                {
                    if (frame.Type != WireFrame.Ping) continue;
                    seen.Add("connection", "kept");
                    break;
                }
            })),
        ]);
}
