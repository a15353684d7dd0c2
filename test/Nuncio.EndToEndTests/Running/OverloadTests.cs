using System.Globalization;
using System.Net.Sockets;
using Nuncio.Testing;
using Nuncio.Testing.Backends;

namespace Nuncio.EndToEndTests.Running;

/// <summary>When a resource runs short, new work is refused and open work ends.</summary>
public class OverloadTests
{
    [Fact]
    public async Task Pressure_OfRequests_Gives503AndLetsOpenOnesEnd()
    {
        using var folder = new TemporaryFolder();
        var pressure = folder.Write("pressure", "0");
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var slow = WireBackend.Start(Conversations.Gated(gate.Task));
        await using var quick = WireBackend.StartEcho();
        await using var gateway = await RunningGateway.StartAsync(
            Manifests.Mapping("slow", "/slow/", slow.Port, "timeout_ms: 120000") + Manifests.Mapping("quick", "/quick/", quick.Port),
            environment: new Dictionary<string, string?> { ["NUNCIO_OVERLOAD_PRESSURE_FILE"] = pressure });
        var open = gateway.SendAsync("GET", "/slow/");
        await Until.TrueAsync(() => slow.Accepted > 0);

        folder.Write("pressure", "0.96");
        var refused = await gateway.SendUntilAsync(response => response.Status == 503, "/quick/");
        gate.SetResult();

        refused.BodyText.ShouldBe("envoy overloaded");
        refused["connection"].ShouldBe("close");
        (await open).BodyText.ShouldBe("late");
        (await gateway.Process.WaitForLineAsync("\"GET /quick/ HTTP/1.1\" 503 OM ")).ShouldNotBeEmpty();
        var metrics = await gateway.AdminTextAsync("/metrics");
        Value(metrics, "envoy_overload_envoy_overload_actions_stop_accepting_requests_active").ShouldBe(1);
        Value(metrics, "envoy_http_downstream_rq_overload_close").ShouldBeGreaterThan(0);

        folder.Write("pressure", "0");
        await gateway.SendUntilAsync(response => response.Status == 200, "/quick/");
    }

    [Fact]
    public async Task Pressure_OfConnections_ClosesNewOnesAndKeepsOpenOnes()
    {
        using var folder = new TemporaryFolder();
        var pressure = folder.Write("pressure", "0");
        await using var backend = WireBackend.Start(Conversations.WebSocketBytesBack);
        await using var gateway = await RunningGateway.StartAsync(
            Manifests.Mapping("socket", "/socket/", backend.Port, "allow_upgrade: [websocket]"),
            environment: new Dictionary<string, string?> { ["NUNCIO_OVERLOAD_PRESSURE_FILE"] = pressure });
        await using var open = await WireClient.ConnectAsync(gateway.Port);
        (await open.SendAsync("GET", "/socket/", "example.com", "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: eA==\r\n")).Status.ShouldBe(101);

        folder.Write("pressure", "1");
        await UntilClosedAsync(gateway.Port);

        await open.Wire.WriteAsync("still here");
        (await open.Wire.ReadExactlyAsync(10)).ShouldBe("still here"u8.ToArray());
        Value(await gateway.AdminTextAsync("/metrics"), "envoy_listener_downstream_cx_overload_reject").ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task MemoryLimit_BelowWhatTheProcessNeeds_RefusesEverythingButTheAdminPages()
    {
        await using var backend = WireBackend.StartEcho();
        await using var gateway = await RunningGateway.StartAsync(Manifests.Mapping("a", "/a/", backend.Port), ["--memory-limit", "8Mi"]);

        await UntilClosedAsync(gateway.Port);

        Value(await gateway.AdminTextAsync("/metrics"), "envoy_overload_envoy_resource_monitors_cgroup_memory_pressure").ShouldBeGreaterThan(100);
    }

    [Fact]
    public async Task MaxConnections_WhenReached_ClosesNewOnesUntilOneEnds()
    {
        await using var backend = WireBackend.StartEcho();
        await using var gateway = await RunningGateway.StartAsync(Manifests.Mapping("a", "/a/", backend.Port), ["--max-connections", "2"]);
        await using var first = await WireClient.ConnectAsync(gateway.Port);
        (await first.SendAsync("GET", "/a/", "example.com", "x-first: 1\r\n")).Status.ShouldBe(200);
        await using var half = await WireClient.ConnectAsync(gateway.Port);
        await half.Wire.WriteAsync("GET /a/ HTTP/1.1\r\nhost: exam");

        await UntilClosedAsync(gateway.Port);
        Value(await gateway.AdminTextAsync("/metrics"), "envoy_listener_downstream_global_cx_overflow").ShouldBeGreaterThan(0);

        await half.Wire.WriteAsync("ple.com\r\nconnection: close\r\n\r\n");
        (await half.Wire.ReadResponseAsync()).Status.ShouldBe(200);
        await Until.TrueAsync(() => IsServedAsync(gateway.Port));
    }

    private static long Value(string metrics, string name) => metrics.Split('\n')
        .Where(line => line.StartsWith(name + "{", StringComparison.Ordinal))
        .Sum(line => long.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));

    private static Task UntilClosedAsync(int port) => Until.TrueAsync(async () => !await IsServedAsync(port));

    private static async Task<bool> IsServedAsync(int port)
    {
        try
        {
            await using var client = await WireClient.ConnectAsync(port);
            await client.SendAsync("GET", "/nothing", "example.com");
            return true;
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            return false;
        }
    }
}
