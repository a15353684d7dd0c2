using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Nuncio.Testing;
using Nuncio.Testing.Backends;
using Nuncio.Testing.Processes;

namespace Nuncio.EndToEndTests.Commands;

/// <summary><c>nuncio proxy</c>: the embedded proxy on an Envoy configuration.</summary>
public class ProxyCommandTests
{
    [Fact]
    public async Task Proxy_OfWhatCompileWrote_ServesIt()
    {
        using var folder = new TemporaryFolder();
        await using var backend = WireBackend.Start(_ => Responses.Ok("body"));
        var port = FreePort.Next();
        var admin = FreePort.Next();
        folder.Write("a.yaml", Manifests.ListenerAndHost.Replace("PORT", port.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
            + Manifests.Mapping("m", "/a/", backend.Port));
        var config = Path.Combine(folder.Path, "envoy.json");
        await using var compile = await NuncioCommand.RunAsync("compile", Path.Combine(folder.Path, "a.yaml"), "--out", config);
        compile.ExitCode.ShouldBe(0, compile.AllText);

        await using var proxy = TestProcess.Start(
            NuncioCommand.Program, ["proxy", "--config", config, "--admin", $"127.0.0.1:{admin}"], NuncioCommand.WithoutSettings);
        await proxy.WaitForLineAsync("Ready: serving on");
        await using var client = await WireClient.ConnectAsync(port);
        var response = await client.SendAsync("GET", "/a/b", "example.com");

        response.BodyText.ShouldBe("body", proxy.AllText);
        backend.Requests.ShouldHaveSingleItem().Target.ShouldBe("/b");
    }

    [Fact]
    public async Task Proxy_WithAPortThatIsTaken_SaysSoAndServesTheOthers()
    {
        using var taken = new TcpListener(IPAddress.Any, 0);
        taken.Start();
        var (port, takenPort) = (FreePort.Next(), ((IPEndPoint)taken.LocalEndpoint).Port);
        using var folder = new TemporaryFolder();
        folder.Write("a.yaml", Manifests.ListenerAndHost.Replace("PORT", port.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
            + Manifests.ListenerAt("taken", takenPort));
        var config = Path.Combine(folder.Path, "envoy.json");
        await using var compile = await NuncioCommand.RunAsync("compile", Path.Combine(folder.Path, "a.yaml"), "--out", config);

        await using var proxy = TestProcess.Start(
            NuncioCommand.Program, ["proxy", "--config", config, "--admin", $"127.0.0.1:{FreePort.Next()}"], NuncioCommand.WithoutSettings);

        var ready = await proxy.WaitForLineAsync("Ready: serving on");
        ready.ShouldContain($":{port}");
        ready.ShouldNotContain($":{takenPort}");
        proxy.Errors.Where(line => line.Contains("Refused: ", StringComparison.Ordinal)).ShouldHaveSingleItem().ShouldContain("taken, address");
    }

    [Fact]
    public async Task Proxy_OfAFileThatIsNotThere_Exits1()
    {
        await using var proxy = await NuncioCommand.RunAsync("proxy", "--config", "/nonexistent/envoy.json", "--admin", "127.0.0.1:0");

        proxy.ExitCode.ShouldBe(1, proxy.AllText);
    }

    [Fact]
    public async Task Proxy_WithoutAConfiguration_Exits2()
    {
        await using var proxy = await NuncioCommand.RunAsync("proxy");

        proxy.ExitCode.ShouldBe(2, proxy.AllText);
    }
}
