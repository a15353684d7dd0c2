using Nuncio.EndToEndTests.Features;
using System.Net;
using System.Net.Sockets;
using Nuncio.Testing;
using Nuncio.Testing.Backends;
using Nuncio.Testing.Processes;

namespace Nuncio.EndToEndTests.Running;

public class StartingTests
{
    [Fact]
    public async Task Run_WithNothingValid_StartsAndTakesTheFirstGoodChange()
    {
        await using var backend = WireBackend.StartEcho();
        await using var gateway = await RunningGateway.StartAsync("kind: Mapping\n  broken: [", complete: true);

        gateway.Write("good.yaml", Manifests.ListenerAndHost + Manifests.Mapping("a", "/a/", backend.Port));

        await Until.TrueAsync(async () =>
        {
            try
            {
                return (await gateway.SendAsync("GET", "/a/")).Status == 200;
            }
            catch (SocketException)
            {
                // It does not listen yet.
                return false;
            }
        });
    }

    [Fact]
    public async Task Run_WithAPortThatIsTaken_ServesTheOtherListeners()
    {
        using var taken = new TcpListener(IPAddress.Any, 0);
        taken.Start();
        await using var backend = WireBackend.StartEcho();
        await using var gateway = await RunningGateway.StartAsync(
            Manifests.ListenerAt("taken", ((IPEndPoint)taken.LocalEndpoint).Port) + Manifests.Mapping("a", "/a/", backend.Port));

        (await gateway.SendAsync("GET", "/a/")).Status.ShouldBe(200);
        (await gateway.Process.WaitForLineAsync("Listener/default/taken")).ShouldContain("refused-by-data-plane: Listener/default/taken spec.port");
        (await gateway.Process.WaitForLineAsync("Ready: serving on")).ShouldNotContain($":{((IPEndPoint)taken.LocalEndpoint).Port}");
        (await gateway.Process.WaitForLineAsync("Configuration 1 serves")).ShouldContain("1 listeners");

        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        taken.Stop();

        (await gateway.Process.WaitForLineAsync("as well")).ShouldContain($":{port}");
        await using var client = await WireClient.ConnectAsync(port);
        (await client.SendAsync("GET", "/a/", "example.com")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task Run_WithVariablesThatHaveNoEffect_SaysSo()
    {
        using var folder = new TemporaryFolder();
        var variables = new Dictionary<string, string?>(NuncioCommand.WithoutSettings)
        {
            ["AMBASSADOR_READY_PORT"] = "8006",
            ["AMBASSADOR_LABEL_SELECTOR"] = "a=b",
            ["AMBASSADOR_HEALTHCHECK_IP_FAMILY"] = "IPV5_ONLY",
        };
        await using var process = TestProcess.Start(NuncioCommand.Program, ["run", folder.Path, "--admin", $"127.0.0.1:{FreePort.Next()}"], variables);

        await process.WaitForLineAsync("AMBASSADOR_READY_PORT has no effect");
        await process.WaitForLineAsync("AMBASSADOR_LABEL_SELECTOR has no effect");
        await process.WaitForLineAsync("AMBASSADOR_HEALTHCHECK_IP_FAMILY=IPV5_ONLY is none of");
    }

    [Fact, Feature("K8S-15")]
    public async Task Run_WithAmbassadorId_TakesOnlyItsOwn()
    {
        await using var backend = WireBackend.StartEcho();
        var mine = (Manifests.ListenerAndHost + Manifests.Mapping("mine", "/mine/", backend.Port))
            .Replace("spec:\n", "spec:\n  ambassador_id: [other]\n", StringComparison.Ordinal);
        var theirs = Manifests.Mapping("theirs", "/theirs/", backend.Port);
        await using var gateway = await RunningGateway.StartAsync(mine + theirs, ["--ambassador-id", "other"], complete: true);

        (await gateway.SendAsync("GET", "/mine/")).Status.ShouldBe(200);
        (await gateway.SendAsync("GET", "/theirs/")).Status.ShouldBe(404);
    }

    [Fact, Feature("TLS-19", "OBS-08")]
    public async Task Admin_WhileServing_ShowsMetricsAndADumpWithoutKeys()
    {
        using var certificate = TestCertificate.Create(["secure.example.com"]);
        await using var backend = WireBackend.StartEcho();
        await using var gateway = await RunningGateway.StartAsync(
            certificate.ToSecretYaml("secure") + "---\n" + Manifests.TlsHost("secure", "secure.example.com", "secure")
            + Manifests.Mapping("a", "/a/", backend.Port));
        await gateway.SendAsync("GET", "/a/");

        var dump = await gateway.AdminTextAsync("/config_dump");
        var metrics = await gateway.AdminTextAsync("/metrics");

        dump.ShouldContain("/a/");
        dump.ShouldNotContain(certificate.KeyPem.Split('\n')[1]);
        metrics.ShouldContain("envoy_cluster_upstream_rq");
        metrics.ShouldContain("envoy_listener_downstream_cx_total");
    }

    [Fact, Feature("OBS-10")]
    public async Task AccessLog_OfARequest_IsALineInEnvoysFormatOnStandardOutput()
    {
        await using var backend = WireBackend.StartEcho();
        await using var gateway = await RunningGateway.StartAsync(Manifests.Mapping("a", "/a/", backend.Port));

        await gateway.SendAsync("GET", "/a/?q=1", "example.com", "user-agent: tester\r\n");

        var line = await gateway.Process.WaitForLineAsync("GET /a/?q=1");
        gateway.Process.Output.ShouldContain(line);
        line.ShouldContain("\"GET /a/?q=1 HTTP/1.1\" 200 - 0 ");
        line.ShouldContain("\"tester\"");
        line.ShouldContain($"\"127.0.0.1:{backend.Port}\"");
    }
}
