using System.Text;
using Nuncio.DataPlane.Http.Http2;
using Nuncio.DataPlane.Tests.Http.Http2;

namespace Nuncio.DataPlane.Tests.Health;

/// <summary>Active checks over connections in memory: what each answer means, and when the next check comes.</summary>
public sealed class HealthCheckerTests
{
    // Nothing runs out of time, however much of it the test lets go by before it looks, but where that is wanted.
    private const string Limits = """
        "timeout":"60s","interval":"0.2s","no_traffic_interval":"0.5s","unhealthy_threshold":3,"healthy_threshold":1,
        """;

    private const string Http = Limits + """ "http_health_check":{"path":"/h"} """;
    private const string Grpc = Limits + """ "grpc_health_check":{"service_name":"svc"} """;
    private const string Tcp = Limits + """ "tcp_health_check":{"send":{"text":"01"},"receive":[{"text":"0a"},{"text":"0b"}]} """;
    private const string Long = "\"timeout\":\"60s\"";
    private const string Short = "\"timeout\":\"0.1s\"";
    private const string Threshold = "\"unhealthy_threshold\":3";
    private const string Good = "HTTP/1.1 200 x\r\ncontent-length: 0\r\n\r\n";

    private static readonly TimeSpan Used = TimeSpan.FromSeconds(0.2);
    private static readonly TimeSpan Unused = TimeSpan.FromSeconds(0.5);
    private static readonly byte[] Serving = [0, 0, 0, 0, 2, 8, 1];

    [Fact]
    public async Task ClusterThatWasNeverUsed_IsCheckedAtItsOwnInterval_UntilItIsUsed()
    {
        using var fixture = new HealthFixture(Http);
        var peer = await AcceptRequestAsync(fixture);
        await AnswerAsync(fixture, peer, Good);
        await WaitForNextAsync(fixture, peer, Unused);
        fixture.Cluster.Choose(0, false, 0).ShouldNotBeNull();
        await AnswerAsync(fixture, peer, Good);
        await WaitForNextAsync(fixture, peer, Used);
        await AnswerAsync(fixture, peer, Good);

        // It stays so, however long ago its use is.
        await WaitForNextAsync(fixture, peer, Used);
        await AnswerAsync(fixture, peer, Good);
        await WaitForNextAsync(fixture, peer, Used);
    }

    [Fact]
    public async Task RequestThatFoundNoEndpoint_IsNoUse()
    {
        using var fixture = new HealthFixture(Http);
        var peer = await AcceptRequestAsync(fixture);
        fixture.Cluster.Choose(0, false, 0).ShouldBeNull();
        await AnswerAsync(fixture, peer, "HTTP/1.1 500 x\r\ncontent-length: 0\r\n\r\n");
        fixture.Cluster.Choose(0, false, 0).ShouldBeNull();
        fixture.Cluster.IsUsed.ShouldBeFalse();
        await WaitForNextAsync(fixture, peer, Unused);
    }

    [Theory]
    [InlineData("HTTP/1.1 503 x\r\ncontent-length: 0\r\n\r\n", 0, 0)]
    [InlineData("HTTP/1.1 404 x\r\ncontent-length: 0\r\n\r\n", 0, 0)]
    [InlineData("HTTP/1.1 301 x\r\ncontent-length: 0\r\n\r\n", 0, 0)]
    [InlineData("HTTP/1.1 200 x\r\ncontent-length: 5\r\n\r\nabc", 1, 1)]
    [InlineData("nonsense\r\n\r\n", 1, 1)]
    [InlineData("", 1, 1)]
    public async Task HttpAnswerThatIsNone_Counts_OneThatIsBadFailsAtOnce(string answer, long healthy, long network)
    {
        using var fixture = new HealthFixture(network == 0 ? Http : Impatient(Http));
        var peer = await AcceptRequestAsync(fixture);
        await AnswerAsync(fixture, peer, Good);
        fixture.Count("membership_healthy").ShouldBe(1);
        await WaitForNextAsync(fixture, peer, Unused);
        await peer.WriteAsync(Encoding.Latin1.GetBytes(answer));
        await fixture.PassUntilAsync(() => fixture.Results >= 2);
        fixture.Count("membership_healthy").ShouldBe(healthy);
        fixture.Count("health_check_healthy").ShouldBe(healthy);
        fixture.Count("health_check_network_failure").ShouldBeInRange(network, network * 100);
    }

    [Fact]
    public async Task AnswersThatSayMore_MakeTheEndpointDegradedOrExcluded()
    {
        using var fixture = new HealthFixture(Http);
        var peer = await AcceptRequestAsync(fixture);
        await AnswerAsync(fixture, peer, "HTTP/1.1 200 x\r\nx-envoy-degraded: 1\r\ncontent-length: 0\r\n\r\n");
        fixture.Count("membership_degraded").ShouldBe(1);
        fixture.Count("membership_healthy").ShouldBe(0);
        fixture.Count("health_check_degraded").ShouldBe(1);
        fixture.Count("health_check_healthy").ShouldBe(1);
        fixture.Cluster.Choose(0, false, 0).ShouldNotBeNull();

        await WaitForNextAsync(fixture, peer, Used);
        await AnswerAsync(fixture, peer, "HTTP/1.1 503 x\r\nx-envoy-immediate-health-check-fail: 1\r\ncontent-length: 0\r\n\r\n");
        fixture.Count("membership_excluded").ShouldBe(1);
        fixture.Cluster.Choose(0, false, 0).ShouldBeNull();

        await WaitForNextAsync(fixture, peer, Used);
        await AnswerAsync(fixture, peer, Good);
        fixture.Count("membership_excluded").ShouldBe(0);
        fixture.Count("membership_degraded").ShouldBe(0);
        fixture.Count("membership_healthy").ShouldBe(1);
    }

    [Fact]
    public async Task AnswerToAClientThatSaysSo_FailsAtOnce_AndTheNextCheckComesInItsTime()
    {
        using var fixture = new HealthFixture(Http);
        var peer = await AcceptRequestAsync(fixture);
        await AnswerAsync(fixture, peer, Good);
        var headers = new Nuncio.DataPlane.Http.HeaderMap();
        headers.Add("x-envoy-immediate-health-check-fail"u8, "true"u8);
        fixture.Cluster.OnAnswered(fixture.Cluster.Endpoints[0], 200, headers);
        fixture.Count("membership_healthy").ShouldBe(0);
        fixture.Count("membership_excluded").ShouldBe(1);
        fixture.Count("health_check_passive_failure").ShouldBe(1);
        fixture.Count("health_check_failure").ShouldBe(1);
        await WaitForNextAsync(fixture, peer, Unused);
        await peer.WriteAsync(Encoding.Latin1.GetBytes(Good));
        await Until.TrueAsync(() => fixture.Count("health_check_success") == 2);
        fixture.Count("membership_healthy").ShouldBe(1);
        fixture.Count("membership_excluded").ShouldBe(0);
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task EndpointThatCannotBeReached_FailsInTheTimeOfTheCheck(bool refuses, bool hangs)
    {
        using var fixture = new HealthFixture(Http.Replace(Long, Short, StringComparison.Ordinal));
        var peer = await AcceptRequestAsync(fixture);
        await AnswerAsync(fixture, peer, Good);
        peer.Abort();
        fixture.Refuses = refuses;
        fixture.Hangs = hangs;
        await fixture.PassUntilAsync(() => fixture.Results >= 4);
        fixture.Count("health_check_success").ShouldBe(1);
        fixture.Count("health_check_network_failure").ShouldBeGreaterThanOrEqualTo(3);
        fixture.Count("membership_healthy").ShouldBe(0);
    }

    [Theory]
    [InlineData("200", "application/grpc", "0801", "0", true)]
    [InlineData("200", "application/grpc+proto", "0801", "0", true)]
    [InlineData("200", "application/grpc", "10050801", "0", true)]
    [InlineData("200", "application/grpc", "0802", "0", false)]
    [InlineData("200", "application/grpc", "0800", "0", false)]
    [InlineData("200", "application/grpc", "0803", "0", false)]
    [InlineData("200", "application/grpc", "08ff", "0", false)]
    [InlineData("200", "application/grpc", "0801", "5", false)]
    [InlineData("200", "application/grpc", "0801", "14", false)]
    [InlineData("200", "application/grpc", "0801", "", false)]
    [InlineData("200", "application/grpc", "", "0", false)]
    [InlineData("200", "text/html", "0801", "0", false)]
    [InlineData("503", "application/grpc", "0801", "0", false)]
    public async Task GrpcAnswer_IsServingOrFailsAtOnce(string status, string contentType, string message, string grpcStatus, bool passes)
    {
        using var fixture = new HealthFixture(Grpc);
        var peer = await StartAsync(fixture);
        await peer.SendAsync(Http2FrameType.Headers, 4, 3, peer.Block((":status", status), ("content-type", contentType)));
        var bytes = Convert.FromHexString(message);
        if (bytes.Length > 0) await peer.SendAsync(Http2FrameType.Data, 0, 3, [0, 0, 0, 0, (byte)bytes.Length, .. bytes]);
        await peer.SendAsync(Http2FrameType.Headers, 5, 3, peer.Block(grpcStatus.Length > 0 ? ("grpc-status", grpcStatus) : ("x", "y")));
        await Until.TrueAsync(() => fixture.Results == 2);
        fixture.Count("membership_healthy").ShouldBe(passes ? 1 : 0);
        fixture.Count("health_check_network_failure").ShouldBe(0);

        // The connection is good for the next one.
        await NextRequestAsync(fixture, peer, 5);
    }

    [Theory]
    [InlineData("without-trailers")]
    [InlineData("trailers-only")]
    [InlineData("trailers-only-ok")]
    [InlineData("two-messages")]
    [InlineData("half-a-message")]
    [InlineData("compressed")]
    public async Task GrpcAnswerOfAnotherShape_FailsAtOnce(string shape)
    {
        using var fixture = new HealthFixture(Grpc);
        var peer = await StartAsync(fixture);
        var head = peer.Block([(":status", "200"), ("content-type", "application/grpc"), .. shape.StartsWith("trailers-only", StringComparison.Ordinal)
            ? [("grpc-status", shape == "trailers-only" ? "12" : "0")] : Array.Empty<(string, string)>()]);
        var end = shape.StartsWith("trailers-only", StringComparison.Ordinal);
        await peer.SendAsync(Http2FrameType.Headers, (byte)(end ? 5 : 4), 3, head);
        if (!end)
        {
            byte[] body = shape switch
            {
                "two-messages" => [.. Serving, .. Serving],
                "half-a-message" => Serving[..6],
                "compressed" => [1, .. Serving[1..]],
                _ => Serving,
            };
            await peer.SendAsync(Http2FrameType.Data, (byte)(shape == "without-trailers" ? 1 : 0), 3, body);
            if (shape != "without-trailers") await peer.SendAsync(Http2FrameType.Headers, 5, 3, peer.Block(("grpc-status", "0")));
        }

        await Until.TrueAsync(() => fixture.Results == 2);
        fixture.Count("membership_healthy").ShouldBe(0);
        fixture.Count("health_check_network_failure").ShouldBe(0);
    }

    [Theory]
    [InlineData("reset", true)]
    [InlineData("timeout", true)]
    [InlineData("closed", false)]
    [InlineData("goaway", false)]
    public async Task GrpcCheckWithoutAnswer_CountsTowardsTheThreshold(string end, bool keepsConnection)
    {
        using var fixture = new HealthFixture(end == "timeout" ? Impatient(Grpc) : Grpc);
        var peer = await StartAsync(fixture);
        switch (end)
        {
            case "reset":
                await peer.SendAsync(Http2FrameType.RstStream, 0, 3, Http2Peer.Number(2));
                break;
            case "closed":
                peer.Transport.Abort();
                break;
            case "goaway":
                await peer.SendAsync(Http2FrameType.GoAway, 0, 0, [.. Http2Peer.Number(1), .. Http2Peer.Number(0)]);
                break;
        }

        await fixture.PassUntilAsync(() => fixture.Results >= 2);
        fixture.Count("membership_healthy").ShouldBe(1);
        fixture.Count("health_check_network_failure").ShouldBeGreaterThanOrEqualTo(1);
        if (keepsConnection)
        {
            await NextRequestAsync(fixture, peer, 5);
        }
        else
        {
            await fixture.AcceptAsync();
        }
    }

    [Fact]
    public async Task GrpcAnswerAfterAFriendlyGoAway_Passes_AndTheNextCheckConnectsAnew()
    {
        using var fixture = new HealthFixture(Grpc);
        var peer = await StartAsync(fixture);
        await peer.SendAsync(Http2FrameType.GoAway, 0, 0, [.. Http2Peer.Number(3), .. Http2Peer.Number(0)]);
        await ServeAsync(peer, 3);
        await Until.TrueAsync(() => fixture.Count("health_check_success") == 2);
        fixture.Count("membership_healthy").ShouldBe(1);
        await fixture.AcceptAsync();
    }

    [Fact]
    public async Task GrpcRequest_HasTheNamesAndTheTimeThatEnvoySends()
    {
        using var fixture = new HealthFixture(Limits + """ "grpc_health_check":{"service_name":"svc","authority":"au"} """);
        var peer = await AcceptHttp2Async(fixture);
        var request = await peer.ReadAsync(Http2FrameType.Headers);
        string Header(string name) => request.Headers!.TryGet(Encoding.ASCII.GetBytes(name), out var value) ? Encoding.ASCII.GetString(value) : "";
        Header(":path").ShouldBe("/grpc.health.v1.Health/Check");
        Header(":authority").ShouldBe("au");
        Header("grpc-timeout").ShouldBe("60000m");
        Header("te").ShouldBe("trailers");
        Header("user-agent").ShouldBe("Envoy/HC");
        (await peer.ReadAsync(Http2FrameType.Data)).Payload.ShouldBe(Convert.FromHexString("00000000050a03737663"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Connections_AreUsedAgain_UnlessNotWanted(bool reuse)
    {
        using var fixture = new HealthFixture((reuse ? "" : "\"reuse_connection\":false,") + Http);
        var peer = await AcceptRequestAsync(fixture);
        await AnswerAsync(fixture, peer, Good);
        if (reuse)
        {
            await WaitForNextAsync(fixture, peer, Unused);
        }
        else
        {
            await WaitForEndAsync(peer);
            await fixture.AcceptAsync();
        }
    }

    [Fact]
    public async Task TcpAnswer_IsLookedForInOrder_AndItsConnectionIsKept()
    {
        using var fixture = new HealthFixture(Impatient(Tcp));
        var peer = await AcceptRequestAsync(fixture);
        await peer.WriteAsync(new byte[] { 1, 0x0a });
        await peer.WriteAsync(new byte[] { 2, 0x0b, 3 });
        await Until.TrueAsync(() => fixture.Results == 1);
        fixture.Count("membership_healthy").ShouldBe(1);

        // The wrong order: the time of the check runs out, which counts.
        await fixture.PassUntilAsync(() => fixture.Count("health_check_attempt") >= 2);
        await peer.WriteAsync(new byte[] { 0x0b, 0x0a });
        await fixture.PassUntilAsync(() => fixture.Results >= 2);
        fixture.Count("health_check_network_failure").ShouldBeGreaterThanOrEqualTo(1);
        fixture.Count("membership_healthy").ShouldBe(1);
        await WaitForEndAsync(peer);
        await fixture.AcceptAsync();
    }

    [Fact]
    public async Task EndpointThatLeaves_IsNotCheckedAnyMore()
    {
        using var fixture = new HealthFixture(Http);
        var peer = await AcceptRequestAsync(fixture);
        await AnswerAsync(fixture, peer, Good);
        fixture.Count("health_check_healthy").ShouldBe(1);
        fixture.Cluster.Retire();
        fixture.Count("health_check_healthy").ShouldBe(0);
        await WaitForEndAsync(peer);
        fixture.Time.Advance(TimeSpan.FromMinutes(5));
        fixture.Count("health_check_attempt").ShouldBe(1);
    }

    // Checks run out of time, perhaps more of them than are looked for.
    private static string Impatient(string check) =>
        check.Replace(Long, Short, StringComparison.Ordinal).Replace(Threshold, "\"unhealthy_threshold\":1000", StringComparison.Ordinal);

    // The first request over HTTP/1.1.
    private static async Task<MemoryTransport> AcceptRequestAsync(HealthFixture fixture)
    {
        var peer = await fixture.AcceptAsync();
        (await peer.ReadAsync(new byte[4096]).AsTask().WaitAsync(Until.Limit)).ShouldBeGreaterThan(0);
        return peer;
    }

    // Answers the request that has come, and waits for what is made of it.
    private static async Task AnswerAsync(HealthFixture fixture, MemoryTransport peer, string answer)
    {
        var results = fixture.Results;
        await peer.WriteAsync(Encoding.Latin1.GetBytes(answer));
        await Until.TrueAsync(() => fixture.Results == results + 1);
    }

    // The next request on a connection comes after that time and no earlier.
    private static async Task WaitForNextAsync(HealthFixture fixture, MemoryTransport peer, TimeSpan interval)
    {
        var attempts = fixture.Count("health_check_attempt");
        fixture.Time.Advance(interval - TimeSpan.FromMilliseconds(1));
        fixture.Count("health_check_attempt").ShouldBe(attempts);
        var reading = peer.ReadAsync(new byte[4096]).AsTask();

        // Now where its wait had begun; a moment later where the checker was still at the last result.
        await fixture.PassUntilAsync(() => reading.IsCompleted);
        (await reading).ShouldBeGreaterThan(0);
    }

    private static async Task WaitForEndAsync(MemoryTransport peer)
    {
        var buffer = new byte[4096];
        while (await peer.ReadAsync(buffer).AsTask().WaitAsync(Until.Limit) > 0)
        {
            // What was on its way.
        }
    }

    private static async Task<Http2Peer> AcceptHttp2Async(HealthFixture fixture)
    {
        var transport = await fixture.AcceptAsync();
        (await transport.ReadAsync(new byte[Http2Frames.Preface.Length]).AsTask().WaitAsync(Until.Limit)).ShouldBe(Http2Frames.Preface.Length);
        return new Http2Peer(transport);
    }

    // The first check passed, the second one asked.
    private static async Task<Http2Peer> StartAsync(HealthFixture fixture)
    {
        var peer = await AcceptHttp2Async(fixture);
        await peer.SendAsync(Http2FrameType.Settings, 0, 0);
        await NextRequestAsync(fixture, peer, 1);
        await ServeAsync(peer, 1);
        await Until.TrueAsync(() => fixture.Results == 1);
        fixture.Count("membership_healthy").ShouldBe(1);
        await NextRequestAsync(fixture, peer, 3);
        return peer;
    }

    private static async Task NextRequestAsync(HealthFixture fixture, Http2Peer peer, int stream)
    {
        await fixture.PassUntilAsync(() => fixture.Count("health_check_attempt") >= (stream + 1) / 2);
        (await peer.ReadAsync(Http2FrameType.Headers)).StreamId.ShouldBe(stream);
        (await peer.ReadAsync(Http2FrameType.Data)).StreamId.ShouldBe(stream);
    }

    private static async Task ServeAsync(Http2Peer peer, int stream)
    {
        await peer.SendAsync(Http2FrameType.Headers, 4, stream, peer.Block((":status", "200"), ("content-type", "application/grpc")));
        await peer.SendAsync(Http2FrameType.Data, 0, stream, Serving);
        await peer.SendAsync(Http2FrameType.Headers, 5, stream, peer.Block(("grpc-status", "0")));
    }
}
