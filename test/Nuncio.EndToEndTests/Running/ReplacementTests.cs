using System.Globalization;
using Nuncio.EndToEndTests.Running.Churn;
using Nuncio.Testing;
using Nuncio.Testing.Backends;
using Nuncio.Testing.Processes;

namespace Nuncio.EndToEndTests.Running;

/// <summary>A newer process takes over the ports of an older one (SO_REUSEPORT) under load: clients notice nothing.</summary>
public class ReplacementTests
{
    [SkippableFact]
    public async Task NewerGateway_OnTheSamePorts_TakesOverWithoutALostConnection()
    {
        Skip.IfNot(OperatingSystem.IsLinux());
        using var certificate = TestCertificate.Create([SteadyTraffic.ServerName]);
        await using var backend = WireBackend.StartEcho();
        await using var gateway = await RunningGateway.StartAsync(
            certificate.ToSecretYaml("secure") + "---\n" + Manifests.TlsHost("secure", SteadyTraffic.ServerName, "secure") + Manifests.Mapping("kept", "/kept/", backend.Port));
        await using var traffic = Start(gateway.Port).NewConnections("/kept/", tls: true).Obedient("/kept/", tls: true).Http2("/kept/", mayReconnect: true);

        for (var generation = 0; generation < 3; generation++)
        {
            await traffic.ContinueAsync(20);
            (await gateway.SucceedAsync()).ShouldBe(0);
        }

        await traffic.ContinueAsync(20);
        (await traffic.StopAsync()).ShouldBeEmpty();
        await gateway.Process.WaitForLineAsync("Served on http://127.0.0.1:");
        (await gateway.AdminStatusAsync("/ambassador/v0/check_ready")).ShouldBe(System.Net.HttpStatusCode.OK);
    }

    [SkippableFact]
    public async Task NewerProxyOfAControlPlane_OnTheSamePorts_TakesOverWithoutALostConnection()
    {
        Skip.IfNot(OperatingSystem.IsLinux());
        await using var backend = WireBackend.StartEcho();
        var address = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{FreePort.Next()}");
        await using var gateway = await RunningGateway.StartAsync(Manifests.Mapping("kept", "/kept/", backend.Port), ["--data-plane", "none", "--xds-address", address]);
        var older = await StartProxyAsync(address);
        try
        {
            await gateway.SendUntilAsync(response => response.Status == 200, "/kept/");
            await using var traffic = Start(gateway.Port);
            await traffic.ContinueAsync(20);

            var newer = await StartProxyAsync(address);
            older.Terminate();
            (await older.WaitForExitAsync()).ShouldBe(0);
            await older.DisposeAsync();
            older = newer;

            await traffic.ContinueAsync(20);
            (await traffic.StopAsync()).ShouldBeEmpty();
        }
        finally
        {
            await older.DisposeAsync();
        }
    }

    private static SteadyTraffic Start(int port)
    {
        var traffic = new SteadyTraffic(port).Obedient("/kept/").Uploads("/kept/", obedient: true);
        for (var i = 0; i < 6; i++) traffic.NewConnections("/kept/", delay: 0);
        return traffic;
    }

    private static async Task<TestProcess> StartProxyAsync(string address)
    {
        var admin = FreePort.Next();
        var proxy = TestProcess.Start(
            NuncioCommand.Program, ["proxy", "--xds", address, "--admin", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{admin}")], NuncioCommand.WithoutSettings);
        using var client = new HttpClient();
        var page = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{admin}/ambassador/v0/check_ready"));
        await Until.TrueAsync(
            async () =>
            {
                try
                {
                    return (await client.GetAsync(page)).IsSuccessStatusCode;
                }
                catch (HttpRequestException)
                {
                    // It does not listen yet.
                    return false;
                }
            },
            () => proxy.AllText,
            "the proxy is ready");
        return proxy;
    }
}
