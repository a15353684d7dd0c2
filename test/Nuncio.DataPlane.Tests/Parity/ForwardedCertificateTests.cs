using System.Formats.Asn1;
using System.Globalization;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Nuncio.Testing;
using Nuncio.Testing.Backends;

namespace Nuncio.DataPlane.Tests.Parity;

/// <summary>
/// Names in client certificates that are meant to pass for something else where they are forwarded. Whom no authority vouches for writes what he likes into them.
/// </summary>
public sealed class ForwardedCertificateTests : IDisposable
{
    private const string Fine = "spiffe://fine";

    // Name of the subject, and what is made of it.
    private static readonly (byte[] Name, string Expected)[] Subjects =
    [
        (Subject([("2.5.4.3", UniversalTagNumber.UTF8String, "a;By=x,\"q\"=\\+<>#b")]), """CN=a\;By=x\,\"q\"=\\\+\<\>#b"""),
        (Subject([("2.5.4.3", UniversalTagNumber.UTF8String, "a\r\nx-evil: 1\t\x7f\0")]), """CN=a\0D\0Ax-evil: 1\09\7F\00"""),
        (Subject([("2.5.4.3", UniversalTagNumber.UTF8String, "é€")]), """CN=\C3\A9\E2\82\AC"""),
        (Subject([("2.5.4.3", UniversalTagNumber.BMPString, "é€")]), """CN=\C3\A9\E2\82\AC"""),
        (Subject([("2.5.4.3", UniversalTagNumber.UTF8String, " # a ")]), """CN=\ # a\ """),
        (Subject([("2.5.4.3", UniversalTagNumber.UTF8String, "several"), ("2.5.4.11", UniversalTagNumber.UTF8String, "unit")], [("2.5.4.10", UniversalTagNumber.IA5String, "org")]), "O=org,CN=several+OU=unit"),
        (Subject([("2.5.4.4", UniversalTagNumber.PrintableString, "x")], [("2.5.4.42", UniversalTagNumber.PrintableString, "y")], [("1.2.3.4.5", UniversalTagNumber.PrintableString, "xx")]), "1.2.3.4.5=#13027878,GN=y,SN=x"),
    ];

    private readonly TestCertificate _root = TestCertificate.CreateAuthority("root");
    private readonly TestCertificate _server = TestCertificate.Create(["a.example"]);

    [Fact]
    public async Task Subject_IsForwardedAsEnvoyForwardsIt()
    {
        await using var backend = WireBackend.StartEcho();
        await using var pair = await ProxyPair.StartAsync(Resources(backend.Port));
        pair.Rejections.ShouldBeEmpty();
        foreach (var (name, expected) in Subjects)
        {
            using var certificate = Create(name, Fine);
            await pair.ExpectAsync($"Subject=\"{expected}\";URI={Fine};DNS=fine | {expected.TrimEnd()}", port => AskAsync(port, certificate));
        }
    }

    [Theory]
    [InlineData("spiffe://x\r\nx-evil: 1", "URI=")]
    [InlineData("spiffe://x\0y", "URI=")]
    [InlineData("spiffe://x;By=y", "URI=\"spiffe://x;By=y\";DNS=\"x;By=y\"")]
    [InlineData("spiffe://x,Hash=y", "URI=\"spiffe://x,Hash=y\";DNS=\"x,Hash=y\"")]
    [InlineData("spiffe://x\\\";By=y", "URI=\"spiffe://x\\\\\\\";By=y\";DNS=\"x\\\\\\\";By=y\"")]
    public async Task AlternativeName_ThatHoldsMoreThanAName_StaysOne(string name, string expected)
    {
        // Envoy writes those with separators as they are, and answers 503 to the others.
        await using var backend = WireBackend.StartEcho();
        await using var pair = await ProxyPair.StartOursAsync(Resources(backend.Port));
        using var certificate = Create(Subject([("2.5.4.3", UniversalTagNumber.UTF8String, "x")]), name);

        (await AskAsync(pair.Port, certificate)).ShouldBe($"Subject=\"CN=x\";{expected} | CN=x");
    }

    public void Dispose()
    {
        _root.Dispose();
        _server.Dispose();
    }

    private static byte[] Subject(params (string Type, UniversalTagNumber Tag, string Value)[][] parts)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            foreach (var part in parts)
            {
                using (writer.PushSetOf())
                {
                    foreach (var (type, tag, value) in part)
                    {
                        using (writer.PushSequence())
                        {
                            writer.WriteObjectIdentifier(type);
                            writer.WriteCharacterString(tag, value);
                        }
                    }
                }
            }
        }

        return writer.Encode();
    }

    private static X509Certificate2 Create(byte[] subject, string uri)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(new X500DistinguishedName(subject), key, HashAlgorithmName.SHA256);
        var names = new AsnWriter(AsnEncodingRules.DER);
        using (names.PushSequence())
        {
            names.WriteOctetString(Encoding.UTF8.GetBytes(uri), new Asn1Tag(TagClass.ContextSpecific, 6));
            names.WriteOctetString(Encoding.UTF8.GetBytes(uri["spiffe://".Length..]), new Asn1Tag(TagClass.ContextSpecific, 2));
        }

        request.CertificateExtensions.Add(new X509Extension("2.5.29.17", names.Encode(), false));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(2));
    }

    // What the upstream is told, and that it is told nothing else.
    private static async Task<string> AskAsync(int port, X509Certificate2 certificate)
    {
        await using var client = await WireClient.ConnectTlsAsync(
            port, "a.example", options => options.ClientCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true));
        var response = await client.SendAsync("GET", "/", "a.example");
        response.Status.ShouldBe(200, response.BodyText);
        var lines = response.BodyText.Split('\n').Select(static line => line.TrimEnd('\r')).ToList();
        lines.ShouldNotContain(static line => line.StartsWith("x-evil", StringComparison.OrdinalIgnoreCase));
        string Value(string name) => lines.Single(line => line.StartsWith(name + ": ", StringComparison.Ordinal))[(name.Length + 2)..];
        var forwarded = Value("x-forwarded-client-cert");
        forwarded.ShouldStartWith(string.Create(CultureInfo.InvariantCulture, $"Hash={Convert.ToHexStringLower(SHA256.HashData(certificate.RawData))};"));
        return $"{forwarded[(forwarded.IndexOf(';', StringComparison.Ordinal) + 1)..]} | {Value("x-subject").TrimEnd()}";
    }

    private string Resources(int port)
    {
        static string Text(string pem) => JsonSerializer.Serialize(pem);
        var tls = $$"""
            "transport_socket":{"name":"tls","typed_config":{"@type":"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext","require_client_certificate":true,
              "common_tls_context":{"validation_context":{"trust_chain_verification":"ACCEPT_UNTRUSTED","trusted_ca":{"inline_string":{{Text(_root.CertificatePem)}} } },"tls_certificates":[
                {"certificate_chain":{"inline_string":{{Text(_server.ChainPem)}} },"private_key":{"inline_string":{{Text(_server.KeyPem)}} } }] } } },
            """;
        return ProxyPair.Resources(
            """
            {"name":"h","domains":["*"],"request_headers_to_add":[ {"header":{"key":"x-subject","value":"%DOWNSTREAM_PEER_SUBJECT%"} }],
             "routes":[ {"match":{"prefix":"/"},"route":{"cluster":"c"} }] }
            """,
            ProxyPair.Cluster("c", "", (port, 1)),
            manager: "\"forward_client_cert_details\":\"SANITIZE_SET\",\"set_current_client_cert_details\":{\"subject\":true,\"uri\":true,\"dns\":true},",
            chain: tls);
    }
}
