using System.Text.Json;
using Nuncio.Testing.Backends;

namespace Nuncio.DataPlane.Tests.Parity;

/// <summary>
/// A client that sends the whole of its request before it reads gets the answer that was given in the middle. Envoy stops reading instead and resets the
/// connection after <c>delayed_close_timeout</c>, so only ours is asked.
/// </summary>
public sealed class EarlyAnswerTests
{
    // 504 where the kernel takes all of it for an upstream that reads nothing.
    private const int TooSlow = 408;
    private const int Length = 12 * 1024 * 1024;

    [Theory]
    [InlineData(false, "/direct", false, 403)]
    [InlineData(true, "/direct", true, 403)]
    [InlineData(false, "/none", true, 503)]
    [InlineData(false, "/deaf", true, TooSlow)]
    [InlineData(true, "/deaf", false, TooSlow)]
    [InlineData(false, "/answers", false, 413)]
    public async Task Answer_ReachesAClientThatSendsOn(bool tls, string path, bool chunked, int expected)
    {
        await using var backend = WireBackend.Start(static async (wire, cancellationToken) =>
        {
            var head = await wire.ReadLineAsync(cancellationToken);
            await wire.ReadHeadersAsync(cancellationToken);
            if (head!.Contains("/answers", StringComparison.Ordinal))
            {
                await wire.WriteAsync("HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n", cancellationToken);
            }

            await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
        });
        using var certificate = TestCertificate.Create(["a"]);
        var socket = !tls ? "" : $$"""
            "transport_socket":{"name":"tls","typed_config":{"@type":"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
              "common_tls_context":{"tls_certificates":[{"certificate_chain":{"inline_string":{{JsonSerializer.Serialize(certificate.ChainPem)}} },
                "private_key":{"inline_string":{{JsonSerializer.Serialize(certificate.KeyPem)}} } }] } } },
            """;
        await using var pair = await ProxyPair.StartOursAsync(ProxyPair.Resources(
            """
            {"name":"h","domains":["*"],"routes":[
              {"match":{"prefix":"/direct"},"direct_response":{"status":403}},
              {"match":{"prefix":"/none"},"route":{"cluster":"none"} },
              {"match":{"prefix":"/deaf"},"route":{"cluster":"c","timeout":"0s","max_stream_duration":{"max_stream_duration":"0.2s"} } },
              {"match":{"prefix":"/"},"route":{"cluster":"c"} }] }
            """,
            ProxyPair.Cluster("c", "", (backend.Port, 1)) + "," + ProxyPair.Cluster("none", ""),
            "\"delayed_close_timeout\":\"60s\",",
            chain: socket));
        pair.Rejections.ShouldBeEmpty();

        await using var client = tls ? await WireClient.ConnectTlsAsync(pair.Port, "a") : await WireClient.ConnectAsync(pair.Port);
        await client.Wire.WriteAsync($"POST {path} HTTP/1.1\r\nhost: a\r\n{(chunked ? "transfer-encoding: chunked" : $"content-length: {Length}")}\r\n\r\n");
        if (chunked)
        {
            await client.Wire.WriteAsync($"{Length:x}\r\n");
        }

        var piece = new byte[256 * 1024];
        for (var sent = 0; sent < Length; sent += piece.Length)
        {
            await client.Wire.WriteAsync(piece).WaitAsync(Until.Limit);
        }

        (await client.Wire.ReadResponseAsync("POST").WaitAsync(Until.Limit)).Status.ShouldBeOneOf(expected == TooSlow ? [408, 504] : [expected]);
    }
}
