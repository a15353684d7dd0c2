using System.Diagnostics;
using System.Globalization;
using System.Numerics;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Nuncio.Testing;
using Nuncio.Testing.Backends;

namespace Nuncio.DataPlane.Tests.Parity;

/// <summary>Client certificates, required and optional, revoked and of strangers; and sessions that are resumed.</summary>
public sealed class ClientCertificateTests : IDisposable
{
    private readonly TestCertificate _authority = TestCertificate.CreateAuthority("clients");
    private readonly TestCertificate _stranger = TestCertificate.CreateAuthority("strangers");
    private readonly TestCertificate _server = TestCertificate.Create(["a.example"]);
    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData("required", "none", "closed")]
    [InlineData("required", "good", "200")]
    [InlineData("required", "stranger", "closed")]
    [InlineData("required", "expired", "closed")]
    [InlineData("required,crl", "good", "200")]
    [InlineData("required,crl", "revoked", "closed")]
    [InlineData("optional", "none", "200")]
    [InlineData("optional", "good", "200")]
    [InlineData("optional", "stranger", "closed")]
    [InlineData("optional,crl", "revoked", "closed")]
    [InlineData("required,san", "good", "200")]
    [InlineData("required,san", "other", "closed")]
    public async Task Client_IsServedAsEnvoyServesIt(string server, string client, string expected)
    {
        using var revoked = TestCertificate.Create(["revoked.example"], _authority);
        using var presented = client switch
        {
            "good" => TestCertificate.Create(["good.example"], _authority),
            "other" => TestCertificate.Create(["other.example"], _authority),
            "stranger" => TestCertificate.Create(["good.example"], _stranger),
            "expired" => TestCertificate.Create(["good.example"], _authority, days: 0),
            _ => null,
        };
        var certificate = client == "revoked" ? revoked : presented;
        await using var backend = WireBackend.StartEcho();
        await using var pair = await ProxyPair.StartAsync(Resources(server, revoked, backend.Port));
        pair.Rejections.ShouldBeEmpty();

        await pair.ExpectAsync(expected, port => AskAsync(port, certificate));
        await pair.StatisticsAsync("envoy_listener_ssl_(handshake|fail_verify_error|fail_verify_no_cert|fail_verify_san|fail_verify_cert_hash|no_certificate|versions)\\{");
    }

    [Fact]
    public async Task FailedHandshake_CountsAtTheConnectionManagerToo()
    {
        await using var backend = WireBackend.StartEcho();
        await using var pair = await ProxyPair.StartAsync(Resources("required", _server, backend.Port));
        // Envoy was asked whether it listens.
        if (pair.HasEnvoy) await (await WireClient.ConnectAsync(pair.Port)).DisposeAsync();
        using var good = TestCertificate.Create(["good.example"], _authority);

        await pair.ExpectAsync("closed", port => AskAsync(port, null));
        await pair.ExpectAsync("200", port => AskAsync(port, good));

        (await pair.StatisticsAsync("envoy_http_downstream_cx_(total|ssl_total|http1_total|destroy)\\{.*\"test\"")).Count.ShouldBe(4);
    }

    [Fact]
    public async Task Certificates_ShowWhenTheFirstExpires()
    {
        using var soon = TestCertificate.Create(["a.example"], days: 9);
        await using var backend = WireBackend.StartEcho();
        await using var pair = await ProxyPair.StartAsync(ProxyPair.Resources(
            """{"name":"h","domains":["*"],"routes":[{"match":{"prefix":"/"},"route":{"cluster":"c"} }] }""", ProxyPair.Cluster("c", $$"""
                "transport_socket":{"name":"tls","typed_config":{"@type":"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext","common_tls_context":{
                  "validation_context":{"trusted_ca":{"inline_string":{{JsonSerializer.Serialize(soon.CertificatePem)}} } } } } },
                """, (backend.Port, 1))));

        (await pair.StatisticsAsync("envoy_server_(days_until_first_cert_expiring|live|state)\\{")).ShouldBe(["envoy_server_days_until_first_cert_expiring{} 8", "envoy_server_live{} 1"]);
    }

    [Theory]
    [InlineData("stranger", "200")]
    [InlineData("none", "closed")]
    public async Task RequiredWithoutAnAuthority_IsRequiredAllTheSame(string client, string expected)
    {
        // Envoy asks for no certificate then, so whoever wanted one is not protected: only ours is asked.
        using var certificate = TestCertificate.Create(["good.example"], _stranger);
        await using var backend = WireBackend.StartEcho();
        await using var pair = await ProxyPair.StartAsync(Resources("required,unverified", certificate, backend.Port));
        (await AskAsync(pair.Port, client == "none" ? null : certificate)).ShouldBe(expected);
    }

    [Theory]
    [InlineData("", "-tls1_2", true)]
    [InlineData("", "-tls1_3", true)]
    [InlineData("stateless", "-tls1_3", false)]
    public async Task Session_IsResumedWhereEnvoyResumesIt(string disabled, string version, bool expected)
    {
        if (TestPaths.FindProgram("openssl") is not { } openssl) return;
        await using var backend = WireBackend.StartEcho();
        using var unused = TestCertificate.Create(["x"], _authority);
        var resources = Resources("none", unused, backend.Port);
        if (disabled.Length > 0)
        {
            resources = resources.Replace("\"common_tls_context\"", "\"disable_stateless_session_resumption\":true,\"disable_stateful_session_resumption\":true,\"common_tls_context\"", StringComparison.Ordinal);
        }

        await using var pair = await ProxyPair.StartAsync(resources);
        await pair.EachAsync(async port =>
        {
            var session = Path.Combine(_folder.Path, string.Create(CultureInfo.InvariantCulture, $"{port}.session"));
            var first = await RunAsync(openssl, port, version, "-sess_out", session);
            first.ShouldContain("New, ");
            var second = File.Exists(session) ? await RunAsync(openssl, port, version, "-sess_in", session) : "New, ";
            second.Contains("Reused, ", StringComparison.Ordinal).ShouldBe(expected, second);
        });
    }

    public void Dispose()
    {
        _authority.Dispose();
        _stranger.Dispose();
        _server.Dispose();
        _folder.Dispose();
    }

    private static async Task<string> AskAsync(int port, TestCertificate? certificate)
    {
        try
        {
            await using var client = await WireClient.ConnectTlsAsync(port, "a.example", options =>
            {
                if (certificate is not null) options.ClientCertificateContext = certificate.ToContext();
            });
            return (await client.SendAsync("GET", "/", "a.example")).Status.ToString(CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or AuthenticationException or InvalidDataException)
        {
            return "closed";
        }
    }

    private static async Task<string> RunAsync(string openssl, int port, string version, string option, string file)
    {
        using var process = Process.Start(new ProcessStartInfo(openssl)
        {
            ArgumentList = { "s_client", "-connect", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}"), version, option, file, "-ign_eof" },
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var errors = process.StandardError.ReadToEndAsync();
        await process.StandardInput.WriteAsync("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        process.StandardInput.Close();
        string text;
        try
        {
            text = await process.StandardOutput.ReadToEndAsync().WaitAsync(Until.Limit);
            await errors.WaitAsync(Until.Limit);
        }
        catch (TimeoutException)
        {
            process.Kill();
            throw;
        }

        await process.WaitForExitAsync().WaitAsync(Until.Limit);
        return text;
    }

    private string Resources(string server, TestCertificate revoked, int port)
    {
        static string Text(string pem) => JsonSerializer.Serialize(pem);
        var crl = "";
        if (server.Contains("crl", StringComparison.Ordinal))
        {
            var builder = new CertificateRevocationListBuilder();
            builder.AddEntry(revoked.Certificate);
            var list = builder.Build(_authority.Certificate, BigInteger.One, DateTimeOffset.UtcNow.AddDays(2), HashAlgorithmName.SHA256, null, DateTimeOffset.UtcNow.AddDays(-1));
            crl = $",\"crl\":{{\"inline_string\":{Text(new string(PemEncoding.Write("X509 CRL", list)) + "\n")}}}";
        }

        var names = server.Contains("san", StringComparison.Ordinal) ? ",\"match_typed_subject_alt_names\":[{\"san_type\":\"DNS\",\"matcher\":{\"exact\":\"good.example\"}}]" : "";
        var validation = server == "none" || server.Contains("unverified", StringComparison.Ordinal) ? ""
            : $"\"validation_context\":{{\"trusted_ca\":{{\"inline_string\":{Text(_authority.CertificatePem)}}}{crl}{names}}},";
        var required = server.StartsWith("required", StringComparison.Ordinal) ? "\"require_client_certificate\":true," : "";
        var tls = $$"""
            "transport_socket":{"name":"tls","typed_config":{"@type":"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",{{required}}
              "common_tls_context":{ {{validation}} "tls_certificates":[ {"certificate_chain":{"inline_string":{{Text(_server.ChainPem)}} },"private_key":{"inline_string":{{Text(_server.KeyPem)}} } }] } } },
            """;
        return ProxyPair.Resources(
            """{"name":"h","domains":["*"],"routes":[{"match":{"prefix":"/"},"route":{"cluster":"c"} }] }""",
            ProxyPair.Cluster("c", "", (port, 1)), chain: tls);
    }
}
