using System.Net;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Http.Http1;
using Nuncio.DataPlane.Pipeline;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Tests.Http.Http2;
using Nuncio.DataPlane.Tests.Pipeline;
using Nuncio.DataPlane.Time;
using Nuncio.Testing.Fuzzing;
using Xunit.Abstractions;

namespace Nuncio.DataPlane.Tests.Http.Http1;

/// <summary>
/// Random and mutated HTTP/1.1 against both codecs, through the pipeline in between: whatever comes, the connection ends with its peer, and what is
/// forwarded can be read in one way only. See <see cref="FuzzSettings"/>.
/// </summary>
[Collection(FuzzCollection.Name)]
public sealed class Http1FuzzTests(ITestOutputHelper output)
{
    private static readonly string[] Words =
    [
        "GET", "POST", "PUT", "HEAD", "CONNECT", "OPTIONS", " ", " ", " ", "/", "/a", "/a/../b", "*", "http://h/p", "h:80", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0",
        "\r\n", "\r\n", "\r\n", "\r\n\r\n", "\r\n\r\n", "\r", "\n", "\0", ":", ": ", "\t", ",", ";", "Host: a", "Host: b", "host:", "Content-Length: 5", "Content-Length: 0",
        "content-length: ", "Transfer-Encoding: chunked", "transfer-encoding: ", "chunked", "identity", "gzip, chunked", "Connection: close", "Connection: keep-alive",
        "Connection: upgrade", "Upgrade: websocket", "Upgrade: h2c", "Expect: 100-continue", "X-A: b", "Trailer: x", "TE: trailers", "5\r\nhello\r\n", "0\r\n\r\n", "0\r\nX: y\r\n\r\n",
        "5", "a", "ffffffff", "5;x=y\r\nhello\r\n", "hello", "0", "1", "-1", "+5", "0x5", "\x0b", "\x7f", "\xff", "%2e", "%00", "x",
    ];

    private static readonly string[] Requests =
    [
        "GET /a HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET /b HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;x=y\r\nabc\r\n0\r\nT: v\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET http://a/b?c=d HTTP/1.1\r\nHost: x\r\nConnection: x-a, keep-alive\r\nX-A: b\r\nCookie: a=b; c=d\r\n\r\n",
        "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n\x81\x05hello",
        "POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\nHEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
    ];

    private static readonly string[] Responses =
    [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nT: v\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n",
        "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nabc",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n",
    ];

    [Fact]
    public Task Server_GivenRandomBytes_ForwardsInOneReadingOnly() => RunAsync("requests", 20_000, FuzzServerAsync);

    [Fact]
    public Task Client_GivenRandomBytes_NeitherFailsNorHangs() => RunAsync("responses", 20_000, FuzzClientAsync);

    private async Task RunAsync(string what, int inputs, Func<Random, Task> fuzz)
    {
        inputs = FuzzSettings.Inputs(inputs);
        var before = 0L;
        for (var i = 0; i < inputs; i++)
        {
            if (i == inputs / 10) before = GC.GetTotalMemory(true);
            try
            {
                await fuzz(new Random(FuzzSettings.Seed + i)).WaitAsync(Until.Limit);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"Seed {FuzzSettings.Seed + i} failed", e);
            }
        }

        var growth = GC.GetTotalMemory(true) - before;
        output.WriteLine($"{inputs} {what}, {growth} bytes more than after a tenth of them");
        growth.ShouldBeLessThan(32L << 20);
    }

    private static byte[] Input(Random random, string[] whole)
    {
        var text = new StringBuilder();
        for (var parts = random.Next(1, 3); parts > 0; parts--)
        {
            if (random.Next(3) > 0)
            {
                text.Append(whole[random.Next(whole.Length)]);
                continue;
            }

            for (var words = random.Next(3, 30); words > 0; words--) text.Append(Words[random.Next(Words.Length)]);
        }

        var bytes = Encoding.Latin1.GetBytes(text.ToString());
        return random.Next(8) == 0 ? bytes : Mutations.Apply(random, bytes, 6);
    }

    private static async Task FeedAsync(Random random, MemoryTransport transport, byte[] input)
    {
        for (var at = 0; at < input.Length;)
        {
            var length = Math.Min(input.Length - at, random.Next(3) == 0 ? random.Next(1, 10) : 4000);
            await transport.WriteAsync(input.AsMemory(at, length));
            at += length;
            if (random.Next(4) == 0) await Task.Yield();
        }

        await transport.ShutdownWriteAsync();
    }

    private static async Task FuzzServerAsync(Random random)
    {
        var fixture = Fixture.Value;
        var relay = new Relay();
        fixture.Pipeline.Router = relay.ForwardAsync;
        var (client, server) = MemoryTransport.CreatePair();
        var end = new IPEndPoint(IPAddress.Loopback, 1);
        var info = new DownstreamConnectionInfo { Id = 1, DirectRemoteAddress = end, RemoteAddress = end, LocalAddress = end };
        var options = Http1ServerOptions.Default with
        {
            AcceptHttp10 = random.Next(2) == 0,
            EnableTrailers = random.Next(2) == 0,
            AllowChunkedLength = random.Next(2) == 0,
            AllowCustomMethods = random.Next(2) == 0,
            DelayedCloseTimeout = TimeSpan.Zero,
            IdleTimeout = TimeSpan.Zero,
            RequestHeadersTimeout = TimeSpan.Zero,
        };
        var connection = new Http1ServerConnection(server, info, options, fixture.Processor, fixture.Timers);
        var run = connection.RunAsync();
        await FeedAsync(random, client, Input(random, Requests));
        await run;
        relay.Check();
    }

    private static async Task FuzzClientAsync(Random random)
    {
        var (upstream, near) = MemoryTransport.CreatePair();
        var connection = new Http1ClientConnection(near, Http1ClientOptions.Default with { EnableTrailers = random.Next(2) == 0, MaxHeaderBytes = 4096 });
        var feed = FeedAsync(random, upstream, Input(random, Responses));
        while (connection.OpenStream() is { } stream)
        {
            var headers = new HeaderMap();
            headers.Add(KnownHeader.Method, random.Next(4) == 0 ? "HEAD"u8 : "GET"u8);
            headers.Add(KnownHeader.Authority, "a"u8);
            headers.Add(KnownHeader.Path, "/"u8);
            await stream.WriteHeadersAsync(headers, true);
            await stream.FlushAsync();
            ClientHeadersRead head;
            do
            {
                head = await stream.ReadHeadersAsync();
                stream.ResponseHeaders.ByteSize.ShouldBeLessThan(64 * 1024);
            }
            while (head.Error == StreamResetReason.None && stream.ResponseHeaders.Status is < 200 and not 101);
            var ended = head.Error != StreamResetReason.None || head.EndStream;
            while (!ended) ended = (await stream.ReadBodyAsync()).EndStream;
            stream.Release();
        }

        await feed;
        connection.ActiveStreams.ShouldBe(0);
    }

    private static readonly Lazy<(PipelineFixture Pipeline, HttpPipeline Processor, TimerService Timers)> Fixture = new(() =>
    {
        var fixture = new PipelineFixture().Add("/", route => route.Route_ = new RouteV3.RouteAction { Cluster = "c" });
        fixture.Manager.UpgradeConfigs.Add(new HcmV3.HttpConnectionManager.Types.UpgradeConfig { UpgradeType = "websocket" });
        fixture.Manager.NormalizePath = true;
        fixture.Manager.MergeSlashes = true;
        var model = fixture.Bind()!;
        var routes = new RouteConfigurationState { Current = model.RouteConfiguration };
        return (fixture, new HttpPipeline(model, routes, TimeProvider.System, null, NullLogger.Instance), new TimerService(TimeProvider.System));
    });

    // Forwards every request on a connection of its own that keeps what is written.
    private sealed class Relay
    {
        private readonly List<(MemoryTransport Upstream, bool Complete, bool Tunnel)> _forwarded = [];

        public async ValueTask<FilterOutcome> ForwardAsync(HttpExchange exchange)
        {
            exchange.FinalizeRequestHeaders();
            var (upstream, near) = MemoryTransport.CreatePair();
            var stream = new Http1ClientConnection(near, Http1ClientOptions.Default with { EnableTrailers = true }).OpenStream()!;
            var complete = exchange.RequestHasNoBody;
            var tunnel = exchange.IsUpgrade;
            await stream.WriteHeadersAsync(exchange.RequestHeaders, complete);
            while (!complete && !tunnel)
            {
                var read = await exchange.RequestBody.ReadBodyAsync();
                if (read.Error != StreamResetReason.None) break;
                complete = read.EndStream;
                if (complete && exchange.Downstream.RequestTrailers.Count > 0)
                {
                    await stream.WriteBodyAsync(read.Data, false);
                    await stream.WriteTrailersAsync(exchange.Downstream.RequestTrailers);
                }
                else
                {
                    await stream.WriteBodyAsync(read.Data, complete);
                }
            }

            await stream.FlushAsync();
            await near.ShutdownWriteAsync();
            _forwarded.Add((upstream, complete, tunnel));
            return await exchange.RespondAsync(200, "ok"u8.ToArray(), "via_upstream");
        }

        public void Check()
        {
            foreach (var (upstream, complete, tunnel) in _forwarded)
            {
                var text = Encoding.Latin1.GetString(upstream.Received());
                var (count, hasRest) = StrictRequests.Read(text);
                if (tunnel) continue;
                count.ShouldBe(complete ? 1 : 0, text);
                hasRest.ShouldBe(!complete, text);
            }
        }
    }
}
