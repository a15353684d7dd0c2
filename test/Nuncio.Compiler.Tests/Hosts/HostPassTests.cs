using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Nuncio.Testing;

namespace Nuncio.Compiler.Tests.Hosts;

public sealed class HostPassTests : IDisposable
{
    private readonly TestCertificate _certificate = TestCertificate.Create(["a.example.com"]);

    public void Dispose() => _certificate.Dispose();

    [Fact]
    public void NoHostAtAll_IsServedInTheClearWithANotice()
    {
        var compiled = Compiled.From(Compiled.Listener() + Compiled.Quiet() + Compiled.Mapping("m", "{prefix: /x/, service: svc, hostname: '*'}"));
        compiled.Codes.ShouldBe([FindingCodes.DefaultHostAssumed]);
        compiled.Chains("l").ShouldBe(["http"]);
        compiled.VirtualHosts("l", "http")["*"].Routes.Select(Compiled.Show).ShouldBe(["/x/* -> cluster_svc_default"]);
    }

    [Fact]
    public void NoHost_WithFallbackCertificate_RedirectsToTls()
    {
        var compiled = Compiled.From(
            Compiled.Listener() + Compiled.Quiet() + Compiled.Secret("fallback-self-signed-cert", _certificate)
            + Compiled.Mapping("m", "{prefix: /x/, service: svc, hostname: '*'}"));
        compiled.Chains("l").ShouldBe(["http", "https/*"]);
        compiled.VirtualHosts("l", "http")["*"].Routes.Select(Compiled.Show).ShouldBe(["/x/* https -> cluster_svc_default", "/x/* -> to https"]);
    }

    [Fact]
    public void OnlyHost_WhoseSecretIsMissing_Answers503AndNeverAMapping()
    {
        var compiled = Compiled.From(
            Compiled.Listener() + Compiled.Quiet() + Compiled.Host("h", "{hostname: a.example.com, tlsSecret: {name: gone}}")
            + Compiled.Mapping("m", "{prefix: /x/, service: svc, hostname: '*'}")
            + Compiled.Mapping("acme", "{prefix: /.well-known/acme-challenge/, service: acme, hostname: '*', rewrite: ''}"));
        compiled.Codes.ShouldBe([FindingCodes.SecretNotFound]);
        compiled.Chains("l").ShouldBe(["http"]);
        var host = compiled.VirtualHosts("l", "http");
        host.Keys.ShouldBe(["a.example.com"]);
        host["a.example.com"].Routes.Select(Compiled.Show).ShouldBe(
            ["/.well-known/acme-challenge/* -> cluster_acme_default", "/* -> 503"]);
    }

    [Fact]
    public void BrokenHost_BelowAWildcardWithTls_IsRefusedThereToo()
    {
        var compiled = Compiled.From(
            Compiled.Listener() + Compiled.Quiet() + Compiled.Secret("good", _certificate)
            + Compiled.Host("wide", "{hostname: '*.example.com', tlsSecret: {name: good}}")
            + Compiled.Host("broken", "{hostname: b.example.com, tlsSecret: {name: gone}}")
            + Compiled.Mapping("m", "{prefix: /x/, service: svc, hostname: '*'}"));
        var hosts = compiled.VirtualHosts("l", "https/*.example.com");
        hosts["b.example.com"].Routes.Select(Compiled.Show).ShouldBe(["/* -> 503"]);
        hosts["*.example.com"].Routes.Select(Compiled.Show).ShouldBe(["/x/* https -> cluster_svc_default", "/x/* -> to https"]);
    }

    [Fact]
    public void TwoHosts_WithOneHostname_FirstByNameWinsAndTheOtherIsAFinding()
    {
        var compiled = Compiled.From(
            Compiled.Listener() + Compiled.Quiet() + Compiled.Host("b", "{hostname: x.com, requestPolicy: {insecure: {action: Route}}}")
            + Compiled.Host("a", "{hostname: X.com, requestPolicy: {insecure: {action: Reject}}}")
            + Compiled.Mapping("m", "{prefix: /x/, service: svc, hostname: '*'}"));
        compiled.Result.Findings.Single().Resource.ShouldBe(new ResourceKey("Host", "default", "b"));
        compiled.Codes.ShouldBe([FindingCodes.HostDuplicate]);
        compiled.VirtualHosts("l", "http")["x.com"].Routes.Select(Compiled.Show).ShouldBe(["/x/* https -> cluster_svc_default", "/x/* -> 400"]);
    }

    [Fact]
    public void TwoHosts_WithOneHostnameAndTheFirstInTheClear_LeaveTlsToTheOther()
    {
        var compiled = Compiled.From(
            Compiled.Listener() + Compiled.Quiet() + Compiled.Secret("good", _certificate)
            + Compiled.Host("a", "{hostname: x.com, requestPolicy: {insecure: {action: Route}}}")
            + Compiled.Host("b", "{hostname: x.com, tlsSecret: {name: good}, requestPolicy: {insecure: {action: Reject}}}")
            + Compiled.Host("c", "{hostname: x.com, tlsSecret: {name: good}}")
            + Compiled.Mapping("m", "{prefix: /x/, service: svc, hostname: '*'}"));
        compiled.Codes.ShouldBe([FindingCodes.HostDuplicate, FindingCodes.HostDuplicate]);
        compiled.Result.Findings.Select(finding => finding.Resource?.Name).ShouldBe(["b", "c"], ignoreOrder: true);
        compiled.VirtualHosts("l", "http")["x.com"].Routes.Select(Compiled.Show).ShouldBe(["/x/* -> cluster_svc_default"]);
        compiled.VirtualHosts("l", "https/x.com")["x.com"].Routes.Select(Compiled.Show)
            .ShouldBe(["/x/* https -> cluster_svc_default", "/x/* -> 400"]);
    }

    [Theory]
    [InlineData("1.3.132.0.10", false, false)]
    [InlineData("1.2.840.10045.3.1.7", false, true)]
    [InlineData("1.3.132.0.35", false, true)]
    [InlineData("1.2.840.10045.3.1.7", true, false)]
    public void Certificate_OfAKindThatEnvoyRefuses_IsAFindingAndNotEmitted(string curve, bool mustStaple, bool isServed)
    {
        using var key = ECDsa.Create(ECCurve.CreateFromValue(curve));
        var request = new CertificateRequest("CN=a.example.com", key, HashAlgorithmName.SHA256);

        // RFC 7633: one feature, status_request.
        if (mustStaple) request.CertificateExtensions.Add(new X509Extension("1.3.6.1.5.5.7.1.24", [0x30, 0x03, 0x02, 0x01, 0x05], critical: false));
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        var (chain, pem) = (Base64(certificate.ExportCertificatePem()), Base64(key.ExportPkcs8PrivateKeyPem()));
        var compiled = Compiled.From(
            Compiled.Listener() + Compiled.Quiet()
            + $"---\napiVersion: v1\nkind: Secret\nmetadata: {{name: odd}}\ntype: kubernetes.io/tls\ndata: {{tls.crt: {chain}, tls.key: {pem}}}\n"
            + Compiled.Host("h", "{hostname: a.example.com, tlsSecret: {name: odd}}"));

        compiled.Codes.ShouldBe(isServed ? [] : [FindingCodes.SecretInvalid]);
        compiled.Result.Snapshot.Secrets.Count.ShouldBe(isServed ? 1 : 0);
        foreach (var secret in compiled.Result.Snapshot.Secrets.Keys) Provenance.OfSecret(secret).ShouldBe(new ResourceKey("Secret", "default", "odd"));

        static string Base64(string text) => Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes(text));
    }

    [Theory]
    [InlineData("ca/n/s", "n", "s")]
    [InlineData("ca/n/s#root", "n", "s")]
    [InlineData("ca/n/s+crl/m/t", "n", "s")]
    [InlineData("certificate/n/s", "n", "s")]
    public void SecretOfTls_IsGivenBackToItsObject(string name, string @namespace, string secret) =>
        Provenance.OfSecret(name).ShouldBe(new ResourceKey("Secret", @namespace, secret));

    [Fact]
    public void SecretWhoseKeyBelongsToAnotherCertificate_IsAFindingAndNotEmitted()
    {
        using var other = TestCertificate.Create(["b.example.com"]);
        var data = Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes(_certificate.CertificatePem));
        var key = Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes(other.KeyPem));
        var compiled = Compiled.From(
            Compiled.Listener() + Compiled.Quiet()
            + $"---\napiVersion: v1\nkind: Secret\nmetadata: {{name: mixed}}\ntype: kubernetes.io/tls\ndata: {{tls.crt: {data}, tls.key: {key}}}\n"
            + Compiled.Host("h", "{hostname: a.example.com, tlsSecret: {name: mixed}}"));
        compiled.Codes.ShouldBe([FindingCodes.SecretInvalid]);
        compiled.Snapshot.Secrets.ShouldBeEmpty();
    }

    [Fact]
    public void TlsSettings_WithoutSecret_AreAFinding()
    {
        var compiled = Compiled.From(Compiled.Listener() + Compiled.Quiet() + Compiled.Host("h", "{hostname: a.example.com, tls: {min_tls_version: v1.2}}"));
        compiled.Codes.ShouldBe([FindingCodes.TlsWithoutSecret]);
        compiled.Chains("l").ShouldBe(["http"]);
    }

    [Fact]
    public void PrefixGlob_WithTls_CannotBeToldApartAndIsNotServedInTheClear()
    {
        var compiled = Compiled.From(
            Compiled.Listener() + Compiled.Quiet() + Compiled.Secret("s", _certificate) + Compiled.Host("h", "{hostname: 'foo.*', tlsSecret: {name: s}}")
            + Compiled.Mapping("m", "{prefix: /x/, service: svc, hostname: '*'}"));
        compiled.Codes.ShouldBe([FindingCodes.HostnameNotForTls]);
        compiled.VirtualHosts("l", "http")["foo.*"].Routes.Select(Compiled.Show).ShouldBe(["/* -> 503"]);
    }
}
