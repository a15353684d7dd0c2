using Nuncio.Testing;

namespace Nuncio.EndToEndTests.Features.Resolvers;

public class IstioTests
{
    private const string Manifests = Common.Everywhere + """

        TLSContext istio-upstream: { secret: istio-certs }
        Mapping mesh: { hostname: "*", prefix: /mesh/, tls: istio-upstream, cluster_max_connection_lifetime_ms: 200, service: "https://$(mtls:a)" }
        """;

    [SkippableTheory, DataPlanes, Feature("RES-09")]
    public async Task CertificateOfASidecar_IsTheSecretThatTlsContextsName(DataPlane plane)
    {
        await using var upstreams = new Upstreams();
        using var folder = new TemporaryFolder();
        using var first = TestCertificate.Create(["first.mesh"]);
        Write(folder, first);
        await using var gateway = await FeatureGateway.StartAsync(plane, Manifests, upstreams, [new("AMBASSADOR_ISTIO_SECRET_DIR", folder.Path)]);

        (await gateway.GetAsync("/mesh/")).Seen("x-seen-client").ShouldBe("CN=first.mesh");
        if (plane == DataPlane.Envoy) return;

        using var second = TestCertificate.Create(["second.mesh"]);
        Write(folder, second);
        await Refusal.UntilAsync(async () => (await gateway.GetAsync("/mesh/")).Seen("x-seen-client") == "CN=second.mesh");
    }

    private static void Write(TemporaryFolder folder, TestCertificate certificate)
    {
        folder.Write("key.pem", certificate.KeyPem);
        folder.Write("cert-chain.pem", certificate.ChainPem);
    }
}
