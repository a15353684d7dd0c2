using Envoy.Extensions.TransportSockets.Tls.V3;
using Nuncio.Testing;

namespace Nuncio.Compiler.Tests.Tls;

public sealed class TlsContextTests : IDisposable
{
    private readonly TestCertificate _certificate = TestCertificate.Create(["a.example.com"]);
    private readonly TestCertificate _authority = TestCertificate.CreateAuthority("ca");

    public void Dispose()
    {
        _certificate.Dispose();
        _authority.Dispose();
    }

    private Compiled WithHost(string hostSpec, string more = "") => Compiled.From(
        Compiled.Listener() + Compiled.Quiet() + Compiled.Secret("cert", _certificate) + Compiled.Secret("ca", _authority)
        + Compiled.Host("h", $"{{hostname: a.example.com, tlsSecret: {{name: cert}}{hostSpec}}}") + more);

    private static DownstreamTlsContext Context(Compiled compiled) =>
        compiled.Chain("l", "https/a.example.com").TransportSocket.TypedConfig.Unpack<DownstreamTlsContext>();

    [Fact]
    public void Host_WithTlsSecret_HasItsOwnChainAndItsKeyBySds()
    {
        var compiled = WithHost("");
        compiled.Result.Findings.ShouldBeEmpty();
        var chain = compiled.Chain("l", "https/a.example.com");
        chain.FilterChainMatch.ServerNames.ShouldBe(["a.example.com"]);
        chain.FilterChainMatch.TransportProtocol.ShouldBe("tls");
        var context = Context(compiled);
        context.CommonTlsContext.AlpnProtocols.ShouldBeEmpty();
        var name = context.CommonTlsContext.TlsCertificateSdsSecretConfigs.Single().Name;
        compiled.Snapshot.Secrets[name].Message.TlsCertificate.PrivateKey.InlineBytes.ToStringUtf8().ShouldBe(_certificate.KeyPem);
    }

    [Fact]
    public void InlineSettings_AreEmitted()
    {
        var compiled = WithHost(
            ", tls: {alpn_protocols: 'h2, http/1.1', min_tls_version: v1.2, max_tls_version: v1.3, cipher_suites: [ECDHE-RSA-AES128-GCM-SHA256], "
            + "ecdh_curves: [P-256], ca_secret: ca, cert_required: true}");
        compiled.Result.Findings.ShouldBeEmpty();
        var context = Context(compiled);
        context.RequireClientCertificate.ShouldBe(true);
        context.CommonTlsContext.AlpnProtocols.ShouldBe(["h2", "http/1.1"]);
        context.CommonTlsContext.TlsParams.TlsMinimumProtocolVersion.ShouldBe(TlsParameters.Types.TlsProtocol.Tlsv12);
        context.CommonTlsContext.TlsParams.TlsMaximumProtocolVersion.ShouldBe(TlsParameters.Types.TlsProtocol.Tlsv13);
        context.CommonTlsContext.TlsParams.CipherSuites.ShouldBe(["ECDHE-RSA-AES128-GCM-SHA256"]);
        context.CommonTlsContext.TlsParams.EcdhCurves.ShouldBe(["P-256"]);
        var validation = compiled.Snapshot.Secrets[context.CommonTlsContext.ValidationContextSdsSecretConfig.Name].Message.ValidationContext;
        validation.TrustedCa.InlineBytes.ToStringUtf8().ShouldBe(_authority.ChainPem);
    }

    [Theory]
    [InlineData("cipher_suites: [NO-SUCH-SUITE]", "tls-cipher-suite-unknown")]
    [InlineData("cipher_suites: [ECDHE-RSA-AES128-GCM-SHA256, '!AES']", "tls-cipher-suite-unknown")]
    [InlineData("ecdh_curves: [P-42]", "tls-curve-unknown")]
    [InlineData("min_tls_version: v1.3, max_tls_version: v1.2", "tls-version-invalid")]
    [InlineData("ca_secret: gone", "secret-not-found")]
    [InlineData("crl_secret: cert, ca_secret: ca", "secret-invalid")]
    [InlineData("cert_chain_file: /a, private_key_file: /b", "tls-file-not-supported")]
    public void Setting_WithoutWhichLessIsProtected_BreaksTheHost(string setting, string code)
    {
        var compiled = WithHost($", tls: {{{setting}}}", Compiled.Mapping("m", "{prefix: /x/, service: svc, hostname: '*'}"));
        compiled.Codes.ShouldBe([code]);
        compiled.Chains("l").ShouldBe(["http"]);
        compiled.VirtualHosts("l", "http")["a.example.com"].Routes.Select(Compiled.Show).ShouldBe(["/* -> 503"]);
    }

    [Fact]
    public void UnknownSuite_AmongKnownOnes_IsLeftOut()
    {
        var compiled = WithHost(", tls: {cipher_suites: [ECDHE-RSA-AES128-GCM-SHA256, NO-SUCH-SUITE]}");
        compiled.Codes.ShouldBe([FindingCodes.TlsCipherSuiteUnknown]);
        Context(compiled).CommonTlsContext.TlsParams.CipherSuites.ShouldBe(["ECDHE-RSA-AES128-GCM-SHA256"]);
    }

    [Fact]
    public void NamedContext_WithAnotherSecret_BreaksTheHost()
    {
        var compiled = WithHost(", tlsContext: {name: ctx}", Compiled.Resource("TLSContext", "ctx", "{secret: ca}"));
        compiled.Codes.ShouldBe([FindingCodes.TlsSettingsConflict]);
        compiled.Chains("l").ShouldBe(["http"]);
    }

    [Fact]
    public void NamedContext_WithoutSecret_TakesTheHosts()
    {
        var compiled = WithHost(", tlsContext: {name: ctx}", Compiled.Resource("TLSContext", "ctx", "{alpn_protocols: h2}"));
        compiled.Result.Findings.ShouldBeEmpty();
        Context(compiled).CommonTlsContext.AlpnProtocols.ShouldBe(["h2"]);
    }

    [Fact]
    public void SecretNamespacing_SplitsAtTheLastDot_UnlessSwitchedOff()
    {
        var secret = _certificate.ToSecretYaml("a.b", "other");
        var split = Compiled.From("---\n" + secret + Compiled.Resource("TLSContext", "ctx", "{secret: a.b.other}"));
        split.Codes.ShouldNotContain(FindingCodes.SecretNotFound);
        var whole = Compiled.From("---\n" + secret + Compiled.Resource("TLSContext", "ctx", "{secret: a.b.other, secret_namespacing: false}"));
        whole.Codes.ShouldContain(FindingCodes.SecretNotFound);
    }

    [Fact]
    public void Origination_WithCaAlone_VerifiesWithoutClientCertificate()
    {
        var compiled = Compiled.From(
            Compiled.Listener()
            + Compiled.Quiet() + Compiled.Secret("ca", _authority) + Compiled.Resource("TLSContext", "up", "{ca_secret: ca, sni: up.example.com}")
            + Compiled.Mapping("m", "{prefix: /x/, service: svc, hostname: '*', tls: up}"));
        var cluster = compiled.Snapshot.Clusters.Values.Single().Message;
        var context = cluster.TransportSocket.TypedConfig.Unpack<UpstreamTlsContext>();
        context.Sni.ShouldBe("up.example.com");
        context.CommonTlsContext.TlsCertificateSdsSecretConfigs.ShouldBeEmpty();
        compiled.Snapshot.Secrets.ShouldContainKey(context.CommonTlsContext.ValidationContextSdsSecretConfig.Name);
    }
}
