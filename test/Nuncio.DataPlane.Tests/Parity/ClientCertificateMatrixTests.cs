using System.Globalization;
using System.Net.Security;
using System.Numerics;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.RegularExpressions;
using Nuncio.Testing;
using Nuncio.Testing.Backends;

namespace Nuncio.DataPlane.Tests.Parity;

/// <summary>
/// Every kind of client certificate against every way to verify one, on both proxies: whether it is let in, whether it counts as verified, and which alert
/// says otherwise. Each way has a filter chain of its own, chosen by SNI.
/// </summary>
public sealed partial class ClientCertificateMatrixTests : IDisposable
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const string Name = "\"match_typed_subject_alt_names\":[{\"san_type\":\"DNS\",\"matcher\":{\"exact\":\"good.example\"}}]";
    private const string AcceptUntrusted = "\"trust_chain_verification\":\"ACCEPT_UNTRUSTED\"";

    // What is verified does not depend on the version; what the client is told does.
    private static readonly string[] BothVersions = ["optional", "crl", "name", "pin"];

    // What the letters of the tables stand for. 201: the certificate counts as verified. OpenSSL has no alert of its own for a certificate that is not pinned.
    private static readonly Dictionary<char, string> Outcomes = new()
    {
        ['g'] = "201",
        ['n'] = "200",
        ['a'] = "unknown ca",
        ['e'] = "certificate expired",
        ['r'] = "certificate revoked",
        ['u'] = "unsupported certificate",
        ['s'] = "certificate unknown",
        ['p'] = "bad certificate",
        ['c'] = "no certificate",
    };

    private readonly TestCertificate _root = TestCertificate.CreateAuthority("root");
    private readonly TestCertificate _middle;
    private readonly TestCertificate _stranger = TestCertificate.CreateAuthority("stranger");
    private readonly TestCertificate _server = TestCertificate.Create(["a.example"]);
    private readonly Dictionary<string, TestCertificate?> _clients;

    public ClientCertificateMatrixTests()
    {
        _middle = TestCertificate.CreateAuthority("middle", _root);
        _clients = new Dictionary<string, TestCertificate?>
        {
            ["none"] = null,
            ["good"] = TestCertificate.Create(["good.example"], _root),
            ["strange"] = TestCertificate.Create(["good.example"], _stranger),
            ["expired"] = TestCertificate.Create(["good.example"], _root, days: 0),
            ["revoked"] = TestCertificate.Create(["good.example"], _root),
            ["other"] = TestCertificate.Create(["other.example"], _root),
            ["deep"] = TestCertificate.Create(["good.example"], _middle),
            ["server's"] = TestCertificate.Create(["good.example"], _root, purpose: ServerAuthentication),
        };
    }

    [Fact]
    public async Task Clients_AreLetInOrRefusedAsEnvoyDoesIt()
    {
        var root = Authority(_root);
        var pin = $"\"verify_certificate_hash\":[\"{Convert.ToHexStringLower(SHA256.HashData(_clients["good"]!.Certificate.RawData))}\"]";
        (string Name, bool Required, string Validation, string Expected)[] ways =
        [
            ("required", true, root, "cgaegggu"),
            ("optional", false, root, "ngaegggu"),
            ("crl", true, $"{root},{Crl(Revocations(_root))}", "cgaergau"),
            ("crl-leaf", true, $"{root},{Crl(Revocations(_root))},\"only_verify_leaf_cert_crl\":true", "cgaergau"),
            ("crl-all", true, $"{root},{Crl(Revocations(_root) + Revocations(_middle))}", "cgaerggu"),
            ("crl-beside", true, $"\"trusted_ca\":{{\"inline_string\":{Text(_root.CertificatePem + Revocations(_root))}}}", "cgaergau"),
            ("crl-expired", true, $"{root},{Crl(Revocations(_root, -1))}", "ceaeeeau"),
            ("crl-strange", true, $"{root},{Crl(Revocations(_stranger))}", "caaaaaau"),
            ("name", true, $"{root},{Name}", "cgaegsgu"),
            ("name-optional", false, $"{root},{Name}", "cgaegsgu"),
            ("pin", true, $"{root},{pin}", "cgaepppu"),
            ("pin-only", false, pin, "cgpppppp"),
            ("pin-untrusted", false, $"{pin},{AcceptUntrusted}", "ngnnnnnn"),
            ("untrusted", true, $"{root},{AcceptUntrusted}", "cgnngggn"),
            ("untrusted-name", false, $"{root},{Name},{AcceptUntrusted}", "ngnngngn"),
            ("depth-0", true, $"{root},\"max_verify_depth\":0", "cgaeggau"),
            ("depth-1", true, $"{root},\"max_verify_depth\":1", "cgaeggau"),
            ("depth-2", true, $"{root},\"max_verify_depth\":2", "cgaegggu"),
            ("middle", true, Authority(_middle), "caaaaaga"),
            ("middle-crl", true, $"{Authority(_middle)},{Crl(Revocations(_middle))}", "caaaaaaa"),
            ("late", true, $"{root},\"allow_expired_certificate\":true", "cgaggggu"),
        ];
        await using var pair = await ProxyPair.StartAsync(Resources(ways.Select(way => Chain(way.Name, way.Required, way.Validation))));
        pair.Rejections.ShouldBeEmpty();

        var wrong = new List<string>();
        await pair.EachAsync(async port =>
        {
            foreach (var way in ways)
            {
                var clients = _clients.Zip(way.Expected, (client, letter) => (client.Key, client.Value, Expected: Outcomes[letter]));
                SslProtocols[] versions = BothVersions.Contains(way.Name) ? [SslProtocols.Tls12, SslProtocols.Tls13] : [SslProtocols.Tls13];
                foreach (var (name, certificate, expected) in clients)
                {
                    foreach (var version in versions)
                    {
                        var outcome = await AskAsync(port, way.Name, certificate, version, expected[0] == '2');
                        if (outcome != expected) wrong.Add($"{(port == pair.Port ? "ours" : "envoy")} {way.Name} {name} {version}: {outcome}, not {expected}");
                    }
                }
            }
        });

        wrong.ShouldBeEmpty();
        await pair.StatisticsAsync("envoy_listener_ssl_(handshake|connection_error|fail_verify_error|fail_verify_no_cert|fail_verify_san|fail_verify_cert_hash|no_certificate|versions|curves|sigalgs)\\{");
    }

    [Theory]
    [InlineData("good", "201 2.0")]
    [InlineData("strange", "refused")]
    [InlineData("none", "refused")]
    public async Task ClientsOfHttp2_AreLetInOrRefusedTheSame(string name, string expected)
    {
        await using var pair = await ProxyPair.StartAsync(Resources([Chain("required", true, Authority(_root))]));
        await pair.ExpectAsync(expected, async port =>
        {
            using var handler = new SocketsHttpHandler();
            handler.SslOptions.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
            if (_clients[name] is { } certificate) handler.SslOptions.ClientCertificateContext = certificate.ToContext();
            using var client = new HttpClient(handler) { DefaultRequestVersion = new Version(2, 0), DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact, Timeout = Until.Limit };
            using var request = new HttpRequestMessage(HttpMethod.Get, string.Create(CultureInfo.InvariantCulture, $"https://127.0.0.1:{port}/"))
            {
                Version = client.DefaultRequestVersion,
                VersionPolicy = client.DefaultVersionPolicy,
                Headers = { Host = "required.example" },
            };
            try
            {
                using var response = await client.SendAsync(request);
                return string.Create(CultureInfo.InvariantCulture, $"{(int)response.StatusCode} {response.Version}");
            }
            catch (HttpRequestException)
            {
                return "refused";
            }
        });
    }

    [Fact]
    public async Task FirstBytes_AreCountedByWhatTheyAre()
    {
        await using var pair = await ProxyPair.StartAsync(Resources([Chain("optional", false, Authority(_root))]));
        await pair.EachAsync(async port =>
        {
            (await AskAsync(port, "optional", null, SslProtocols.Tls13, isLetIn: true)).ShouldBe("200");
            await Should.ThrowAsync<Exception>(WireClient.ConnectTlsAsync(port, "127.0.0.1", static options => options.ApplicationProtocols = [SslApplicationProtocol.Http11]));
            await SendUntilClosedAsync(port, "GET / HTTP/1.1\r\n\r\n"u8.ToArray());

            // A ClientHello of 20 KiB, in two records.
            await SendUntilClosedAsync(
                port, [22, 3, 1, 0x40, 0, 1, 0, 0x50, 0, 3, 3, .. new byte[0x4000 - 6], 22, 3, 1, 0x10, 4, .. new byte[0x1004]]);
        });

        (await pair.StatisticsAsync("^envoy_tls_inspector_[^b]|envoy_listener_no_filter_chain_match")).ShouldBe(
        [
            "envoy_listener_no_filter_chain_match{envoy_listener_address=\"127.0.0.1_PORT\"} 2",
            "envoy_tls_inspector_alpn_found{} 1",
            "envoy_tls_inspector_alpn_not_found{} 1",
            "envoy_tls_inspector_client_hello_too_large{} 1",
            "envoy_tls_inspector_sni_found{} 1",
            "envoy_tls_inspector_sni_not_found{} 1",
            "envoy_tls_inspector_tls_found{} 2",
            "envoy_tls_inspector_tls_not_found{} 1",
        ]);
    }

    [Theory]
    [InlineData("names without an authority", Name)]
    [InlineData("revocations without an authority", "crl")]
    public async Task Validation_ThatWouldProtectNothing_IsRefused(string why, string validation)
    {
        if (validation == "crl") validation = Crl(Revocations(_root));
        await using var pair = await ProxyPair.StartOursAsync(Resources([Chain("required", true, validation)]));

        pair.Rejections.ShouldNotBeEmpty(why);
    }

    public void Dispose()
    {
        foreach (var certificate in _clients.Values) certificate?.Dispose();
        _root.Dispose();
        _middle.Dispose();
        _stranger.Dispose();
        _server.Dispose();
    }

    // In TLS 1.3 the refusal comes after the client's handshake. Who writes meanwhile may get a reset in its place, so that only those write who are to be let in.
    private static async Task<string> AskAsync(int port, string way, TestCertificate? certificate, SslProtocols version, bool isLetIn)
    {
        try
        {
            await using var client = await WireClient.ConnectTlsAsync(port, way + ".example", options =>
            {
                options.EnabledSslProtocols = version;
                options.AllowTlsResume = false;
                if (certificate is not null) options.ClientCertificateContext = certificate.ToContext();
            });
            if (isLetIn) return (await client.SendAsync("GET", "/", "a.example")).Status.ToString(CultureInfo.InvariantCulture);
            var read = await client.Stream.ReadAsync(new byte[1]).AsTask().WaitAsync(Until.Limit);
            return read == 0 ? "closed" : "an answer";
        }
        catch (Exception e) when (e is IOException or AuthenticationException or InvalidDataException)
        {
            return Alert(e);
        }
    }

    private static async Task SendUntilClosedAsync(int port, byte[] bytes)
    {
        await using var client = await WireClient.ConnectAsync(port);
        try
        {
            await client.Stream.WriteAsync(bytes).AsTask().WaitAsync(Until.Limit);
            (await client.Stream.ReadAsync(new byte[1]).AsTask().WaitAsync(Until.Limit)).ShouldBe(0);
        }
        catch (IOException)
        {
            // Closed before all of it was read.
        }
    }

    private static string Alert(Exception exception)
    {
        for (var inner = exception; inner is not null; inner = inner.InnerException!)
        {
            if (Reason().Match(inner.Message) is { Success: true } match)
            {
                return match.Groups[1].Value switch
                {
                    // TLS 1.2 has no other for it.
                    "handshake failure" or "certificate required" => "no certificate",
                    "bad certificate hash value" => "bad certificate",
                    var other => other,
                };
            }
        }

        return exception.ToString();
    }

    private static string Text(string pem) => JsonSerializer.Serialize(pem);

    private static string Authority(TestCertificate certificate) => $"\"trusted_ca\":{{\"inline_string\":{Text(certificate.CertificatePem)}}}";

    private static string Crl(string lists) => $"\"crl\":{{\"inline_string\":{Text(lists)}}}";

    private string Revocations(TestCertificate issuer, int days = 2)
    {
        var builder = new CertificateRevocationListBuilder();
        builder.AddEntry(_clients["revoked"]!.Certificate);
        var now = DateTimeOffset.UtcNow;
        var list = builder.Build(issuer.Certificate, BigInteger.One, now.AddDays(days), HashAlgorithmName.SHA256, null, now.AddDays(-2));
        return new string(PemEncoding.Write("X509 CRL", list)) + "\n";
    }

    private string Chain(string name, bool isRequired, string validation) => $$"""
        {"name":"{{name}}","filter_chain_match":{"server_names":["{{name}}.example"]},"transport_socket":{"name":"tls","typed_config":{
          "@type":"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext","require_client_certificate":{{(isRequired ? "true" : "false")}},
          "common_tls_context":{"alpn_protocols":["h2","http/1.1"],"validation_context":{ {{validation}} },"tls_certificates":[
            {"certificate_chain":{"inline_string":{{Text(_server.ChainPem)}} },"private_key":{"inline_string":{{Text(_server.KeyPem)}} } }] } } },
         "filters":[ {"name":"http","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
          "stat_prefix":"test","route_config":{"name":"r","virtual_hosts":[ {"name":"h","domains":["*"],"routes":[
            {"match":{"prefix":"/","tls_context":{"validated":true} },"direct_response":{"status":201} },{"match":{"prefix":"/"},"direct_response":{"status":200} }] }]},
          "http_filters":[ {"name":"router","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"} }] } }] }
        """;

    private static string Resources(IEnumerable<string> chains) => $$"""
        {"listeners":[ {"name":"l","address":{"socket_address":{"address":"127.0.0.1","port_value":"PORT"} },
          "listener_filters":[ {"name":"tls","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector"} }],
          "filter_chains":[ {{string.Join(',', chains)}} ] }],"clusters":[]}
        """;

    [GeneratedRegex(@"SSL routines::(?:sslv3 |tlsv1 |tlsv13 )?(?:alert )?(.+)$", RegexOptions.CultureInvariant | RegexOptions.Multiline)]
    private static partial Regex Reason();
}
