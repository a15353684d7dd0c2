using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Nuncio.ParityTests.Http2;
using Nuncio.ParityTests.Static;
using static Nuncio.ParityTests.Static.Resources;

namespace Nuncio.ParityTests.Areas;

/// <summary>TLS of clients: certificates on both sides, versions, names and protocols, and what upstreams learn of it.</summary>
internal static class TlsArea
{
    private const string Details = "\"set_current_client_cert_details\":{\"subject\":true,\"cert\":false,\"chain\":false,\"dns\":true,\"uri\":true},";

    public static Area Value { get; } = new(
        "TLS and client certificates",
        [
            Secure("tls-plain", Context()),
            Secure("tls-required", Context(Validation, "\"require_client_certificate\":true,"), "\"forward_client_cert_details\":\"SANITIZE_SET\"," + Details),
            Secure("tls-crl", Context(
                Validation.Replace("\"trusted_ca\"", "\"crl\":{\"inline_string\":\"$(pem:crl:ca:revoked)\"},\"trusted_ca\"", StringComparison.Ordinal),
                "\"require_client_certificate\":true,")),
            Secure("tls-names", Context(Validation.Replace(
                "\"trusted_ca\"", "\"match_typed_subject_alt_names\":[ {\"san_type\":\"DNS\",\"matcher\":{\"exact\":\"client\"} }],\"trusted_ca\"",
                StringComparison.Ordinal), "\"require_client_certificate\":true,")),
            Secure("tls-1-3", Context(common: "\"tls_params\":{\"tls_minimum_protocol_version\":\"TLSv1_3\"},")),
            Secure("tls-1-2", Context(common: "\"tls_params\":{\"tls_maximum_protocol_version\":\"TLSv1_2\"},")),
            Secure("tls-alpn", Context(common: "\"alpn_protocols\":[\"h2\",\"http/1.1\"],")),
            Secure("tls-alpn-1", Context(common: "\"alpn_protocols\":[\"http/1.1\"],")),
            .. new[] { "SANITIZE", "FORWARD_ONLY", "APPEND_FORWARD", "SANITIZE_SET", "ALWAYS_FORWARD_ONLY" }.Select(mode =>
                Secure("tls-xfcc-" + mode.ToLowerInvariant().Replace('_', '-'), Context(Validation), $"\"forward_client_cert_details\":\"{mode}\"," + Details)),
            Secure("tls-xfcc-all", Context(Validation), "\"forward_client_cert_details\":\"SANITIZE_SET\","
                + "\"set_current_client_cert_details\":{\"subject\":true,\"cert\":true,\"chain\":true,\"dns\":true,\"uri\":true},"),
            Listener("tls-sni", Inspector,
                Chain(Http("tls-sni-a", Route("/", "tls-up")), "\"filter_chain_match\":{\"server_names\":[\"a.example.com\"]},"
                    + Context(names: "a.example.com")),
                Chain(Http("tls-sni-b", Route("/", "tls-up")), "\"filter_chain_match\":{\"server_names\":[\"*.example.com\"]},"
                    + Context(names: "b.example.com"))),
        ],
        [Cluster("tls-up", "", "h1:tls")],
        [
            Ask("tls-get", "tls-plain"),
            Ask("tls-version-1-2", "tls-plain", protocols: SslProtocols.Tls12),
            Ask("tls-version-1-3", "tls-plain", protocols: SslProtocols.Tls13),
            Ask("tls-needs-1-3-gets-1-2", "tls-1-3", protocols: SslProtocols.Tls12),
            Ask("tls-needs-1-3", "tls-1-3", protocols: SslProtocols.Tls13),
            Ask("tls-until-1-2-gets-1-3", "tls-1-2", protocols: SslProtocols.Tls13),
            Ask("tls-until-1-2", "tls-1-2"),
            Ask("tls-certificate-unasked", "tls-plain", "client@ca"),
            Ask("tls-certificate", "tls-required", "client@ca"),
            Ask("tls-certificate-missing", "tls-required"),
            Ask("tls-certificate-self-signed", "tls-required", "stranger"),
            Ask("tls-certificate-of-other-ca", "tls-required", "client@otherca"),
            Ask("tls-certificate-expired", "tls-required", "client@ca", days: 0),
            Ask("tls-certificate-not-revoked", "tls-crl", "client@ca"),
            Ask("tls-certificate-revoked", "tls-crl", "revoked@ca"),
            Ask("tls-certificate-of-right-name", "tls-names", "client@ca"),
            Ask("tls-certificate-of-wrong-name", "tls-names", "other@ca"),
            .. new[] { "sanitize", "forward-only", "append-forward", "sanitize-set", "always-forward-only", "all" }.SelectMany(mode => new[]
            {
                Ask($"xfcc-{mode}-none", "tls-xfcc-" + mode),
                Ask($"xfcc-{mode}-certificate", "tls-xfcc-" + mode, "client@ca"),
                Ask($"xfcc-{mode}-forged", "tls-xfcc-" + mode, headers: "x-forwarded-client-cert: By=x;Hash=y\r\n"),
                Ask($"xfcc-{mode}-certificate-and-forged", "tls-xfcc-" + mode, "client@ca", "x-forwarded-client-cert: By=x;Hash=y\r\n"),
            }),
            Ask("alpn-both", "tls-alpn", protocol: [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11]),
            Ask("alpn-1", "tls-alpn", protocol: [SslApplicationProtocol.Http11]),
            Ask("alpn-none", "tls-alpn"),
            Ask("alpn-unknown", "tls-alpn", protocol: [new SslApplicationProtocol("spdy/3")]),
            Ask("alpn-h2-not-offered", "tls-alpn-1", protocol: [SslApplicationProtocol.Http2]),
            Ask("sni-exact", "tls-sni", name: "a.example.com"),
            Ask("sni-wildcard", "tls-sni", name: "x.example.com"),
            Ask("sni-upper-case", "tls-sni", name: "A.EXAMPLE.COM"),
            Ask("sni-miss", "tls-sni", name: "example.org"),
            Ask("sni-host-differs", "tls-sni", name: "a.example.com", host: "b.example.com"),
            Does.Get("tls-cleartext", "tls-plain", "/"),
            Does.Http1("tls-garbage", "tls-plain", "\u0016\u0003\u0001\0\u0005hello\r\n\r\n", lives: false),
        ]);

    private const string Inspector = """
        "listener_filters":[ {"name":"tls","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector"} }],
        """;

    private const string Validation = "\"validation_context\":{\"trusted_ca\":{\"inline_string\":\"$(pem:ca:ca)\"} },";

    private static string Secure(string name, string context, string manager = "") =>
        Listener(name, "", Chain(Http(name, Route("/", "tls-up"), manager), context));

    private static string Context(string common = "", string fields = "", string names = "tls.example.com") => $$$"""
        "transport_socket":{"name":"tls","typed_config":{"@type":"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",{{{fields}}}
          "common_tls_context":{ {{{common}}}"tls_certificates":[ {"certificate_chain":{"inline_string":"$(pem:chain:{{{names}}})"},"private_key":{"inline_string":"$(pem:key:{{{names}}})"} }]} } },
        """;

    private static Scenario Ask(
        string scenario, string listener, string? certificate = null, string headers = "", SslProtocols protocols = SslProtocols.None,
        SslApplicationProtocol[]? protocol = null,
        string name = "tls.example.com", string? host = null, int days = 30) => new(scenario, (plane, seen) =>
        Does.WithClientAsync(
            plane, seen, listener, name,
            options =>
            {
                options.EnabledSslProtocols = protocols;
                options.ApplicationProtocols = [.. protocol ?? []];
                if (certificate is not null)
                {
                    var own = days == 0 ? plane.Expired(certificate) : plane.Certificate(certificate);
                    // Whatever the server says that it wants.
                    options.LocalCertificateSelectionCallback = (_, _, _, _, _) => own;
                }

                options.RemoteCertificateValidationCallback = (_, server, _, _) =>
                {
                    seen.Add("server's certificate", ((X509Certificate2)server!).Subject);
                    return true;
                };
            },
            async (client, cancellation) =>
            {
                var tls = (SslStream)client.Stream;
                seen.Add("version", tls.SslProtocol.ToString());
                seen.Add("protocol", tls.NegotiatedApplicationProtocol.ToString());
                if (tls.NegotiatedApplicationProtocol == SslApplicationProtocol.Http2)
                {
                    var wire = new Http2Wire(tls);
                    await wire.StartClientAsync();
                    await wire.WriteHeadersAsync(1, Does.Pseudo("GET", "/?" + scenario), end: true);
                    await Does.AddAnswerAsync(wire, seen, 1, cancellation);
                    return;
                }

                await client.Wire.WriteAsync($"GET /?{scenario} HTTP/1.1\r\nhost: {host ?? name}\r\n{headers}\r\n", cancellation);
                seen.AddResponse(await client.Wire.ReadResponseAsync("GET", cancellation));
            }));
}
