using System.Globalization;
using System.Text.RegularExpressions;
using Nuncio.Testing;
using Nuncio.Testing.Backends;
using Nuncio.Testing.Processes;

namespace Nuncio.EndToEndTests.DataPlanes;

/// <summary>Virtual hosts that come and go while others serve: none of the others may notice.</summary>
public sealed partial class VirtualHostTests
{
    [SkippableTheory]
    [InlineData("envoy")]
    [InlineData("envoy-1.36")]
    [InlineData("nuncio")]
    public async Task HostsComeChangeAndGo_UnderLoad_WithoutAFailedRequest(string dataPlane)
    {
        var program = dataPlane == "nuncio" ? NuncioCommand.Program : TestPaths.RequireProgram(dataPlane);
        await using var backend = WireBackend.StartEcho();
        var ads = FreePort.Next();
        var arguments = (string[])["--data-plane", "none", "--xds-address", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{ads}")];
        await using var gateway = await RunningGateway.StartAsync(
            Manifests.Mapping("kept", "/kept/", backend.Port) + string.Concat(Enumerable.Range(0, 5).Select(i => Host($"h{i}", $"/h{i}/", backend.Port))), arguments);
        using var folder = new TemporaryFolder();
        await using var plane = await StartAsync(program, dataPlane == "nuncio", ads, folder);
        await UntilAsync(gateway, "/kept/", "example.com", 200);
        await using var load = Load.Start(gateway.Port, "/kept/");
        await load.ContinueAsync(20);

        gateway.Write("more.yaml", Host("more", "/more/", backend.Port));
        await UntilAsync(gateway, "/more/", "more.example.com", 200);

        var before = await SentAsync(gateway);
        gateway.Write("more.yaml", Host("more", "/changed/", backend.Port));
        await UntilAsync(gateway, "/changed/", "more.example.com", 200);
        (await gateway.SendAsync("GET", "/more/", "more.example.com")).Status.ShouldBe(404);
        var sent = await SentAsync(gateway) - before;

        // The virtual host that changed, for cleartext and for TLS, to a client that takes virtual hosts one by one.
        if (dataPlane != "envoy-1.36") sent.ShouldBeLessThan(3000);

        // Two Hosts that share a virtual host until one of them gets a Mapping of its own, and then again.
        gateway.Write("shared.yaml", Host("one") + Host("two"));
        await UntilAsync(gateway, "/kept/", "two.example.com", 200);
        gateway.Write("shared.yaml", Host("one") + Host("two", "/two/", backend.Port));
        await UntilAsync(gateway, "/two/", "two.example.com", 200);
        (await gateway.SendAsync("GET", "/kept/", "one.example.com")).Status.ShouldBe(200);
        (await gateway.SendAsync("GET", "/kept/", "two.example.com")).Status.ShouldBe(200);
        gateway.Write("shared.yaml", Host("one") + Host("two"));
        await UntilAsync(gateway, "/two/", "two.example.com", 404);

        // The control plane ends without a word, and one Host less is there when it comes back.
        gateway.Process.Signal(9);
        await Until.TrueAsync(() => gateway.Process.HasExited);
        File.Delete(Path.Combine(gateway.Folder, "shared.yaml"));
        gateway.Write("more.yaml", Host("more", "/again/", backend.Port));
        await load.ContinueAsync(20);
        await gateway.StartAgainAsync();
        await UntilAsync(gateway, "/again/", "more.example.com", 200);
        (await gateway.SendAsync("GET", "/changed/", "more.example.com")).Status.ShouldBe(404);

        File.Delete(Path.Combine(gateway.Folder, "more.yaml"));
        await UntilAsync(gateway, "/again/", "more.example.com", 404);
        (await gateway.SendAsync("GET", "/h4/", "h4.example.com")).Status.ShouldBe(200);
        await load.ContinueAsync(20);
        load.Wrong.ShouldBe(0, load.Example);
        (await gateway.AdminTextAsync("/metrics")).ShouldContain("nuncio_ads_refused_responses_total 0\n");
    }

    [SkippableFact]
    public async Task Envoy_AnswersNothingElse_WhileItStarts()
    {
        var program = TestPaths.RequireProgram("envoy");
        await using var backend = WireBackend.StartEcho();
        var ads = FreePort.Next();
        await using var gateway = await RunningGateway.StartAsync(
            Manifests.Mapping("kept", "/kept/", backend.Port) + string.Concat(Enumerable.Range(0, 200).Select(i => Host($"h{i}", $"/h{i}/", backend.Port))),
            ["--data-plane", "none", "--xds-address", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{ads}")]);
        using var folder = new TemporaryFolder();
        await using var plane = await StartAsync(program, isProxy: false, ads, folder);

        await Until.TrueAsync(
            async () =>
            {
                try
                {
                    // The first that is answered at all is answered right.
                    (await gateway.SendAsync("GET", "/h150/", "h150.example.com")).Status.ShouldBe(200);
                    return true;
                }
                catch (System.Net.Sockets.SocketException)
                {
                    return false;
                }
            },
            () => plane.AllText,
            "Envoy listens");
    }

    private static string Host(string name, string? prefix = null, int port = 0) => $$"""
        apiVersion: getambassador.io/v3alpha1
        kind: Host
        metadata: { name: {{name}}, namespace: default }
        spec:
          hostname: {{name}}.example.com
          requestPolicy: { insecure: { action: Route } }
        ---

        """ + (prefix is null ? "" : Manifests.Mapping(name, prefix, port).Replace("hostname: \"*\"", $"hostname: {name}.example.com", StringComparison.Ordinal));

    private static async Task<TestProcess> StartAsync(string program, bool isProxy, int ads, TemporaryFolder folder)
    {
        var (xds, admin) = (string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{ads}"), string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{FreePort.Next()}"));
        if (isProxy) return TestProcess.Start(program, ["proxy", "--xds", xds, "--admin", admin], NuncioCommand.WithoutSettings);
        await using var bootstrap = await NuncioCommand.RunAsync("bootstrap", "--xds", xds, "--envoy-admin", admin);
        folder.Write("envoy.yaml", string.Join('\n', bootstrap.Output) + "\n");
        return TestProcess.Start(program, ["-c", Path.Combine(folder.Path, "envoy.yaml"), "--disable-hot-restart", "--concurrency", "1", "-l", "warning"]);
    }

    // What was sent is counted a moment after it was sent.
    private static async Task<long> SentAsync(RunningGateway gateway)
    {
        long before = -1, now = -1;
        await Until.TrueAsync(async () =>
        {
            before = now;
            await Task.Delay(300);
            now = long.Parse(Sent().Match(await gateway.AdminTextAsync("/metrics")).Groups[1].Value, CultureInfo.InvariantCulture);
            return now == before;
        });
        return now;
    }

    private static async Task UntilAsync(RunningGateway gateway, string target, string host, int status)
    {
        await Until.TrueAsync(
            async () =>
            {
                try
                {
                    return (await gateway.SendAsync("GET", target, host)).Status == status;
                }
                catch (System.Net.Sockets.SocketException)
                {
                    // It does not listen yet.
                    return false;
                }
            },
            () => gateway.Process.AllText,
            $"{target} on {host} answers {status}");
    }

    [GeneratedRegex(@"nuncio_ads_bytes_sent\{[^}]*\} (\d+)", RegexOptions.CultureInvariant)]
    private static partial Regex Sent();
}
