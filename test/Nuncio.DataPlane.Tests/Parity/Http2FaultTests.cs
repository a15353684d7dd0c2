using System.Net.Sockets;
using System.Text;
using Nuncio.Testing.Backends;

namespace Nuncio.DataPlane.Tests.Parity;

/// <summary>Requests over HTTP/2 that break the rules end, and count, as with Envoy.</summary>
public sealed class Http2FaultTests
{
    private const byte Data = 0;
    private const byte Headers = 1;
    private const byte Settings = 4;
    private const byte Reset = 3;
    private const byte EndStream = 1;
    private const byte EndHeaders = 4;

    private static readonly (string Name, string Value)[] Good = [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/")];

    [Fact]
    public async Task MalformedRequests_AreCounted()
    {
        byte[][] connections =
        [
            Request([.. Good, ("Upper", "x")]),
            Request([.. Good, ("connection", "close")]),
            Request([.. Good, ("content-length", "x")]),
            Request(Good[..3]),
            Request([Good[0], Good[1], Good[2], (":path", "/a b")]),
            [.. Request(Good, EndHeaders), .. Request([(":path", "/")])],
            [.. Request(Good, EndHeaders), .. Request([("x", "y")], EndHeaders)],
            [.. Request(Good, EndHeaders), .. Request([("content-length", "3")])],
            Frame(Headers, EndHeaders | EndStream, 1, [0xff, 0xff, 0x0f]),
        ];
        await using var pair = await StartAsync();
        await pair.EachAsync(async port =>
        {
            foreach (var bytes in connections)
            {
                using var client = await ConnectAsync(port, bytes);
                await ReadToEndAsync(client.GetStream());
            }
        });

        const string Prefix = "envoy_http_downstream_";
        (await pair.StatisticsAsync(
            Prefix + "(rq_total|rq_http2_total|rq_rx_reset|rq_completed|cx_destroy_active_rq|cx_destroy_local_active_rq|cx_protocol_error)\\{.*\"test\"")).ShouldBe(
            ((string[])["cx_destroy_active_rq", "cx_destroy_local_active_rq", "cx_protocol_error", "rq_http2_total", "rq_rx_reset", "rq_total"])
                .Select(name => $"{Prefix}{name}{{envoy_http_conn_manager_prefix=\"test\"}} {connections.Length}"));
    }

    [Theory]
    [InlineData("5")]
    [InlineData("0")]
    public async Task BodyOfAnotherLength_EndsItsStreamAlone(string length)
    {
        await using var pair = await StartAsync();
        await pair.EachAsync(async port =>
        {
            using var client = await ConnectAsync(port, [.. Request([.. Good, ("content-length", length)], EndHeaders), .. Frame(Data, EndStream, 1, [(byte)'x'])]);
            (await NextAsync(client.GetStream(), Reset)).ShouldBe([0, 0, 0, 1]);
            await client.GetStream().WriteAsync(Request(Good, EndHeaders | EndStream, stream: 3));
            await NextAsync(client.GetStream(), Headers);
        });
        await pair.StatisticsAsync("envoy_http_downstream_(rq_total|rq_rx_reset|rq_completed|cx_protocol_error)\\{.*\"test\"");
        await pair.StatisticsAsync("envoy_http2_(tx_reset|rx_messaging_error)\\{");
    }

    private static async Task<ProxyPair> StartAsync()
    {
        // Nothing is asked of it but what is well.
        var backend = WireBackend.StartEcho();
        var pair = await ProxyPair.StartAsync(ProxyPair.Resources(
            """{"name":"h","domains":["*"],"routes":[{"match":{"prefix":"/"},"route":{"cluster":"c"} }] }""", ProxyPair.Cluster("c", "", (backend.Port, 1)),
            "\"delayed_close_timeout\":\"0.1s\","));
        pair.Own(backend);
        if (pair.HasEnvoy) await using (await WireClient.ConnectAsync(pair.Port)) { }
        return pair;
    }

    private static async Task<TcpClient> ConnectAsync(int port, byte[] bytes)
    {
        var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", port);
        await client.GetStream().WriteAsync((byte[])[.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. Frame(Settings, 0, 0, []), .. bytes]);
        return client;
    }

    private static async Task ReadToEndAsync(NetworkStream stream)
    {
        var buffer = new byte[4096];
        try
        {
            while (await stream.ReadAsync(buffer).AsTask().WaitAsync(Until.Limit) > 0)
            {
                // What it says of it is not the same.
            }
        }
        catch (IOException)
        {
            // Closed with bytes of ours unread.
        }
    }

    private static async Task<byte[]> NextAsync(NetworkStream stream, byte type)
    {
        var head = new byte[9];
        while (true)
        {
            await stream.ReadExactlyAsync(head).AsTask().WaitAsync(Until.Limit);
            var payload = new byte[(head[0] << 16) | (head[1] << 8) | head[2]];
            await stream.ReadExactlyAsync(payload).AsTask().WaitAsync(Until.Limit);
            if (head[3] == type) return payload;
        }
    }

    private static byte[] Request((string Name, string Value)[] headers, byte flags = EndHeaders | EndStream, byte stream = 1)
    {
        var block = new List<byte>();
        foreach (var (name, value) in headers)
        {
            block.Add(0);
            block.Add((byte)name.Length);
            block.AddRange(Encoding.Latin1.GetBytes(name));
            block.Add((byte)value.Length);
            block.AddRange(Encoding.Latin1.GetBytes(value));
        }

        return Frame(Headers, flags, stream, [.. block]);
    }

    private static byte[] Frame(byte type, byte flags, byte stream, byte[] payload) =>
        [0, (byte)(payload.Length >> 8), (byte)payload.Length, type, flags, 0, 0, 0, stream, .. payload];
}
