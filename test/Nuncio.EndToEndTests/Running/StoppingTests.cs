using Nuncio.EndToEndTests.Features;
using System.Net;
using System.Net.Sockets;
using Nuncio.Testing.Backends;

namespace Nuncio.EndToEndTests.Running;

public class StoppingTests
{
    [Fact]
    public async Task Terminate_WithIdleConnections_EndsWithStatus0()
    {
        await using var backend = WireBackend.StartEcho();
        await using var gateway = await RunningGateway.StartAsync(Manifests.Mapping("a", "/a/", backend.Port));
        await using var idle = await WireClient.ConnectAsync(gateway.Port);
        (await idle.SendAsync("GET", "/a/", "example.com")).Status.ShouldBe(200);

        gateway.Process.Terminate();

        (await gateway.Process.WaitForExitAsync()).ShouldBe(0);
        (await idle.Wire.ReadToEndAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Terminate_WithHalfARequestHead_EndsAtOnce()
    {
        await using var gateway = await RunningGateway.StartAsync(Manifests.Mapping("a", "/a/", 1), ["--drain-time", "600"]);
        await using var half = await WireClient.ConnectAsync(gateway.Port);
        await half.Wire.WriteAsync("GET /a/ HTTP/1.1\r\nhost: exam");
        await using var other = await WireClient.ConnectAsync(gateway.Port);
        (await other.SendAsync("GET", "/nothing", "example.com")).Status.ShouldBe(404);

        gateway.Process.Terminate();

        (await gateway.Process.WaitForExitAsync()).ShouldBe(0);
    }

    [Fact, Feature("K8S-24", "OBS-01", "OBS-02")]
    public async Task Terminate_WithAnOpenRequest_LetsItEndAndTakesNoMore()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var backend = WireBackend.Start(Conversations.Gated(gate.Task));
        await using var gateway = await RunningGateway.StartAsync(Manifests.Mapping("slow", "/slow/", backend.Port, "timeout_ms: 60000"));
        var open = gateway.SendAsync("GET", "/slow/");
        await Until.TrueAsync(() => backend.Accepted > 0);

        gateway.Process.Terminate();
        await UntilRefusedAsync(gateway.Port);
        (await gateway.AdminStatusAsync("/ambassador/v0/check_ready")).ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await gateway.AdminStatusAsync("/ambassador/v0/check_alive")).ShouldBe(HttpStatusCode.OK);
        gate.SetResult();

        (await open).BodyText.ShouldBe("late");
        (await gateway.Process.WaitForExitAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task Terminate_WithARequestThatDoesNotEnd_StopsAfterTheDrainTime()
    {
        await using var backend = WireBackend.Start(Conversations.Silent);
        await using var gateway = await RunningGateway.StartAsync(
            Manifests.Mapping("silent", "/silent/", backend.Port, "timeout_ms: 600000"), ["--drain-time", "1"]);
        await using var client = await WireClient.ConnectAsync(gateway.Port);
        await client.Wire.WriteAsync("GET /silent/ HTTP/1.1\r\nhost: example.com\r\n\r\n");
        await Until.TrueAsync(() => backend.Accepted > 0);

        gateway.Process.Terminate();

        (await gateway.Process.WaitForExitAsync()).ShouldBe(0);
    }

    private static async Task UntilRefusedAsync(int port)
    {
        await Until.TrueAsync(
            async () =>
            {
                try
                {
                    await using var client = await WireClient.ConnectAsync(port);
                    return false;
                }
                catch (SocketException)
                {
                    return true;
                }
            },
            what: "no connection is accepted any more");
    }
}
