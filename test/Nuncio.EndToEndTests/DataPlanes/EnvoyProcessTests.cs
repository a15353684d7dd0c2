using System.Globalization;
using Nuncio.Testing;
using Nuncio.Testing.Backends;

namespace Nuncio.EndToEndTests.DataPlanes;

/// <summary>The one Envoy of a gateway: found, replaced, ended.</summary>
public sealed class EnvoyProcessTests
{
    [SkippableFact]
    public async Task OtherBootstrap_EndsTheEnvoyThatWasLeft_AndStartsANewOne()
    {
        await using var backend = WireBackend.StartEcho();
        await using var envoy = await EnvoyGateway.StartAsync(Manifests.Mapping("kept", "/kept/", backend.Port));
        var before = envoy.EnvoyId;
        envoy.Gateway.Process.Signal(9);
        await Until.TrueAsync(() => envoy.Gateway.Process.HasExited);

        await envoy.Gateway.StartAgainAsync(
        [
            "--data-plane", "envoy", "--envoy", TestPaths.RequireProgram("envoy"), "--envoy-admin", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{FreePort.Next()}"),
            "--envoy-folder", envoy.Folder,
        ]);

        envoy.EnvoyId.ShouldNotBe(before);
        Should.Throw<ArgumentException>(() => System.Diagnostics.Process.GetProcessById(before));
        (await envoy.Gateway.SendUntilAsync(response => response.Status == 200, "/kept/")).Status.ShouldBe(200);
    }

    [SkippableFact]
    public async Task ProcessIdThatCannotBeWritten_StartsOneEnvoyAllTheSame()
    {
        var program = TestPaths.RequireProgram("envoy");
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(Path.Combine(folder.Path, "envoy.pid"));
        await using var backend = WireBackend.StartEcho();
        await using var gateway = await RunningGateway.StartAsync(
            Manifests.Mapping("kept", "/kept/", backend.Port),
            ["--data-plane", "envoy", "--envoy", program, "--envoy-admin", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{FreePort.Next()}"), "--envoy-folder", folder.Path]);

        await gateway.Process.WaitForLineAsync("cannot be written down");
        await gateway.SendUntilAsync(response => response.Status == 200, "/kept/");
        gateway.Process.Terminate();
        (await gateway.Process.WaitForExitAsync()).ShouldBe(0);
        gateway.Process.Errors.Count(line => line.Contains("Envoy runs as process", StringComparison.Ordinal) && !line.Contains("written", StringComparison.Ordinal)).ShouldBe(1);
    }

    [SkippableFact]
    public async Task Log_IsReadUntilEnvoyHasEnded()
    {
        Skip.If(OperatingSystem.IsWindows(), "a script");
        using var folder = new TemporaryFolder();
        var ended = Path.Combine(folder.Path, "ended");
        var listens = Path.Combine(folder.Path, "listens");
        // Says much more at its end than fits into a pipe.
        folder.Write("envoy", $$"""
            #!/bin/sh
            if [ "$1" = --version ]; then echo "envoy  version: abc123/1.40.0/Clean/RELEASE/BoringSSL"; exit; fi
            trap 'i=0; while [ $i -lt 4000 ]; do echo "info end of it all, line number $i, and so on and so on" >&2; i=$((i+1)); done; echo > {{ended}}; exit 0' TERM
            echo > {{listens}}
            while :; do sleep 0.05; done
            """.ReplaceLineEndings("\n") + "\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(Path.Combine(folder.Path, "envoy"), (UnixFileMode)0b111_000_000);
        folder.Write("manifests.yaml", Manifests.Mapping("kept", "/kept/", 1));
        await using var gateway = Testing.Processes.TestProcess.Start(
            NuncioCommand.Program,
            [
                "run", folder.Path, "--admin", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{FreePort.Next()}"), "--drain-time", "0", "--data-plane", "envoy",
                "--envoy", Path.Combine(folder.Path, "envoy"), "--envoy-admin", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{FreePort.Next()}"),
                "--envoy-folder", Path.Combine(folder.Path, "shared"),
            ],
            NuncioCommand.WithoutSettings);
        await gateway.WaitForLineAsync("Envoy runs as process");
        await Until.TrueAsync(() => File.Exists(listens), () => gateway.AllText);

        gateway.Terminate();

        (await gateway.WaitForExitAsync()).ShouldBe(0);
        File.Exists(ended).ShouldBeTrue(gateway.AllText);
    }
}
