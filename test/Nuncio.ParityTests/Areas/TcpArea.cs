using System.Text;
using Nuncio.ParityTests.Static;
using Nuncio.Testing.Backends;
using static Nuncio.ParityTests.Static.Resources;

namespace Nuncio.ParityTests.Areas;

/// <summary>TCP proxies and the PROXY protocol.</summary>
internal static class TcpArea
{
    private const string Tls = """
        "transport_socket":{"name":"tls","typed_config":{"@type":"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
          "common_tls_context":{"tls_certificates":[ {"certificate_chain":{"inline_string":"$(pem:chain:tcp.example.com)"},"private_key":{"inline_string":"$(pem:key:tcp.example.com)"} }]} } },
        """;

    private const string UpstreamTls = """
        "transport_socket":{"name":"tls","typed_config":{"@type":"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext","sni":"upstream.example.com","common_tls_context":{} } },
        """;

    private static readonly string Inspector = """
        "listener_filters":[ {"name":"tls","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector"} }],
        """;

    private static readonly string Proxy = """
        "listener_filters":[ {"name":"proxy","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol"} }],
        """;

    public static Area Value { get; } = new(
        "TCP and PROXY protocol",
        [
            Listener("tcp", "", Chain(Tcp("tcp", "\"cluster\":\"tcp-a\""))),
            Listener("tcp-tls-upstream", "", Chain(Tcp("tcp-tls-upstream", "\"cluster\":\"tcp-tls\""))),
            Listener("tcp-closed", "", Chain(Tcp("tcp-closed", "\"cluster\":\"tcp-closed\",\"max_connect_attempts\":2"))),
            Listener("tcp-idle", "", Chain(Tcp("tcp-idle", "\"cluster\":\"tcp-a\",\"idle_timeout\":\"0.5s\""))),
            Listener("tcp-lifetime", "", Chain(Tcp("tcp-lifetime", "\"cluster\":\"tcp-a\",\"max_downstream_connection_duration\":\"0.5s\""))),
            Listener("tcp-weights", "", Chain(Tcp("tcp-weights", "\"weighted_clusters\":{\"clusters\":[ {\"name\":\"tcp-a\",\"weight\":1},{\"name\":\"tcp-b\",\"weight\":3}]}"))),
            Listener("tcp-unknown", "", Chain(Tcp("tcp-unknown", "\"cluster\":\"tcp-nowhere\""))),
            Listener("tcp-full", "", Chain(Tcp("tcp-full", "\"cluster\":\"tcp-full\""))),
            Listener("tcp-sni", "\"listener_filters_timeout\":\"1s\"," + Inspector,
                Chain(Tcp("tcp-sni-a", "\"cluster\":\"tcp-a\""), "\"filter_chain_match\":{\"server_names\":[\"a.example.com\"]}," + Tls),
                Chain(Tcp("tcp-sni-b", "\"cluster\":\"tcp-b\""), "\"filter_chain_match\":{\"server_names\":[\"*.b.example.com\"]}," + Tls),
                Chain(Tcp("tcp-sni-raw", "\"cluster\":\"tcp-tls\""), "\"filter_chain_match\":{\"server_names\":[\"raw.example.com\"]},")),
            Listener("proxy", Proxy, Chain(Http("proxy", Route("/", "tcp-http")))),
            Listener("proxy-tcp", Proxy, Chain(Tcp("proxy-tcp", "\"cluster\":\"tcp-a\""))),
            Listener("proxy-optional", Proxy.Replace(".ProxyProtocol\"", ".ProxyProtocol\",\"allow_requests_without_proxy_protocol\":true", StringComparison.Ordinal), Chain(Http("proxy-optional", Route("/", "tcp-http")))),
        ],
        [
            Cluster("tcp-a", "", "tcp:a"), Cluster("tcp-b", "", "tcp:b"), Cluster("tcp-tls", UpstreamTls, "tlstcp:c"), Cluster("tcp-closed", "", "closed:tcp"), Cluster("tcp-http", "", "h1:tcp"),
            Cluster("tcp-full", "\"circuit_breakers\":{\"thresholds\":[ {\"max_connections\":0,\"max_pending_requests\":0}]},", "tcp:a"),
        ],
        [
            Talk("tcp-echo", "tcp", ["one", "two"]),
            Talk("tcp-half-close", "tcp", ["one"], halfClose: true),
            Talk("tcp-closed-by-upstream", "tcp", ["quit"]),
            Talk("tcp-large", "tcp", [new string('x', 200_000)]),
            Talk("tcp-tls-to-upstream", "tcp-tls-upstream", ["one"]),
            Talk("tcp-connection-refused", "tcp-closed", []),
            Talk("tcp-unknown-cluster", "tcp-unknown", []),
            Talk("tcp-circuit-open", "tcp-full", []),
            Talk("tcp-idle-timeout", "tcp-idle", ["one"], waits: TimeSpan.FromSeconds(0.5)),
            Talk("tcp-lifetime", "tcp-lifetime", ["one"], waits: TimeSpan.FromSeconds(0.5)),
            new("tcp-weights", async (plane, seen) =>
            {
                var counts = new Dictionary<string, int>();
                // 100 of 400, within more than five standard deviations of 8.7.
                for (var i = 0; i < 400; i++)
                {
                    await using var client = await WireClient.ConnectAsync(plane.Port("l:tcp-weights"));
                    var name = await client.Wire.ReadLineAsync() ?? "";
                    counts[name] = counts.GetValueOrDefault(name) + 1;
                }

                var (a, b) = (counts.GetValueOrDefault("tcp:a"), counts.GetValueOrDefault("tcp:b"));
                seen.Add("shares", b is > 250 and < 350 && a is > 50 and < 150 ? "1 to 3" : string.Join(' ', counts));
            }, IsRandom: true),
            Talk("tcp-sni-exact", "tcp-sni", ["one"], serverName: "a.example.com"),
            Talk("tcp-sni-wildcard", "tcp-sni", ["one"], serverName: "x.b.example.com"),
            Talk("tcp-sni-upper-case", "tcp-sni", ["one"], serverName: "A.Example.com"),
            Talk("tcp-sni-half-close", "tcp-sni", ["one"], serverName: "a.example.com", halfClose: true),
            Talk("tcp-sni-passed-through", "tcp-sni", ["one"], serverName: "raw.example.com"),
            Talk("tcp-sni-miss", "tcp-sni", ["one"], serverName: "c.example.com"),
            Talk("tcp-sni-cleartext", "tcp-sni", ["one"], first: "hello\r\n"),
            Talk("tcp-sni-silent", "tcp-sni", []),
            .. new (string Name, string Bytes)[]
            {
                ("v1", "PROXY TCP4 10.1.2.3 10.4.5.6 1234 80\r\n"), ("v1-ipv6", "PROXY TCP6 2001:db8::1 2001:db8::2 1234 80\r\n"), ("v1-unknown", "PROXY UNKNOWN\r\n"),
                ("v1-unknown-more", "PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n"), ("v1-bad-address", "PROXY TCP4 10.1.2 10.4.5.6 1234 80\r\n"), ("v1-bad-port", "PROXY TCP4 10.1.2.3 10.4.5.6 99999 80\r\n"),
                ("v1-mixed", "PROXY TCP4 2001:db8::1 10.4.5.6 1234 80\r\n"), ("v1-lower-case", "proxy TCP4 10.1.2.3 10.4.5.6 1234 80\r\n"), ("v1-line-feed", "PROXY TCP4 10.1.2.3 10.4.5.6 1234 80\n"),
                ("v1-too-long", "PROXY TCP4 10.1.2.3 10.4.5.6 1234 80" + new string(' ', 100) + "\r\n"), ("v1-few-words", "PROXY TCP4 10.1.2.3\r\n"),
                ("v2", Version2(0x21, 0x11, [10, 1, 2, 3, 10, 4, 5, 6, 4, 210, 0, 80])), ("v2-local", Version2(0x20, 0, [])), ("v2-local-with-address", Version2(0x20, 0x11, [10, 1, 2, 3, 10, 4, 5, 6, 4, 210, 0, 80])),
                ("v2-ipv6", Version2(0x21, 0x21, [32, 1, 13, 184, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 32, 1, 13, 184, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 4, 210, 0, 80])),
                ("v2-extensions", Version2(0x21, 0x11, [10, 1, 2, 3, 10, 4, 5, 6, 4, 210, 0, 80, 4, 0, 1, 0])), ("v2-short", Version2(0x21, 0x11, [10, 1, 2, 3])), ("v2-bad-version", Version2(0x31, 0x11, [10, 1, 2, 3, 10, 4, 5, 6, 4, 210, 0, 80])),
                ("v2-bad-command", Version2(0x22, 0x11, [10, 1, 2, 3, 10, 4, 5, 6, 4, 210, 0, 80])), ("v2-udp", Version2(0x21, 0x12, [10, 1, 2, 3, 10, 4, 5, 6, 4, 210, 0, 80])), ("v2-unspecified", Version2(0x21, 0x00, [])),
                ("missing", ""),
            }.SelectMany(header => new[]
            {
                Does.Http1("proxy-" + header.Name, "proxy", header.Bytes + "GET /?ID HTTP/1.1\r\nhost: a\r\n\r\n", lives: false),
                Does.Http1("proxy-optional-" + header.Name, "proxy-optional", header.Bytes + "GET /?ID HTTP/1.1\r\nhost: a\r\n\r\n", lives: false),
            }),
            Talk("proxy-tcp", "proxy-tcp", ["one"], first: "PROXY TCP4 10.1.2.3 10.4.5.6 1234 80\r\n"),
        ]);

    private static string Version2(byte command, byte family, byte[] rest) =>
        "\r\n\r\n\0\r\nQUIT\n" + Encoding.Latin1.GetString([command, family, (byte)(rest.Length >> 8), (byte)rest.Length, .. rest]);

    // Null where there is none. Whether the end comes with a reset depends on what the other side had not read yet.
    private static async Task<string?> GreetingAsync(WireClient client, CancellationToken cancellation)
    {
        try
        {
            return await client.Wire.ReadLineAsync(cancellation);
        }
        catch (IOException)
        {
            return null;
        }
    }

    // Words that come back one by one, then the end.
    private static Scenario Talk(string name, string listener, string[] words, bool halfClose = false, TimeSpan? waits = null, string? serverName = null, string first = "") =>
        new(name, async (plane, seen) =>
        {
            await Does.WithClientAsync(plane, seen, listener, serverName, null, async (client, cancellation) =>
            {
                if (first.Length > 0) await client.Wire.WriteAsync(first, cancellation);
                var greeting = await GreetingAsync(client, cancellation);
                seen.Add("greeting", greeting ?? "(end)");
                if (greeting is null) return;
                foreach (var word in words)
                {
                    // Beside the reading: what comes back may be more than anybody holds.
                    var writing = client.Wire.WriteAsync(word, cancellation);
                    var back = Encoding.Latin1.GetString(await client.Wire.ReadExactlyAsync(word.Length, cancellation));
                    await writing;
                    seen.Add("echo " + word[..Math.Min(10, word.Length)], back == word ? "equal" : back);
                }

                var clock = System.Diagnostics.Stopwatch.StartNew();
                if (halfClose && client.Stream is System.Net.Security.SslStream tls) await tls.ShutdownAsync();
                else if (halfClose) ((System.Net.Sockets.NetworkStream)client.Stream).Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
                if (halfClose || waits is not null || words.Contains("quit")) seen.Add("rest", Encoding.Latin1.GetString(await client.Wire.ReadToEndAsync(cancellation)));
                if (waits is { } expected) seen.AddTime(clock.Elapsed, expected);
            });
            // What ends counts a moment later.
            await Task.Delay(50);
        });
}
