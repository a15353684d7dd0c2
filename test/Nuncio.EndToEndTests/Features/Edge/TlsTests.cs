using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Nuncio.Testing;

namespace Nuncio.EndToEndTests.Features.Edge;

[Collection(nameof(EdgeGroup))]
public class TlsTests(GatewayOf<EdgeGroup> group)
{
    [SkippableTheory, DataPlanes, Feature("TLS-01", "TLS-02")]
    [Manifest("""
        Secret second: $(pair:second.example.com)
        Host default/second {on: main}: { hostname: second.example.com, tlsSecret: { name: second } }
        Secret wild: $(pair:wild.example.com)
        Host default/wild {on: main}: { hostname: "*.wild.example.com", tlsSecret: { name: wild } }
        """)]
    public async Task Certificate_OfAServerName_IsThatOfItsHost(DataPlane plane)
    {
        var gateway = await group.On(plane);

        await ShouldShowAsync(gateway, "secure.example.com", "secure.example.com");
        await ShouldShowAsync(gateway, "second.example.com", "second.example.com");
        await ShouldShowAsync(gateway, "a.wild.example.com", "wild.example.com");
        await Refusal.ShouldBeRefusedAsync(() => gateway.GetTlsAsync("/all/", "unknown.example.org"));
        (await gateway.GetTlsAsync("/all/", "second.example.com")).Seen("x-forwarded-proto").ShouldBe("https");
    }

    [SkippableTheory, DataPlanes, Feature("TLS-02")]
    [Manifest("""
        Listener catching: { port: $(port:catching), protocol: HTTPS, securityModel: XFP, hostBinding: { selector: { matchLabels: { on: catching } } } }
        Secret any: $(pair:any.example.com)
        Host default/catching {on: catching}: { hostname: "*", tlsSecret: { name: any } }
        """)]
    public async Task Certificate_OfTheHostForAllNames_IsForUnknownNames(DataPlane plane) =>
        await ShouldShowAsync(await group.On(plane), "unknown.example.org", "any.example.com", "catching");

    [SkippableTheory, DataPlanes, Feature("TLS-03")]
    [Manifest("""
        Secret vault/shared: $(pair:shared.example.com)
        Host default/shared {on: main}: { hostname: shared.example.com, tlsSecret: { name: shared, namespace: vault } }
        """)]
    public async Task Secret_OfAnotherNamespace_IsUsed(DataPlane plane) =>
        await ShouldShowAsync(await group.On(plane), "shared.example.com", "shared.example.com");

    [SkippableTheory, DataPlanes, Feature("TLS-04")]
    [Manifest("""
        Secret modern: $(pair:modern.example.com)
        Host default/modern {on: main}: { hostname: modern.example.com, tlsSecret: { name: modern }, tls: { min_tls_version: v1.3 } }
        """)]
    public async Task MinTlsVersion_OfAHost_RefusesOlderClients(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetTlsAsync("/all/", "modern.example.com")).ShouldBeFrom("a");
        await ShouldFailAsync(gateway, "modern.example.com", options => options.EnabledSslProtocols = SslProtocols.Tls12);
    }

    [SkippableTheory, DataPlanes, Feature("TLS-05")]
    [Manifest("""
        Secret contexted: $(pair:contexted.example.com)
        TLSContext old: { hosts: [contexted.example.com], secret: contexted, max_tls_version: v1.2 }
        Host default/contexted {on: main}: { hostname: contexted.example.com, tlsSecret: { name: contexted }, tlsContext: { name: old } }
        Secret mismatched: $(pair:mismatched.example.com)
        TLSContext other: { secret: contexted }
        Host default/mismatched {on: main}: { hostname: mismatched.example.com, tlsSecret: { name: mismatched }, tlsContext: { name: other } }
        """)]
    public async Task TlsContext_OfAHost_GivesItsOptionsAndAMismatchIsReported(DataPlane plane)
    {
        var gateway = await group.On(plane);

        await using var client = await gateway.ConnectTlsAsync("contexted.example.com");
        client.Tls.SslProtocol.ShouldBe(SslProtocols.Tls12);
        (await client.GetAsync("/all/", "contexted.example.com")).ShouldBeFrom("a");
        await ShouldFailAsync(gateway, "contexted.example.com", options => options.EnabledSslProtocols = SslProtocols.Tls13);
        (await group.FindingsOnAsync("Host/mismatched")).ShouldContain("tls-settings-conflict");
        (await gateway.GetAsync("/all/", "mismatched.example.com")).Upstream.ShouldBeNull();
    }

    [SkippableTheory, DataPlanes, Feature("TLS-06")]
    [Manifest("""
        Secret alpn: $(pair:alpn.example.com)
        Host default/alpn {on: main}: { hostname: alpn.example.com, tlsSecret: { name: alpn }, tls: { alpn_protocols: "h2,http/1.1" } }
        """)]
    public async Task Alpn_ChoosesHttp2OnlyWhereItIsOffered(DataPlane plane)
    {
        var gateway = await group.On(plane);
        static void Offer(SslClientAuthenticationOptions options) => options.ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11];

        await using var with = await gateway.ConnectTlsAsync("alpn.example.com", Offer);
        with.Tls.NegotiatedApplicationProtocol.ShouldBe(SslApplicationProtocol.Http2);
        await using var without = await gateway.ConnectTlsAsync("secure.example.com", Offer);
        without.Tls.NegotiatedApplicationProtocol.ShouldNotBe(SslApplicationProtocol.Http2);
        (await without.GetAsync("/all/", "secure.example.com")).ShouldBeFrom("a");
    }

    [SkippableTheory, DataPlanes, Feature("TLS-07")]
    [Manifest("""
        Secret ciphers: $(pair:ciphers.example.com)
        Host default/ciphers {on: main}: { hostname: ciphers.example.com, tlsSecret: { name: ciphers },
          tls: { max_tls_version: v1.2, cipher_suites: [ECDHE-ECDSA-AES128-GCM-SHA256], ecdh_curves: [P-256] } }
        """)]
    public async Task CipherSuites_OfAHost_RefuseClientsWithOthers(DataPlane plane)
    {
        var gateway = await group.On(plane);

        await using var client = await gateway.ConnectTlsAsync("ciphers.example.com", Offer(TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256));
        client.Tls.NegotiatedCipherSuite.ShouldBe(TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256);
        await ShouldFailAsync(gateway, "ciphers.example.com", Offer(TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384));

#pragma warning disable CA1416 // The tests run where OpenSSL is.
        static Action<SslClientAuthenticationOptions> Offer(TlsCipherSuite suite) => options => options.CipherSuitesPolicy = new CipherSuitesPolicy([suite]);
#pragma warning restore CA1416
    }

    [SkippableTheory, DataPlanes, Feature("TLS-07")]
    [Manifest("""
        Secret curves: $(pair:curves.example.com)
        Host default/curves {on: main}: { hostname: curves.example.com, tlsSecret: { name: curves }, tls: { ecdh_curves: [P-384, P-256] } }
        Secret older: $(pair:older.example.com)
        Host default/older {on: main}: { hostname: older.example.com, tlsSecret: { name: older },
          tls: { max_tls_version: v1.2, cipher_suites: [ECDHE-ECDSA-AES128-GCM-SHA256], ecdh_curves: [P-256] } }
        Secret asking: $(pair:asking.example.com)
        Secret asking-ca: $(ca:asking)
        Host default/asking {on: main}: { hostname: asking.example.com, tlsSecret: { name: asking }, tls: { ca_secret: asking-ca, ecdh_curves: [P-256] } }
        """)]
    public async Task EcdhCurves_OfAHost_RefuseClientsWithOthers(DataPlane plane)
    {
        if (OpenSslClient.Program is null) return;
        var gateway = await group.On(plane);

        (await OffersAsync("secure.example.com", "X25519")).ShouldBeTrue();
        (await OffersAsync("curves.example.com", "X25519:P-384")).ShouldBeTrue();
        (await OffersAsync("curves.example.com", "P-256")).ShouldBeTrue();
        (await OffersAsync("curves.example.com", "X25519")).ShouldBeFalse();
        (await OffersAsync("curves.example.com", "P-521:X25519")).ShouldBeFalse();
        (await OffersAsync("older.example.com", "P-256")).ShouldBeTrue();
        (await OffersAsync("older.example.com", "P-384")).ShouldBeFalse();
        (await OffersAsync("asking.example.com", "P-256")).ShouldBeTrue();
        (await OffersAsync("asking.example.com", "X25519")).ShouldBeFalse();

        Task<bool> OffersAsync(string host, string groups) => OpenSslClient.ShakesHandsAsync(gateway.Port(), host, "-groups", groups);
    }

    [SkippableTheory, DataPlanes, Feature("TLS-08", "TLS-10")]
    [Manifest("""
        Secret mutual: $(pair:mutual.example.com)
        Secret clients-ca: $(ca:clients)
        Host default/mutual {on: main}: { hostname: mutual.example.com, tlsSecret: { name: mutual }, tls: { ca_secret: clients-ca, cert_required: true } }
        """)]
    public async Task ClientCertificate_WhereRequired_IsCheckedAndForwarded(DataPlane plane)
    {
        var gateway = await group.On(plane);

        var reply = await GetWithAsync(gateway, "mutual.example.com", "client.example.com@clients");
        reply.ShouldBeFrom("a");
        reply.Seen("x-forwarded-client-cert")!.ShouldContain("Subject=\"CN=client.example.com\"");
        await Refusal.ShouldBeRefusedAsync(() => gateway.GetTlsAsync("/all/", "mutual.example.com"));
        await Refusal.ShouldBeRefusedAsync(() => GetWithAsync(gateway, "mutual.example.com", "stranger.example.com@strangers"));
        var spoofed = await gateway.GetTlsAsync("/all/", "secure.example.com", "x-forwarded-client-cert: Subject=\"CN=client.example.com\"");
        spoofed.Seen("x-forwarded-client-cert").ShouldBeNull();
    }

    [SkippableTheory, DataPlanes, Feature("TLS-09")]
    [Manifest("""
        Secret revoking: $(pair:revoking.example.com)
        Secret revoking-ca: $(ca:revoking)
        Secret revoking-crl: $(crl:revoking:revoked.example.com)
        Host default/revoking {on: main}: { hostname: revoking.example.com, tlsSecret: { name: revoking },
          tls: { ca_secret: revoking-ca, cert_required: true, crl_secret: revoking-crl } }
        """)]
    public async Task ClientCertificate_ThatIsRevoked_IsRefused(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await GetWithAsync(gateway, "revoking.example.com", "good.example.com@revoking")).ShouldBeFrom("a");
        await Refusal.ShouldBeRefusedAsync(() => GetWithAsync(gateway, "revoking.example.com", "revoked.example.com@revoking"));
    }

    [SkippableTheory, DataPlanes, Feature("TLS-15")]
    [Manifest("""
        Secret broken: $(broken:broken.example.com)
        Host default/broken {on: main}: { hostname: broken.example.com, tlsSecret: { name: broken } }
        """)]
    public async Task Secret_WithABrokenKey_IsReportedAndItsHostServesNothing(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await group.FindingsAsync()).ShouldContain(finding => finding.Code == "secret-invalid" && finding.Level == "error");
        await Refusal.ShouldBeRefusedAsync(() => gateway.GetTlsAsync("/all/", "broken.example.com"));
        (await gateway.GetAsync("/all/", "broken.example.com")).ShouldBeAnswered(503);
        (await gateway.GetTlsAsync("/all/", "secure.example.com")).ShouldBeFrom("a");
    }

    [SkippableTheory, DataPlanes, Feature("TLS-16")]
    [Manifest("""
        Secret vault/dotted: $(pair:dotted.example.com)
        TLSContext dotted: { hosts: [dotted.example.com], secret: dotted.vault }
        Host default/dotted {on: main}: { hostname: dotted.example.com, tlsSecret: { name: dotted, namespace: vault }, tlsContext: { name: dotted } }
        TLSContext undotted: { hosts: [undotted.example.com], secret: dotted.vault, secret_namespacing: false }
        """)]
    public async Task SecretName_WithADot_NamesItsNamespaceUnlessSwitchedOff(DataPlane plane)
    {
        await ShouldShowAsync(await group.On(plane), "dotted.example.com", "dotted.example.com");

        (await group.FindingsOnAsync("TLSContext/dotted")).ShouldBeEmpty();
        (await group.FindingsOnAsync("TLSContext/undotted")).ShouldContain("secret-not-found");
    }

    [SkippableTheory, DataPlanes, Feature("TLS-18")]
    [Manifest("""
        Secret implicit: $(pair:implicit.example.com)
        TLSContext implicit-context: { hosts: [implicit.example.com], max_tls_version: v1.2 }
        Host default/implicit {on: main}: { hostname: implicit.example.com, tlsSecret: { name: implicit } }
        """)]
    public async Task TlsContext_NamedAfterTheHost_IsItsOwn(DataPlane plane)
    {
        await using var client = await (await group.On(plane)).ConnectTlsAsync("implicit.example.com");

        client.Tls.SslProtocol.ShouldBe(SslProtocols.Tls12);
    }

    [SkippableFact, Feature("TLS-14")]
    public async Task Secret_ThatChanges_ChangesTheCertificateAndNoConnectionNotices()
    {
        await using var upstreams = new Upstreams();
        static string WithSecret(string data) => Common.Listener + $$"""

            Secret rotated: $({{data}})
            Host rotated: { hostname: rotated.example.com, tlsSecret: { name: rotated } }
            Mapping all: { hostname: "*", prefix: /, service: $(a) }
            """;
        await using var gateway = await FeatureGateway.StartAsync(DataPlane.Embedded, WithSecret("pair:first"), upstreams);
        await using var before = await gateway.ConnectTlsAsync("rotated.example.com");
        (await before.GetAsync("/", "rotated.example.com")).ShouldBeFrom("a");

        gateway.Write(WithSecret("pair:second"));
        await Refusal.UntilAsync(async () =>
        {
            await using var client = await gateway.ConnectTlsAsync("rotated.example.com");
            return client.Tls.RemoteCertificate!.GetCertHashString() == upstreams.Certificates["second"].GetCertHashString();
        });

        before.Tls.RemoteCertificate!.GetCertHashString().ShouldBe(upstreams.Certificates["first"].GetCertHashString());
        (await before.GetAsync("/", "rotated.example.com")).ShouldBeFrom("a");
    }

    private async Task ShouldShowAsync(FeatureGateway gateway, string serverName, string certificate, string port = "")
    {
        await using var client = await gateway.ConnectTlsAsync(serverName, port: port);
        client.Tls.RemoteCertificate!.GetCertHashString().ShouldBe(group.Upstreams.Certificates[certificate].GetCertHashString());
        (await client.GetAsync("/all/", serverName)).ShouldBeFrom("a");
    }

    private async Task<Reply> GetWithAsync(FeatureGateway gateway, string host, string certificate)
    {
        await using var client = await gateway.ConnectTlsAsync(host, options =>
        {
            var own = group.Upstreams.Certificates[certificate];
            options.ClientCertificates = [own];
            options.LocalCertificateSelectionCallback = (_, _, _, _, _) => own;
        });
        return await client.GetAsync("/all/", host);
    }

    private static Task ShouldFailAsync(FeatureGateway gateway, string host, Action<SslClientAuthenticationOptions> configure) => Refusal.ShouldBeRefusedAsync(async () =>
    {
        await using var client = await gateway.ConnectTlsAsync(host, configure);
        return await client.GetAsync("/all/", host);
    });
}
