using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Nuncio.Cli;
using Nuncio.DataPlane.Transport.Quic;
using Nuncio.EndToEndTests.Features;
using Nuncio.Testing;
using Nuncio.Testing.Processes;

namespace Nuncio.EndToEndTests.Commands;

public class CommandTests
{
    private const string Broken = """
        apiVersion: getambassador.io/v3alpha1
        kind: Mapping
        metadata: { name: broken, namespace: default }
        spec:
          prefx: /a/
          service: quote
        """;

    private static readonly string Good = Manifests.ListenerAndHost.Replace("PORT", "8080", StringComparison.Ordinal)
        + Manifests.Mapping("good", "/good/", "quote") + Manifests.Mapping("longer", "/good/er/", "other");

    [Fact]
    public async Task Check_OfGoodManifests_Exits0()
    {
        using var folder = new TemporaryFolder();
        folder.Write("a.yaml", Good);

        await using var check = await NuncioCommand.RunAsync("check", folder.Path);

        check.ExitCode.ShouldBe(0, check.AllText);
    }

    [Fact]
    public async Task Check_OfAMistake_Exits1AndNamesFileLineAndCode()
    {
        using var folder = new TemporaryFolder();
        folder.Write("a.yaml", Broken);

        await using var check = await NuncioCommand.RunAsync("check", folder.Path);

        check.ExitCode.ShouldBe(1);
        check.AllText.ShouldContain("a.yaml:5:");
        check.AllText.ShouldContain("unknown-field");
    }

    /// <summary>What only a data plane that the machine or the user has chosen can do is judged for that one; embedded is the default, as of run.</summary>
    [Theory]
    [InlineData(true, "envoy")]
    [InlineData(true, "none")]
    [InlineData(false, "embedded")]
    [InlineData(false, null)]
    public async Task Check_OfHttp3_IsForTheDataPlaneThatRunWouldHave(bool alwaysServed, string? plane)
    {
        using var certificate = TestCertificate.Create(["a.example.com"]);
        using var folder = new TemporaryFolder();
        folder.Write("a.yaml", $$"""
            apiVersion: getambassador.io/v3alpha1
            kind: Listener
            metadata: { name: http3, namespace: default }
            spec: { port: 8443, protocolStack: [TLS, HTTP, UDP], securityModel: XFP, hostBinding: { namespace: { from: ALL } } }
            ---
            {{Manifests.ListenerAndHost.Replace("PORT", "8443", StringComparison.Ordinal)}}---
            {{certificate.ToSecretYaml("secure")}}---
            {{Manifests.TlsHost("secure", "a.example.com", "secure")}}
            """);
        using var output = new StringWriter();

        var status = await CommandLineRunner.RunAsync(
            ["check", folder.Path, "--format", "json", .. plane is null ? [] : new[] { "--data-plane", plane }], output, TextWriter.Null);

        status.ShouldBe(0, output.ToString());
        CheckedFinding.Read(output.ToString()).Select(finding => finding.Code).ShouldBe(
            alwaysServed || QuicSupport.IsAvailable ? [] : ["http3-unavailable"]);
    }

    /// <summary>What the proxy would refuse is said beforehand, but not which ports are taken: it may be checked where it never runs.</summary>
    [Theory]
    [InlineData("embedded", 1)]
    [InlineData("envoy", 0)]
    public async Task Check_OfWhatTheEmbeddedProxyCannotDo_SaysWhatRunWouldSay(string plane, int expected)
    {
        using var taken = new TcpListener(IPAddress.Any, 0);
        taken.Start();
        using var folder = new TemporaryFolder();
        folder.Write("a.yaml", Manifests.ListenerAt("taken", ((IPEndPoint)taken.LocalEndpoint).Port)
            + Manifests.Mapping("odd", "/odd/", "127.0.0.1:9", "add_request_headers: { x-worker: { value: \"%WORKER_ID%\" } }"));
        using var output = new StringWriter();

        var status = await CommandLineRunner.RunAsync(["check", folder.Path, "--format", "json", "--data-plane", plane], output, TextWriter.Null);

        status.ShouldBe(expected, output.ToString());
        CheckedFinding.Read(output.ToString()).Where(finding => finding.Level == "error").Select(finding => (finding.Code, finding.Resource)).ShouldBe(
            expected == 0 ? [] : [("refused-by-data-plane", "Mapping/odd")]);
    }

    [Theory]
    [InlineData("json")]
    [InlineData("sarif")]
    public async Task Check_ForTools_WritesJson(string format)
    {
        using var folder = new TemporaryFolder();
        folder.Write("a.yaml", Broken);

        await using var check = await NuncioCommand.RunAsync("check", folder.Path, "--format", format);

        check.ExitCode.ShouldBe(1);
        using var document = JsonDocument.Parse(string.Join('\n', check.Output));
        document.RootElement.ToString().ShouldContain("unknown-field");
    }

    [Theory]
    [InlineData("check")]
    [InlineData("nonsense")]
    [InlineData("check", "a", "--format", "nonsense")]
    [InlineData("check", "a", "--data-plane", "nonsense")]
    [InlineData("run", "a", "--resolve", "nonsense")]
    public async Task Command_UsedWrongly_Exits2(params string[] arguments)
    {
        await using var command = await NuncioCommand.RunAsync(arguments);

        command.ExitCode.ShouldBe(2, command.AllText);
    }

    [Fact]
    public async Task Explain_OfAUrl_NamesTheMappingAndTheNearMiss()
    {
        using var folder = new TemporaryFolder();
        folder.Write("a.yaml", Good);

        await using var explain = await NuncioCommand.RunAsync(
            "explain", folder.Path, "--url", "http://example.com:8080/good/a", "--resolve", "quote=127.0.0.1:9");

        explain.ExitCode.ShouldBe(0, explain.AllText);
        explain.AllText.ShouldContain("Mapping/default/good");
        explain.AllText.ShouldContain("127.0.0.1:9");
    }

    [Fact]
    public async Task Compile_ToAFile_IsPrivateToItsOwner()
    {
        using var folder = new TemporaryFolder();
        folder.Write("a.yaml", Good);
        var output = Path.Combine(folder.Path, "envoy.json");

        await using var compile = await NuncioCommand.RunAsync("compile", Path.Combine(folder.Path, "a.yaml"), "--out", output);

        compile.ExitCode.ShouldBe(0, compile.AllText);
        if (!OperatingSystem.IsWindows()) File.GetUnixFileMode(output).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        using var document = JsonDocument.Parse(await File.ReadAllTextAsync(output));
        document.RootElement.GetProperty("static_resources").GetProperty("listeners").GetArrayLength().ShouldBeGreaterThan(0);
    }

    [SkippableTheory]
    [InlineData("json")]
    [InlineData("yaml")]
    public async Task Compile_OfGoodManifests_IsAcceptedByEnvoy(string format)
    {
        var envoy = TestPaths.RequireProgram("envoy");
        using var certificate = TestCertificate.Create(["secure.example.com"]);
        using var folder = new TemporaryFolder();
        folder.Write("a.yaml", Good + certificate.ToSecretYaml("secure") + "---\n" + Manifests.TlsHost("secure", "secure.example.com", "secure"));
        var output = Path.Combine(folder.Path, $"envoy.{format}");

        await using var compile = await NuncioCommand.RunAsync("compile", Path.Combine(folder.Path, "a.yaml"), "--format", format, "--out", output);
        await using var validate = await TestProcess.RunAsync(envoy, ["--mode", "validate", "-c", output, "-l", "error"]);

        compile.ExitCode.ShouldBe(0, compile.AllText);
        validate.ExitCode.ShouldBe(0, validate.AllText);
    }

    [Fact]
    public async Task Version_And_Help_Exit0()
    {
        string[][] commands = [["version"], ["--help"], ["run", "--help"], ["check", "--help"], ["compile", "--help"], ["explain", "--help"]];
        foreach (var arguments in commands)
        {
            await using var command = await NuncioCommand.RunAsync(arguments);
            command.ExitCode.ShouldBe(0, command.AllText);
            command.Output.ShouldNotBeEmpty();
        }
    }

    [SkippableFact]
    public async Task Check_OfManifestsThatCrashEmissary_ReportsAndEnds()
    {
        var crashers = Directory.GetDirectories(Path.Combine(TestPaths.RequireOracle(), "crashers")).Order().ToArray();
        crashers.ShouldNotBeEmpty();
        foreach (var crasher in crashers)
        {
            await using var check = await NuncioCommand.RunAsync("check", crasher);
            check.ExitCode.ShouldBeInRange(0, 1, $"{crasher}\n{check.AllText}");
        }
    }
}
