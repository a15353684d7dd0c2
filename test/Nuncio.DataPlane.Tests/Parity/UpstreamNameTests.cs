using System.Text.Json;
using Nuncio.Testing;

namespace Nuncio.DataPlane.Tests.Parity;

/// <summary>Which name a TLS connection to an upstream is made with, and which name its certificate must have.</summary>
public sealed class UpstreamNameTests
{
    private const string AutoSni = "\"auto_sni\":true,";
    private const string AutoSan = "\"auto_san_validation\":true,";

    [Theory]
    [InlineData(AutoSni, "", "", "a.example", "", "200 sni=a.example")]
    [InlineData(AutoSni, "", "", "b.example:8080", "", "200 sni=b.example")]
    [InlineData(AutoSni, "\"sni\":\"fixed.example\",", "", "127.0.0.1", "", "200 sni=fixed.example")]
    [InlineData(AutoSni, "\"sni\":\"fixed.example\",", "", "[::1]:80", "", "200 sni=fixed.example")]
    [InlineData(AutoSni, "", "\"host_rewrite_literal\":\"inner.example\",", "a.example", "", "200 sni=inner.example")]
    [InlineData(AutoSni + "\"override_auto_sni_header\":\"x-sni\",", "", "", "a.example", "x-sni: c.example:1\r\n", "200 sni=c.example")]
    [InlineData(AutoSni + "\"override_auto_sni_header\":\"x-sni\",", "", "", "a.example", "", "200 sni=a.example")]
    [InlineData("", "\"sni\":\"fixed.example\",", "", "a.example", "", "200 sni=fixed.example")]
    [InlineData("", "\"sni\":\"fixed.example\",\"auto_host_sni\":true,", "", "a.example", "", "200 sni=endpoint.example")]
    [InlineData(AutoSni, "\"auto_host_sni\":true,", "", "a.example", "", "200 sni=a.example")]
    [InlineData(AutoSni + AutoSan, Trusts, "", "a.example", "", "200 sni=a.example")]
    [InlineData(AutoSni + AutoSan, Trusts, "", "x.wild.example", "", "200 sni=x.wild.example")]
    [InlineData(AutoSan, Trusts, "", "127.0.0.9", "", "200 sni=")]
    [InlineData(AutoSni + AutoSan, Trusts, "", "b.example", "", "503")]
    [InlineData(AutoSni + AutoSan, "", "", "a.example", "", "503")]
    [InlineData(AutoSni, Trusts, "", "b.example", "", "200 sni=b.example")]
    [InlineData(AutoSni, "\"auto_sni_san_validation\":true," + Trusts, "", "a.example", "", "200 sni=a.example")]
    [InlineData(AutoSni, "\"auto_sni_san_validation\":true," + Trusts, "", "b.example", "", "503")]
    [InlineData("", "\"sni\":\"a.example\",\"auto_sni_san_validation\":true," + TrustsOther, "", "z", "", "200 sni=a.example")]
    [InlineData("", TrustsOther, "", "z", "", "503")]
    public async Task Connection_IsMadeWithTheNameThatEnvoyWouldUse(string options, string tls, string route, string host, string header, string expected)
    {
        using var authority = TestCertificate.CreateAuthority("ca");
        using var certificate = TestCertificate.Create(["a.example", "*.wild.example", "127.0.0.9"], authority);
        await using var backend = new TlsNameBackend(certificate);
        var ca = JsonSerializer.Serialize(authority.CertificatePem);
        await using var pair = await ProxyPair.StartAsync(ProxyPair.Resources(
            $$"""{"name":"h","domains":["*"],"routes":[{"match":{"prefix":"/"},"route":{ {{route}} "cluster":"c"} }] }""",
            Cluster(options, tls.Replace("CA", ca, StringComparison.Ordinal), backend.Port)));
        pair.Rejections.ShouldBeEmpty();

        await pair.ExpectAsync(expected, async port =>
        {
            var answer = await ProxyPair.AskAsync(port, $"GET / HTTP/1.1\r\nhost: {host}\r\n{header}\r\n");
            return answer.StartsWith("503", StringComparison.Ordinal) ? "503" : answer;
        });
    }

    [Fact]
    public async Task Connections_OfDifferentNames_AreNotShared()
    {
        using var certificate = TestCertificate.Create(["a.example"]);
        await using var backend = new TlsNameBackend(certificate);
        await using var pair = await ProxyPair.StartAsync(ProxyPair.Resources(
            """{"name":"h","domains":["*"],"routes":[{"match":{"prefix":"/"},"route":{"cluster":"c"} }] }""", Cluster(AutoSni, "", backend.Port)));

        foreach (var host in new[] { "a.example", "b.example", "a.example" })
        {
            await pair.ExpectAsync($"200 sni={host}", port => ProxyPair.AskAsync(port, $"GET / HTTP/1.1\r\nhost: {host}\r\n\r\n"));
        }

        await pair.StatisticsAsync("envoy_cluster_upstream_cx_total\\{");
    }

    private const string Trusts = "\"common_tls_context\":{\"validation_context\":{\"trusted_ca\":{\"inline_string\":CA}}},";
    private const string TrustsOther =
        "\"common_tls_context\":{\"validation_context\":{\"trusted_ca\":{\"inline_string\":CA},\"match_typed_subject_alt_names\":[{\"san_type\":\"DNS\","
            + "\"matcher\":{\"exact\":\"other.example\"}}]}},";

    private static string Cluster(string options, string tls, int port) => $$"""
        {"name":"c","type":"STATIC","connect_timeout":"5s",
         "typed_extension_protocol_options":{"envoy.extensions.upstreams.http.v3.HttpProtocolOptions":{
           "@type":"type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
           "upstream_http_protocol_options":{ {{options.TrimEnd(',')}} },"explicit_http_config":{"http_protocol_options":{} } } },
         "transport_socket":{"name":"tls","typed_config":{ {{tls}} "@type":"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"} },
         "load_assignment":{"cluster_name":"c","endpoints":[ {"lb_endpoints":[ {"endpoint":{"hostname":"endpoint.example",
           "address":{"socket_address":{"address":"127.0.0.1","port_value":{{port}} } } } }] }] } }
        """;
}
