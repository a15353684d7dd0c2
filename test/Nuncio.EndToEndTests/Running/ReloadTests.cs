using Nuncio.EndToEndTests.Features;
using System.Net.WebSockets;
using System.Text;
using Nuncio.Testing.Backends;

namespace Nuncio.EndToEndTests.Running;

public class ReloadTests
{
    [Fact, Feature("K8S-20")]
    public async Task SavedChange_UnderLoad_IsLiveAndFailsNoRequest()
    {
        await using var one = WireBackend.Start(_ => Responses.Ok("one"));
        await using var two = WireBackend.Start(_ => Responses.Ok("two"));
        await using var gateway = await RunningGateway.StartAsync(Manifests.Mapping("kept", "/kept/", one.Port));
        gateway.Write("edited.yaml", Manifests.Mapping("edited", "/edited/", one.Port));
        await gateway.SendUntilAsync(response => response.Status == 200, "/edited/");
        using var stop = new CancellationTokenSource();
        var load = Enumerable.Range(0, 4).Select(_ => LoadAsync(gateway, stop.Token)).ToArray();

        for (var change = 0; change < 40; change++)
        {
            var target = change % 2 == 0 ? two : one;
            gateway.Write("edited.yaml", Manifests.Mapping("edited", "/edited/", target.Port));
            await gateway.SendUntilAsync(response => response.BodyText == (target == two ? "two" : "one"), "/edited/");
        }

        await stop.CancelAsync();
        var totals = await Task.WhenAll(load);
        totals.Sum(total => total.Failed).ShouldBe(0);
        totals.Sum(total => total.Right).ShouldBeGreaterThan(100);
    }

    [Fact, Feature("TRF-30", "K8S-24")]
    public async Task WebSocket_AcrossReloads_StaysOpen()
    {
        await using var backend = WireBackend.Start(Conversations.WebSocketEcho);
        await using var other = WireBackend.StartEcho();
        await using var gateway = await RunningGateway.StartAsync(Manifests.Mapping("socket", "/socket/", backend.Port, "allow_upgrade: [websocket]"));
        using var socket = new ClientWebSocket();
        using var limit = new CancellationTokenSource(LimitedTestFramework.Limit);
        await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{gateway.Port}/socket/"), limit.Token);

        (await EchoAsync(socket, "before")).ShouldBe("before");
        gateway.Write("more.yaml", Manifests.Mapping("more", "/more/", other.Port));
        await gateway.SendUntilAsync(response => response.Status == 200, "/more/");
        (await EchoAsync(socket, "after")).ShouldBe("after");
        gateway.Write("manifests.yaml", Manifests.ListenerAndHost);
        await gateway.SendUntilAsync(response => response.Status == 404, "/socket/");
        (await EchoAsync(socket, "its Mapping is gone")).ShouldBe("its Mapping is gone");

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, limit.Token);
    }

    [Fact, Feature("K8S-23")]
    public async Task BrokenFile_KeepsItsLastGoodContent_AndOthersChange()
    {
        await using var backend = WireBackend.StartEcho();
        await using var gateway = await RunningGateway.StartAsync(Manifests.Mapping("first", "/first/", backend.Port));
        gateway.Write("second.yaml", Manifests.Mapping("second", "/second/", backend.Port));
        await gateway.SendUntilAsync(response => response.Status == 200, "/second/");

        gateway.Write("second.yaml", "kind: Mapping\n  metadata: [half written");
        gateway.Write("third.yaml", Manifests.Mapping("third", "/third/", backend.Port));
        await gateway.SendUntilAsync(response => response.Status == 200, "/third/");

        (await gateway.SendAsync("GET", "/second/")).Status.ShouldBe(200);
        await gateway.Process.WaitForLineAsync("second.yaml");
    }

    [Fact]
    public async Task Mapping_WithWhatTheEmbeddedProxyCannotDo_AnswersAnError_AndStopsNoOther()
    {
        await using var backend = WireBackend.StartEcho();
        await using var gateway = await RunningGateway.StartAsync(Manifests.Mapping("first", "/first/", backend.Port));
        gateway.Write("module.yaml", """
            apiVersion: getambassador.io/v3alpha1
            kind: Module
            metadata: {name: ambassador}
            spec: {config: {envoy_log_format: "%RESPONSE_CODE% %WORKER_ID%"} }
            """);

        // Envoy knows the operator; a header that is missing might be one that an upstream trusts.
        gateway.Write("odd.yaml", $$"""
            apiVersion: getambassador.io/v3alpha1
            kind: Mapping
            metadata: {name: odd}
            spec: {hostname: "*", prefix: /odd/, service: "127.0.0.1:{{backend.Port}}", add_request_headers: {x-worker: {value: "%WORKER_ID%"} } }
            """);
        gateway.Write("second.yaml", Manifests.Mapping("second", "/second/", backend.Port));

        await gateway.SendUntilAsync(response => response.Status == 200, "/second/");
        (await gateway.SendAsync("GET", "/first/")).Status.ShouldBe(200);
        (await gateway.SendAsync("GET", "/odd/")).Status.ShouldBe(500);
        await gateway.Process.WaitForLineAsync("refused-by-data-plane: Mapping/default/odd spec.add_request_headers.x-worker");
        await gateway.Process.WaitForLineAsync("field-without-effect");
    }

    [Fact]
    public async Task UpstreamConnections_AcrossReloadsThatDoNotConcernThem_AreKept()
    {
        await using var backend = WireBackend.StartEcho();
        await using var gateway = await RunningGateway.StartAsync(Manifests.Mapping("kept", "/kept/", backend.Port));
        await gateway.SendAsync("GET", "/kept/");

        for (var change = 0; change < 5; change++)
        {
            gateway.Write("more.yaml", Manifests.Mapping("more", $"/more-{change}/", backend.Port));
            await gateway.SendUntilAsync(response => response.Status == 200, $"/more-{change}/");
            await gateway.SendAsync("GET", "/kept/");
        }

        // One request after the other. An answer may reach the client a moment before its connection is back in the pool, so that the next request takes a
        // second one; connections that ended with each change would be more.
        backend.Accepted.ShouldBeLessThanOrEqualTo(2);
    }

    private static async Task<(int Right, int Failed)> LoadAsync(RunningGateway gateway, CancellationToken stop)
    {
        var right = 0;
        var failed = 0;
        await using var client = await WireClient.ConnectAsync(gateway.Port);
        while (!stop.IsCancellationRequested)
        {
            var path = right % 2 == 0 ? "/kept/" : "/edited/";
            var response = await client.SendAsync("GET", path, "example.com");
            if (response.Status == 200 && response.BodyText is "one" or "two") right++;
            else failed++;
        }

        return (right, failed);
    }

    private static async Task<string> EchoAsync(ClientWebSocket socket, string text)
    {
        using var limit = new CancellationTokenSource(Until.Limit);
        await socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, true, limit.Token);
        var buffer = new byte[1000];
        var message = await socket.ReceiveAsync(buffer, limit.Token);
        return Encoding.UTF8.GetString(buffer, 0, message.Count);
    }
}
