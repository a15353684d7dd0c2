using System.Globalization;
using System.Threading.Channels;
using Nuncio.Testing.Backends;

namespace Nuncio.DataPlane.Tests.Parity;

/// <summary>A mirrored request goes out as it comes in, whatever becomes of the request itself.</summary>
public sealed class MirrorTests : IAsyncLifetime
{
    private const string Route = """
        {"name":"h","domains":["*"],"routes":[{"match":{"prefix":"/"},"route":{"cluster":"c","timeout":"0s","request_mirror_policies":[{"cluster":"m"}] } }] }
        """;

    private readonly Channel<string> _seen = Channel.CreateUnbounded<string>();
    private readonly TaskCompletionSource _release = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private WireBackend _main = null!;
    private WireBackend _copy = null!;
    private ProxyPair _pair = null!;

    public async Task InitializeAsync()
    {
        _main = WireBackend.Start(async (wire, cancellationToken) =>
        {
            while (await wire.ReadRequestAsync(cancellationToken) is { } request)
            {
                if (request.Target == "/held") await _release.Task.WaitAsync(cancellationToken);
                await wire.WriteAsync(Responses.Ok("main"), cancellationToken);
            }
        });
        _copy = WireBackend.Start(CopyAsync);
        _pair = await ProxyPair.StartAsync(ProxyPair.Resources(
            Route, ProxyPair.Cluster("c", "", (_main.Port, 1)) + "," + ProxyPair.Cluster("m", "", (_copy.Port, 1))));
    }

    public async Task DisposeAsync()
    {
        _release.TrySetResult();
        await _pair.DisposeAsync();
        await _main.DisposeAsync();
        await _copy.DisposeAsync();
    }

    [Fact]
    public Task Request_IsCopied_BeforeItIsAnswered() => _pair.EachAsync(async port =>
    {
        await using var client = await WireClient.ConnectAsync(port);
        await client.Wire.WriteAsync("GET /held HTTP/1.1\r\nhost: a\r\n\r\n");
        (await NextAsync()).ShouldBe("GET a-shadow");
        (await NextAsync()).ShouldBe("0");
    });

    [Theory]
    [InlineData("content-length: 10", "abcde", "fghij")]
    [InlineData("transfer-encoding: chunked", "5\r\nabcde\r\n", "5\r\nfghij\r\n0\r\n\r\n")]
    public Task Body_IsCopiedAsItComes(string framing, string first, string second) => _pair.EachAsync(async port =>
    {
        await using var client = await WireClient.ConnectAsync(port);
        await client.Wire.WriteAsync($"POST / HTTP/1.1\r\nhost: a\r\n{framing}\r\n\r\n{first}");
        (await NextAsync()).ShouldBe("POST a-shadow");
        await client.Wire.WriteAsync(second);
        (await client.Wire.ReadResponseAsync("POST")).Status.ShouldBe(200);
        (await NextAsync()).ShouldBe("10");
    });

    [Fact]
    public Task Body_ThatIsTooLongToKeep_IsCopiedAllTheSame() => _pair.EachAsync(async port =>
    {
        const int Length = 3_000_000;
        await using var client = await WireClient.ConnectAsync(port);
        await client.Wire.WriteAsync($"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {Length}\r\n\r\n{new string('x', Length)}");
        (await client.Wire.ReadResponseAsync("POST")).Status.ShouldBe(200);
        (await NextAsync()).ShouldBe("POST a-shadow");
        (await NextAsync()).ShouldBe(Length.ToString(CultureInfo.InvariantCulture));
        (await _pair.CountAsync(port, "envoy_cluster_retry_or_shadow_abandoned{envoy_cluster_name=\"c\"}")).ShouldBe(0);
    });

    [Fact]
    public Task RequestThatBreaksOff_BreaksItsCopyOff() => _pair.EachAsync(async port =>
    {
        await using (var client = await WireClient.ConnectAsync(port))
        {
            await client.Wire.WriteAsync("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabcde");
            (await NextAsync()).ShouldBe("POST a-shadow");
        }

        (await NextAsync()).ShouldBe("broken off");
    });

    [Fact]
    public Task Trailers_AreCopied() => _pair.EachAsync(async port =>
    {
        await using var client = await WireClient.ConnectAsync(port);
        await client.Wire.WriteAsync("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ntrailer: x-t\r\n\r\n1\r\nx\r\n0\r\nx-t: 1\r\n\r\n");
        (await client.Wire.ReadResponseAsync("POST")).Status.ShouldBe(200);
        (await NextAsync()).ShouldBe("POST a-shadow");
        (await NextAsync()).ShouldBe("1");
    });

    [Fact]
    public async Task CopyThatWaitsForAConnection_EndsWithTheTimeOfTheRoute()
    {
        const string Routes = """
            {"name":"h","domains":["*"],"routes":[
              {"match":{"prefix":"/first"},"route":{"cluster":"c","timeout":"0s","request_mirror_policies":[{"cluster":"m"}] } },
              {"match":{"prefix":"/"},"route":{"cluster":"c","timeout":"0.5s","request_mirror_policies":[{"cluster":"m"}] } }] }
            """;
        await using var deaf = WireBackend.Start(static (_, cancellationToken) => Task.Delay(Timeout.Infinite, cancellationToken));
        await using var pair = await ProxyPair.StartAsync(ProxyPair.Resources(
            Routes,
            ProxyPair.Cluster("c", "", (_main.Port, 1)) + ","
                + ProxyPair.Cluster("m", "\"circuit_breakers\":{\"thresholds\":[{\"max_connections\":1}]},", (deaf.Port, 1))));
        await ProxyPair.AskAsync(pair.Port, "GET /first HTTP/1.1\r\nhost: a\r\n\r\n");
        await Until.TrueAsync(async () => await pair.CountAsync(pair.Port, "envoy_cluster_upstream_rq_active{envoy_cluster_name=\"m\"}") == 1);

        await ProxyPair.AskAsync(pair.Port, "GET /second HTTP/1.1\r\nhost: a\r\n\r\n");
        await Until.TrueAsync(async () => await pair.CountAsync(pair.Port, "envoy_cluster_upstream_rq_timeout{envoy_cluster_name=\"m\"}") == 1);
    }

    private async Task<string> NextAsync() => await _seen.Reader.ReadAsync().AsTask().WaitAsync(Until.Limit);

    private async Task CopyAsync(HttpWire wire, CancellationToken cancellationToken)
    {
        while (await wire.ReadLineAsync(cancellationToken) is { } line)
        {
            var headers = await wire.ReadHeadersAsync(cancellationToken);
            _seen.Writer.TryWrite($"{line.Split(' ')[0]} {headers.First(static header => header.Key == "host").Value}");
            try
            {
                var length = headers.FirstOrDefault(static header => header.Key == "content-length").Value;
                var body = headers.Any(static header => header.Key == "transfer-encoding") ? (await wire.ReadChunkedAsync(cancellationToken)).Body
                    : await wire.ReadExactlyAsync(int.Parse(length ?? "0", CultureInfo.InvariantCulture), cancellationToken);
                _seen.Writer.TryWrite(body.Length.ToString(CultureInfo.InvariantCulture));
            }
            catch (Exception e) when (e is EndOfStreamException or IOException)
            {
                _seen.Writer.TryWrite("broken off");
                throw;
            }

            await wire.WriteAsync(Responses.Ok("copy"), cancellationToken);
        }
    }
}
