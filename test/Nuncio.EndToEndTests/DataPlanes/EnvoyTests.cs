using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Nuncio.Testing;
using Nuncio.Testing.Backends;

namespace Nuncio.EndToEndTests.DataPlanes;

/// <summary>A real Envoy as the data plane: changes, faults and ends.</summary>
public sealed class EnvoyTests
{
    [SkippableFact]
    public async Task ChangedMapping_TouchesNoListener()
    {
        await using var backend = WireBackend.StartEcho();
        await using var envoy = await EnvoyGateway.StartAsync(Manifests.Mapping("kept", "/kept/", backend.Port));
        await using var load = Load.Start(envoy.Gateway.Port, "/kept/");
        await load.ContinueAsync(20);

        for (var change = 0; change < 5; change++)
        {
            envoy.Gateway.Write("more.yaml", Manifests.Mapping("more", $"/more-{change}/", backend.Port));
            await envoy.Gateway.SendUntilAsync(response => response.Status == 200, $"/more-{change}/");
        }

        await load.ContinueAsync(20);
        (await envoy.StatisticAsync("listener_manager.listener_modified")).ShouldBe(0);
        (await envoy.StatisticAsync("listener_manager.listener_added")).ShouldBe(1);
        load.Wrong.ShouldBe(0, load.Example);
    }

    [SkippableFact]
    public async Task Envoy_KilledWithoutStandby_IsStartedAgain()
    {
        await using var backend = WireBackend.StartEcho();
        await using var envoy = await EnvoyGateway.StartAsync(Manifests.Mapping("kept", "/kept/", backend.Port), false, "--no-envoy-standby");
        var before = envoy.EnvoyId;
        await using var load = Load.Start(envoy.Gateway.Port, "/kept/");
        await load.ContinueAsync(20);

        System.Diagnostics.Process.GetProcessById(before).Kill();
        await envoy.Gateway.Process.WaitForLineAsync($"Envoy, process {before}, ended");

        await load.ContinueAsync(50);
        envoy.EnvoyId.ShouldNotBe(before);
        await EventuallyReadyAsync(envoy.Gateway);
        (await envoy.Gateway.AdminTextAsync("/metrics")).ShouldNotContain("nuncio_standby");

        // Whoever reached the new Envoy was served: it takes no connection before it has its configuration. And then nothing fails any more.
        load.WrongAnswers.ShouldBe(0, load.Example);
        var wrong = load.Wrong;
        await load.ContinueAsync(100);
        load.Wrong.ShouldBe(wrong, load.Example);
    }

    [SkippableFact]
    public async Task Nuncio_KilledUnderLoad_EnvoyGoesOn_AndIsTakenOver()
    {
        await using var backend = WireBackend.StartEcho();
        await using var envoy = await EnvoyGateway.StartAsync(Manifests.Mapping("kept", "/kept/", backend.Port));
        var process = envoy.EnvoyId;
        await using var load = Load.Start(envoy.Gateway.Port, "/kept/");
        await load.ContinueAsync(20);

        envoy.Gateway.Process.Signal(9);
        // Envoy still has its output open, so that the end of that is not waited for.
        await Until.TrueAsync(() => envoy.Gateway.Process.HasExited);
        await load.ContinueAsync(50);
        envoy.Gateway.Write("more.yaml", Manifests.Mapping("more", "/more/", backend.Port));
        await envoy.Gateway.StartAgainAsync();

        await envoy.Gateway.SendUntilAsync(response => response.Status == 200, "/more/");
        await load.ContinueAsync(20);
        envoy.EnvoyId.ShouldBe(process);
        (await envoy.StatisticAsync("listener_manager.listener_modified")).ShouldBe(0);
        load.Wrong.ShouldBe(0, load.Example);
    }

    [SkippableFact]
    public async Task BrokenManifest_UnderLoad_StopsNothingElse()
    {
        await using var backend = WireBackend.StartEcho();
        await using var envoy = await EnvoyGateway.StartAsync(Manifests.Mapping("kept", "/kept/", backend.Port));
        await using var load = Load.Start(envoy.Gateway.Port, "/kept/");

        envoy.Gateway.Write("broken.yaml", "kind: Mapping\n  metadata: [half written");
        envoy.Gateway.Write("more.yaml", Manifests.Mapping("more", "/more/", backend.Port));
        await envoy.Gateway.SendUntilAsync(response => response.Status == 200, "/more/");

        await load.ContinueAsync(20);
        load.Wrong.ShouldBe(0, load.Example);
        await envoy.Gateway.Process.WaitForLineAsync("broken.yaml");
    }

    [SkippableFact]
    public async Task Listener_WhosePortIsTaken_IsAFinding_AndTheOtherServes()
    {
        using var taken = new TcpListener(IPAddress.Any, 0);
        taken.ExclusiveAddressUse = true;
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        await using var backend = WireBackend.StartEcho();
        await using var envoy = await EnvoyGateway.StartAsync(
            Manifests.ListenerAndHost.Replace("PORT", port.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal).Replace("name: test", "name: conflict", StringComparison.Ordinal)
            + Manifests.Listener + Manifests.Mapping("kept", "/kept/", backend.Port),
            complete: true);

        (await envoy.Gateway.SendAsync("GET", "/kept/")).Status.ShouldBe(200);
        var line = await envoy.Gateway.Process.WaitForLineAsync("refused-by-data-plane");
        line.ShouldContain("conflict");
    }

    [SkippableFact]
    public async Task Terminated_LetsOpenRequestsEnd_ThenEnvoyEndsToo()
    {
        var answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var backend = WireBackend.Start(async (wire, cancellation) =>
        {
            await wire.ReadRequestAsync(cancellation);
            await answer.Task.WaitAsync(cancellation);
            await wire.WriteAsync(Responses.Ok("late"), cancellation);
        });
        await using var envoy = await EnvoyGateway.StartAsync(Manifests.Mapping("slow", "/slow/", backend.Port, "timeout_ms: 30000"));
        var process = envoy.EnvoyId;
        var request = envoy.Gateway.SendAsync("GET", "/slow/");
        await Until.TrueAsync(() => backend.Accepted > 0);

        envoy.Gateway.Process.Terminate();
        await envoy.Gateway.Process.WaitForLineAsync("Stopping");
        await Task.Delay(200);
        answer.SetResult();

        (await request).BodyText.ShouldBe("late");
        (await envoy.Gateway.Process.WaitForExitAsync()).ShouldBe(0);
        Should.Throw<ArgumentException>(() => System.Diagnostics.Process.GetProcessById(process));
    }

    [SkippableFact]
    public async Task LastGood_IsServed_WhileManifestsAreAway()
    {
        using var kept = new TemporaryFolder();
        await using var backend = WireBackend.StartEcho();
        await using var envoy = await EnvoyGateway.StartAsync(Manifests.Mapping("kept", "/kept/", backend.Port), false, "--last-good", kept.Path);
        await Until.TrueAsync(() => File.Exists(Path.Combine(kept.Path, "last-good.pb")), () => envoy.Gateway.Process.AllText);

        envoy.Gateway.Process.Terminate();
        await envoy.Gateway.Process.WaitForExitAsync();
        (File.GetUnixFileMode(Path.Combine(kept.Path, "last-good.pb")) & (UnixFileMode)63).ShouldBe(default);
        Directory.Move(envoy.Gateway.Folder, envoy.Gateway.Folder + "-away");
        try
        {
            await envoy.Gateway.StartAgainAsync();
            (await envoy.Gateway.SendUntilAsync(response => response.Status == 200, "/kept/")).Status.ShouldBe(200);
        }
        finally
        {
            Directory.Move(envoy.Gateway.Folder + "-away", envoy.Gateway.Folder);
        }

        envoy.Gateway.Write("more.yaml", Manifests.Mapping("more", "/more/", backend.Port));
        (await envoy.Gateway.SendUntilAsync(response => response.Status == 200, "/more/")).Status.ShouldBe(200);
    }

    [SkippableFact]
    public async Task LastGood_HoldsWhatWasAccepted_WhileSomethingIsRefused()
    {
        using var kept = new TemporaryFolder();
        using var taken = new TcpListener(IPAddress.Any, 0);
        taken.ExclusiveAddressUse = true;
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        await using var backend = WireBackend.StartEcho();
        await using var envoy = await EnvoyGateway.StartAsync(Manifests.Mapping("kept", "/kept/", backend.Port), false, "--last-good", kept.Path);
        envoy.Gateway.Write("conflict.yaml", Manifests.Listener
            .Replace("PORT", port.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal).Replace("name: test", "name: conflict", StringComparison.Ordinal));
        await envoy.Gateway.Process.WaitForLineAsync("refused-by-data-plane");

        envoy.Gateway.Write("more.yaml", Manifests.Mapping("more", "/more/", backend.Port));

        var file = Path.Combine(kept.Path, "last-good.pb");
        await Until.TrueAsync(() => File.Exists(file) && File.ReadAllBytes(file).AsSpan().IndexOf("/more/"u8) >= 0, () => envoy.Gateway.Process.AllText);

        File.ReadAllBytes(file).AsSpan().IndexOf("conflict"u8).ShouldBe(-1, "the listener that was never accepted");
        File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4)]
    public async Task LastGood_ThatIsDamaged_IsNotServed(int halves)
    {
        using var kept = new TemporaryFolder();
        var file = Path.Combine(kept.Path, "last-good.pb");
        await using var gateway = await RunningGateway.StartAsync(Manifests.Mapping("kept", "/kept/", 1), ["--last-good", kept.Path]);
        await Until.TrueAsync(() => File.Exists(file), () => gateway.Process.AllText);

        await gateway.EndAsync();
        var good = File.ReadAllBytes(file);
        File.WriteAllBytes(file, halves switch { 0 => [], 1 => good[..(good.Length / 2)], _ => [.. good, .. good] });

        await gateway.StartAgainAsync();

        await gateway.Process.WaitForLineAsync("cannot be read");
        gateway.Process.Errors.ShouldNotContain(line => line.Contains("last good configuration serves", StringComparison.Ordinal));
        (await gateway.SendAsync("GET", "/kept/")).Status.ShouldBe(503);
    }

    private static Task EventuallyReadyAsync(RunningGateway gateway) =>
        Until.TrueAsync(async () => await gateway.AdminStatusAsync("/ambassador/v0/check_ready") == HttpStatusCode.OK, () => gateway.Process.AllText);
}
