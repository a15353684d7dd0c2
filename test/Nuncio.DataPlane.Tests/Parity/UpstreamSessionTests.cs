using System.Globalization;
using System.Text.Json;
using Nuncio.Testing;
using Nuncio.Testing.Processes;

namespace Nuncio.DataPlane.Tests.Parity;

/// <summary>Sessions towards upstreams: which connections go on with one. The upstream is OpenSSL's own server, which says so in its answer.</summary>
public sealed class UpstreamSessionTests : IDisposable
{
    private readonly TestCertificate _server = TestCertificate.Create(["a.example"]);
    private readonly TestCertificate _client = TestCertificate.Create(["client.example"]);
    private readonly TemporaryFolder _folder = new();

    [SkippableTheory]
    [InlineData("-tls1_3", "\"sni\":\"a.example\"", "Reused")]
    [InlineData("-tls1_2", "\"sni\":\"a.example\"", "Reused")]
    [InlineData("-tls1_3", "\"sni\":\"a.example\",\"max_session_keys\":0", "New")]
    [InlineData("-tls1_3", "CLIENT", "Reused")]
    public async Task Connections_GoOnWithTheSessionOfTheOneBefore(string version, string settings, string expected)
    {
        var openssl = TestPaths.FindProgram("openssl");
        Skip.If(openssl is null, "openssl is not installed");
        _folder.Write("server.crt", _server.CertificatePem);
        _folder.Write("server.key", _server.KeyPem);
        var port = FreePort.Next();
        await using var server = TestProcess.Start(
            openssl!,
            ["s_server", "-accept", port.ToString(CultureInfo.InvariantCulture), "-www", version, "-cert", File("server.crt"), "-key", File("server.key"),
                .. settings == "CLIENT" ? (string[])["-verify", "3"] : []]);
        await Until.TrueAsync(() => Task.FromResult(server.AllText.Contains("ACCEPT", StringComparison.Ordinal)), () => server.AllText);
        var common = settings == "CLIENT"
            ? $"\"tls_certificates\":[{{\"certificate_chain\":{{\"inline_string\":{Text(_client.ChainPem)}}},\"private_key\":{{\"inline_string\":{Text(_client.KeyPem)}}}}}],"
            : "";
        await using var pair = await ProxyPair.StartAsync(ProxyPair.Resources(
            """{"name":"h","domains":["*"],"routes":[{"match":{"prefix":"/"},"route":{"cluster":"c"} }] }""",
            ProxyPair.Cluster("c", $$"""
                "transport_socket":{"name":"tls","typed_config":{"@type":"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
                  {{(settings == "CLIENT" ? "\"sni\":\"a.example\"" : settings)}},"common_tls_context":{ {{common}}"tls_params":{"tls_maximum_protocol_version":"TLSv1_3"} } } },
                """, (port, 1))));

        await pair.ExpectAsync(expected, async to =>
        {
            // SslStream's client forgets sessions now and then, when others make many of them.
            var seen = "";
            for (var i = 0; i < 8 && seen != "Reused"; i++)
            {
                var page = await ProxyPair.AskAsync(to, "GET / HTTP/1.1\r\nhost: a.example\r\nconnection: close\r\n\r\n");
                seen = page.Contains("Reused, TLS", StringComparison.Ordinal) ? "Reused" : page.Contains("New, TLS", StringComparison.Ordinal) ? "New" : page;
            }

            return seen;
        });
    }

    public void Dispose()
    {
        _server.Dispose();
        _client.Dispose();
        _folder.Dispose();
    }

    private string File(string name) => Path.Combine(_folder.Path, name);

    private static string Text(string pem) => JsonSerializer.Serialize(pem);
}
