using System.Net;
using System.Net.Sockets;
using Nuncio.Compiler;
using Nuncio.DataPlane.Transport.Quic;
using Nuncio.Resources.Reading;
using Nuncio.Sources;
using Nuncio.Testing;
using Nuncio.Xds;

namespace Nuncio.DataPlane.Tests;

/// <summary>What a proxy would refuse, without one that serves.</summary>
public sealed class EmbeddedProxyTrialTests : IDisposable
{
    private readonly TestCertificate _certificate = TestCertificate.Create(["a.example.com"]);

    public void Dispose() => _certificate.Dispose();

    [Fact]
    public async Task Trial_OfAPortThatIsTaken_RefusesNothing()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var snapshot = Compile(((IPEndPoint)taken.LocalEndpoint).Port, "[TLS, HTTP, TCP]");

        snapshot.Listeners.ShouldNotBeEmpty();
        (await EmbeddedProxy.TryAsync(snapshot)).Rejections.ShouldBeEmpty();
    }

    [Fact]
    public async Task Trial_OfHttp3_RefusesItForOneReasonWhereThereIsNoQuic()
    {
        var rejections = (await EmbeddedProxy.TryAsync(Compile(8443, "[TLS, HTTP, UDP]"))).Rejections;

        rejections.Select(rejection => (rejection.Name, rejection.FieldPath)).ShouldBe(
            QuicSupport.IsAvailable ? [] : [("l", "address.socket_address.protocol")]);
    }

    private XdsSnapshot Compile(int port, string stack)
    {
        var reading = new ManifestReader().Read("a.yaml", $$"""
            apiVersion: getambassador.io/v3alpha1
            kind: Listener
            metadata: { name: l, namespace: default }
            spec: { port: {{port}}, protocolStack: {{stack}}, securityModel: XFP, hostBinding: { namespace: { from: ALL } } }
            ---
            apiVersion: getambassador.io/v3alpha1
            kind: Host
            metadata: { name: h, namespace: default }
            spec: { hostname: a.example.com, tlsSecret: { name: s } }
            ---
            {{_certificate.ToSecretYaml("s")}}
            """);
        return new SnapshotCompiler(CompilerOptions.Default).Compile(SnapshotAssembler.Assemble(1, [reading], [], SnapshotOptions.Default)).Snapshot;
    }
}
