using Nuncio.Testing;
using Nuncio.Testing.Backends;
using Nuncio.Testing.Processes;

namespace Nuncio.EndToEndTests.Conformance;

/// <summary>h2spec's 145 tests of RFC 9113 and RFC 7541, against a route with a real upstream.</summary>
public class H2SpecTests
{
    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task H2Spec_AgainstTheGateway_PassesAll(bool tls)
    {
        var program = TestPaths.RequireProgram("h2spec");
        using var certificate = TestCertificate.Create(["127.0.0.1"]);
        await using var backend = WireBackend.Start(_ => Responses.Ok("hello from behind the gateway"));
        var manifests = Manifests.Listener + certificate.ToSecretYaml("own") + "---\n" + """
            apiVersion: getambassador.io/v3alpha1
            kind: Host
            metadata: { name: everywhere, namespace: default }
            spec:
              hostname: "*"
              tlsSecret: { name: own }
              tls: { alpn_protocols: "h2,http/1.1" }
              requestPolicy: { insecure: { action: Route } }
            ---

            """ + Manifests.Mapping("all", "/", backend.Port);
        await using var gateway = await RunningGateway.StartAsync(manifests, complete: true);

        string[] arguments = ["-h", "127.0.0.1", "-p", $"{gateway.Port}", "-o", "2"];
        await using var spec = await TestProcess.RunAsync(program, tls ? [.. arguments, "-t", "-k"] : arguments);

        var failures = string.Join('\n', spec.Output.SkipWhile(line => !line.Contains("Failures:", StringComparison.Ordinal)));
        spec.AllText.ShouldContain(" 0 failed", customMessage: failures);
        spec.ExitCode.ShouldBe(0);
    }
}
