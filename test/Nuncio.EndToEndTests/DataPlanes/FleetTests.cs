using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Nuncio.Testing;
using Nuncio.Testing.Backends;
using Nuncio.Testing.Processes;

namespace Nuncio.EndToEndTests.DataPlanes;

/// <summary><c>nuncio run --data-plane none</c> with data planes that were started elsewhere.</summary>
public sealed class FleetTests
{
    [SkippableFact]
    public async Task AdsConnection_CutUnderLoad_EnvoyGoesOn_AndCatchesUp()
    {
        var program = TestPaths.RequireProgram("envoy");
        await using var backend = WireBackend.StartEcho();
        var (ads, admin) = (FreePort.Next(), FreePort.Next());
        await using var gateway = await RunningGateway.StartAsync(
            Manifests.Mapping("kept", "/kept/", backend.Port), ["--data-plane", "none", "--xds-address", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{ads}")]);
        await using var relay = new TcpRelay(ads);
        using var folder = new TemporaryFolder();
        await using var bootstrap = await NuncioCommand.RunAsync(
            "bootstrap", "--xds", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{relay.Port}"), "--envoy-admin", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{admin}"));
        folder.Write("envoy.yaml", string.Join('\n', bootstrap.Output) + "\n");
        await using var envoy = TestProcess.Start(program, ["-c", Path.Combine(folder.Path, "envoy.yaml"), "--disable-hot-restart", "--concurrency", "1", "-l", "warning"]);
        await UntilAsync(() => AnswersAsync(gateway, "/kept/"));
        await using var load = Load.Start(gateway.Port, "/kept/");
        await load.ContinueAsync(20);

        relay.Cut();
        gateway.Write("more.yaml", Manifests.Mapping("more", "/more/", backend.Port));
        await load.ContinueAsync(50);
        (await gateway.SendAsync("GET", "/more/")).Status.ShouldBe(404);
        relay.Mend();

        await UntilAsync(() => AnswersAsync(gateway, "/more/"));
        await load.ContinueAsync(20);
        load.Wrong.ShouldBe(0, load.Example);
    }

    [Fact]
    public async Task RemoteProxy_CutUnderLoad_GoesOn_AndCatchesUp()
    {
        await using var backend = WireBackend.StartEcho();
        var ads = FreePort.Next();
        await using var gateway = await RunningGateway.StartAsync(
            Manifests.Mapping("kept", "/kept/", backend.Port), ["--data-plane", "none", "--xds-address", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{ads}")]);
        await using var relay = new TcpRelay(ads);
        await using var proxy = TestProcess.Start(
            NuncioCommand.Program,
            ["proxy", "--xds", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{relay.Port}"), "--node-id", "edge-7", "--admin", $"127.0.0.1:{FreePort.Next()}"],
            NuncioCommand.WithoutSettings);
        await UntilAsync(() => AnswersAsync(gateway, "/kept/"));
        await gateway.Process.WaitForLineAsync("edge-7 (nuncio ");
        await using var load = Load.Start(gateway.Port, "/kept/");
        await load.ContinueAsync(20);

        relay.Cut();
        gateway.Write("more.yaml", Manifests.Mapping("more", "/more/", backend.Port));
        await load.ContinueAsync(50);
        (await gateway.SendAsync("GET", "/more/")).Status.ShouldBe(404);
        relay.Mend();

        await UntilAsync(() => AnswersAsync(gateway, "/more/"));
        await load.ContinueAsync(20);
        load.Wrong.ShouldBe(0, load.Example);
    }

    [Fact]
    public async Task BrokenManifest_UnderLoad_StopsNothingElse()
    {
        await using var backend = WireBackend.StartEcho();
        var ads = FreePort.Next();
        await using var gateway = await RunningGateway.StartAsync(
            Manifests.Mapping("kept", "/kept/", backend.Port), ["--data-plane", "none", "--xds-address", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{ads}")]);
        await using var proxy = StartProxy(ads);
        await UntilAsync(() => AnswersAsync(gateway, "/kept/"));
        await using var load = Load.Start(gateway.Port, "/kept/");
        await load.ContinueAsync(20);

        gateway.Write("broken.yaml", "kind: Mapping\n  metadata: [half written");
        gateway.Write("more.yaml", Manifests.Mapping("more", "/more/", backend.Port));

        await UntilAsync(() => AnswersAsync(gateway, "/more/"));
        await load.ContinueAsync(20);
        load.Wrong.ShouldBe(0, load.Example);
        await gateway.Process.WaitForLineAsync("broken.yaml");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Manifests_ThatCannotBeReadAnyMore_TakeNothingAway(bool restart)
    {
        await using var backend = WireBackend.StartEcho();
        var ads = FreePort.Next();
        await using var gateway = await RunningGateway.StartAsync(
            Manifests.Mapping("kept", "/kept/", backend.Port), ["--data-plane", "none", "--xds-address", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{ads}")]);
        await using var proxy = StartProxy(ads);
        await UntilAsync(() => AnswersAsync(gateway, "/kept/"));
        await using var load = Load.Start(gateway.Port, "/kept/");

        if (restart) await gateway.EndAsync();
        Directory.Move(gateway.Folder, gateway.Folder + "-away");
        try
        {
            if (restart) await gateway.BeginAgainAsync();
            await gateway.Process.WaitForLineAsync("path-not-found");
            await load.ContinueAsync(50);
        }
        finally
        {
            Directory.Move(gateway.Folder + "-away", gateway.Folder);
        }

        gateway.Write("more.yaml", Manifests.Mapping("more", "/more/", backend.Port));
        await UntilAsync(() => AnswersAsync(gateway, "/more/"));
        load.Wrong.ShouldBe(0, $"{load.Example}\n{proxy.AllText}");
    }

    [Fact]
    public async Task Listener_WhosePortIsTakenWhereTheProxyRuns_IsSaidThere()
    {
        using var taken = new TcpListener(IPAddress.Any, 0);
        taken.Start();
        var ads = FreePort.Next();
        await using var backend = WireBackend.StartEcho();
        await using var gateway = await RunningGateway.StartAsync(
            Manifests.ListenerAt("taken", ((IPEndPoint)taken.LocalEndpoint).Port) + Manifests.Mapping("kept", "/kept/", backend.Port),
            ["--data-plane", "none", "--xds-address", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{ads}")]);
        await using var proxy = StartProxy(ads);

        (await proxy.WaitForLineAsync("Ready: ")).ShouldContain("1 listeners");
        proxy.Errors.Where(line => line.Contains("Refused: ", StringComparison.Ordinal)).ShouldHaveSingleItem().ShouldContain("Listener taken, address");
        (await gateway.SendAsync("GET", "/kept/")).Status.ShouldBe(200);
    }

    private static TestProcess StartProxy(int ads) => TestProcess.Start(
        NuncioCommand.Program,
        ["proxy", "--xds", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{ads}"), "--admin", $"127.0.0.1:{FreePort.Next()}"],
        NuncioCommand.WithoutSettings);

    private static async Task<bool> AnswersAsync(RunningGateway gateway, string target)
    {
        try
        {
            return (await gateway.SendAsync("GET", target)).Status == 200;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static Task UntilAsync(Func<Task<bool>> condition, [System.Runtime.CompilerServices.CallerArgumentExpression(nameof(condition))] string what = "") =>
        Until.TrueAsync(condition, what: what);
}
