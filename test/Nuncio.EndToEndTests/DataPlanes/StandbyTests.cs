using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Nuncio.Testing;
using Nuncio.Testing.Backends;

namespace Nuncio.EndToEndTests.DataPlanes;

/// <summary>The gateway's own process takes connections while its Envoy is gone.</summary>
public sealed class StandbyTests
{
    [SkippableFact]
    public async Task Envoy_KilledUnderLoad_NoConnectionFailsButItsOwn()
    {
        Skip.IfNot(OperatingSystem.IsLinux());
        await using var backend = WireBackend.StartEcho();
        await using var envoy = await EnvoyGateway.StartAsync(Manifests.Mapping("kept", "/kept/", backend.Port));
        await MetricAsync(envoy, "nuncio_standby_listeners", 1);
        var connections = string.Create(CultureInfo.InvariantCulture, $"listener.0.0.0.0_{envoy.Gateway.Port}.downstream_cx_total");
        await using var load = NewConnections.Start(envoy.Gateway.Port, "/kept/");
        for (var kill = 1; kill <= 2; kill++)
        {
            await load.ContinueAsync(20);

            await load.DuringAsync(() => KillAsync(envoy));
            await load.ContinueAsync(20);

            await MetricAsync(envoy, "nuncio_standby_takeovers_total", kill);
            await BackAsync(envoy);
            var before = await envoy.StatisticAsync(connections);
            await load.ContinueAsync(60);

            // Some of the answers were to connections that were open before.
            (await envoy.StatisticAsync(connections) - before).ShouldBeGreaterThanOrEqualTo(50, "all go to Envoy again");
            load.Faults.ShouldBeEmpty();
        }
    }

    [SkippableFact]
    public async Task Envoy_ThatStaysAway_ChangesTakeEffectWithoutIt()
    {
        Skip.IfNot(OperatingSystem.IsLinux());
        using var folder = new TemporaryFolder();
        var held = Path.Combine(folder.Path, "held");
        await using var backend = WireBackend.StartEcho();
        await using var envoy = await EnvoyGateway.StartAsync(
            HeldEnvoy(folder, held), Manifests.ListenerAndHost + Manifests.Mapping("kept", "/kept/", backend.Port), complete: true);
        await MetricAsync(envoy, "nuncio_standby_listeners", 1);
        var second = FreePort.Next();
        var listener = Manifests.Listener
            .Replace("PORT", second.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
            .Replace("name: test", "name: second", StringComparison.Ordinal);

        // Away: a route, a listener, and no listener.
        folder.Write("held", "");
        await KillAsync(envoy);
        envoy.Gateway.Write("more.yaml", Manifests.Mapping("more", "/more/", backend.Port));
        await envoy.Gateway.SendUntilAsync(response => response.Status == 200, "/more/");
        envoy.Gateway.Write("second.yaml", listener);
        await AnswersAsync(second, envoy);
        envoy.Gateway.Delete("second.yaml");
        await RefusesAsync(second, envoy);
        (await envoy.Gateway.AdminStatusAsync("/ambassador/v0/check_ready")).ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await envoy.Gateway.AdminTextAsync("/metrics")).ShouldContain("envoy_http_downstream_rq_total");

        // Back: the same, and behind Envoy's sockets this time. A listener that is to have the port of Envoy's own pages does not keep Envoy from starting.
        envoy.Gateway.Write("clash.yaml", Manifests.Listener
            .Replace("PORT", envoy.AdminPort.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
            .Replace("name: test", "name: clash", StringComparison.Ordinal));
        await envoy.Gateway.SendUntilAsync(response => response.Status == 200, "/more/");
        File.Delete(held);
        await BackAsync(envoy);
        (await envoy.Gateway.Process.WaitForLineAsync("refused-by-data-plane")).ShouldContain("clash");
        envoy.Gateway.Delete("clash.yaml");
        (await envoy.Gateway.SendAsync("GET", "/more/")).Status.ShouldBe(200);
        envoy.Gateway.Write("second.yaml", listener);
        await AnswersAsync(second, envoy);
        await MetricAsync(envoy, "nuncio_standby_listeners", 2);
        envoy.Gateway.Delete("second.yaml");
        await RefusesAsync(second, envoy);

        // And the end while it is away: nothing is left open.
        folder.Write("held", "");
        await KillAsync(envoy);
        (await envoy.Gateway.SendAsync("GET", "/more/")).Status.ShouldBe(200);
        envoy.Gateway.Process.Terminate();
        (await envoy.Gateway.Process.WaitForExitAsync()).ShouldBe(0);
    }

    // Starts only once a file is gone.
    private static string HeldEnvoy(TemporaryFolder folder, string held)
    {
        var path = Path.Combine(folder.Path, "envoy");
        folder.Write("envoy", $"""
            #!/bin/sh
            trap 'exit 0' TERM
            while [ "$1" != --version ] && [ -e {held} ]; do sleep 0.05; done
            trap - TERM
            exec {TestPaths.RequireProgram("envoy")} "$@"
            """.ReplaceLineEndings("\n") + "\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, (UnixFileMode)0b111_000_000);
        return path;
    }

    private static async Task KillAsync(EnvoyGateway envoy)
    {
        var id = envoy.EnvoyId;
        Process.GetProcessById(id).Kill();
        await envoy.Gateway.Process.WaitForLineAsync($"Envoy, process {id}, ended");
    }

    private static async Task BackAsync(EnvoyGateway envoy)
    {
        await Until.TrueAsync(
            async () => await envoy.Gateway.AdminStatusAsync("/ambassador/v0/check_ready") == HttpStatusCode.OK,
            () => envoy.Gateway.Process.AllText,
            "Envoy is ready again");
        await MetricAsync(envoy, "nuncio_standby_serving", 0);
    }

    private static Task MetricAsync(EnvoyGateway envoy, string name, int value) => Until.TrueAsync(
        async () => (await envoy.Gateway.AdminTextAsync("/metrics")).Split('\n').Contains(string.Create(CultureInfo.InvariantCulture, $"{name} {value}")),
        () => envoy.Gateway.Process.AllText,
        $"{name} {value}");

    private static Task AnswersAsync(int port, EnvoyGateway envoy) => Until.TrueAsync(
        async () =>
        {
            try
            {
                await using var client = await WireClient.ConnectAsync(port);
                return (await client.SendAsync("GET", "/more/", "example.com")).Status == 200;
            }
            catch (Exception e) when (e is SocketException or IOException or InvalidDataException)
            {
                return false;
            }
        },
        () => envoy.Gateway.Process.AllText,
        "the second listener answers");

    private static Task RefusesAsync(int port, EnvoyGateway envoy) => Until.TrueAsync(
        async () =>
        {
            try
            {
                await using var client = await WireClient.ConnectAsync(port);
                return false;
            }
            catch (SocketException e)
            {
                return e.SocketErrorCode == SocketError.ConnectionRefused;
            }
        },
        () => envoy.Gateway.Process.AllText,
        "the second listener is gone");
}
