using System.Security.Cryptography.X509Certificates;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Pipeline;
using Nuncio.DataPlane.Tls;

namespace Nuncio.DataPlane.HttpFilters.Scripting;

/// <summary>What scripts may know of a request's connection and stream, by the names of Envoy's methods.</summary>
internal static class LuaConnectionFacts
{
    private const string CommonName = "2.5.4.3";
    private const string OrganizationName = "2.5.4.10";

    /// <summary>One fact.</summary>
    public static LuaAnswer Text(HttpExchange exchange, string what)
    {
        var connection = exchange.Downstream.Connection;
        var certificate = connection.PeerCertificate;
        return what switch
        {
            "protocol" => LuaAnswer.Of(exchange.Downstream.Version switch
            {
                HttpProtocolVersion.Http10 => "HTTP/1.0",
                HttpProtocolVersion.Http11 => "HTTP/1.1",
                _ => "HTTP/2",
            }),
            "routeName" => LuaAnswer.Of(exchange.Route?.Name ?? ""),
            "virtualClusterName" => LuaAnswer.Of(exchange.VirtualCluster?.Name ?? ""),
            "downstreamLocalAddress" or "downstreamDirectLocalAddress" => LuaAnswer.Of(connection.LocalAddress.ToString()),
            "downstreamDirectRemoteAddress" => LuaAnswer.Of(connection.DirectRemoteAddress.ToString()),
            "downstreamRemoteAddress" => LuaAnswer.Of(exchange.RemoteAddress.ToString()),
            "requestedServerName" => LuaAnswer.Of(connection.ServerName),
            "attemptCount" => LuaAnswer.Of(exchange.Upstream.Attempts),
            "responseCodeDetails" => LuaAnswer.Of(exchange.ResponseCodeDetails),
            "drainConnectionUponCompletion" => Drain(exchange),
            "isTls" => connection.IsTls ? LuaAnswer.True : LuaAnswer.Nil,
            "peerCertificatePresented" => certificate is not null ? LuaAnswer.True : LuaAnswer.Nil,
            "peerCertificateValidated" => connection.PeerCertificateValidated ? LuaAnswer.True : LuaAnswer.Nil,
            "tlsVersion" => LuaAnswer.Of(connection.TlsVersion),
            "ciphersuiteString" => LuaAnswer.Of(connection.TlsCipher),
            "ciphersuiteId" => LuaAnswer.Of(CipherId(connection.TlsCipher)),
            // TLS 1.3 has none, and of TLS 1.2 OpenSSL resumes by tickets, without one.
            "sessionId" => LuaAnswer.Of(""),
            "subjectPeerCertificate" => Of(certificate, CertificateText.Subject),
            "subjectLocalCertificate" => Of(connection.LocalCertificate, CertificateText.Subject),
            "issuerPeerCertificate" => Of(certificate, CertificateText.Issuer),
            "urlEncodedPemEncodedPeerCertificate" => Of(certificate, CertificateText.UrlEncodedPem),
            "urlEncodedPemEncodedPeerCertificateChain" =>
                LuaAnswer.Of(connection.PeerCertificateChain is { } chain ? CertificateText.UrlEncodedPem(chain) : ""),
            "validFromPeerCertificate" => LuaAnswer.Of(certificate is null ? 0 : new DateTimeOffset(certificate.NotBefore).ToUnixTimeSeconds()),
            "expirationPeerCertificate" => LuaAnswer.Of(certificate is null ? 0 : new DateTimeOffset(certificate.NotAfter).ToUnixTimeSeconds()),
            "serialNumberPeerCertificate" => Of(certificate, CertificateText.Serial),
            "sha256PeerCertificateDigest" => Of(certificate, CertificateText.Sha256),
            "commonName" => LuaAnswer.Of(NamesOf(certificate, CommonName) is [var name, ..] ? name : ""),
            _ => LuaAnswer.Nil,
        };
    }

    /// <summary>A fact that has several values.</summary>
    public static IReadOnlyList<string> List(HttpExchange exchange, string what)
    {
        var connection = exchange.Downstream.Connection;
        var (peer, local) = (connection.PeerCertificate, connection.LocalCertificate);
        return what switch
        {
            "uriSanPeerCertificate" => peer is null ? [] : CertificateText.UriNames(peer),
            "uriSanLocalCertificate" => local is null ? [] : CertificateText.UriNames(local),
            "dnsSansPeerCertificate" => peer is null ? [] : CertificateText.DnsNames(peer),
            "dnsSansLocalCertificate" => local is null ? [] : CertificateText.DnsNames(local),
            "oidsPeerCertificate" => Extensions(peer),
            "oidsLocalCertificate" => Extensions(local),
            "organizationName" => NamesOf(peer, OrganizationName),
            _ => [],
        };
    }

    private static LuaAnswer Of(X509Certificate2? certificate, Func<X509Certificate2, string> text) =>
        LuaAnswer.Of(certificate is null ? "" : text(certificate));

    private static LuaAnswer Drain(HttpExchange exchange)
    {
        exchange.Downstream.CloseConnectionAfterResponse();
        return LuaAnswer.Nil;
    }

    private static IReadOnlyList<string> Extensions(X509Certificate2? certificate) =>
        certificate is null ? [] : [.. certificate.Extensions.Select(static extension => extension.Oid?.Value ?? "").Where(static oid => oid.Length > 0)];

    private static List<string> NamesOf(X509Certificate2? certificate, string oid)
    {
        var names = new List<string>();
        foreach (var part in certificate?.SubjectName.EnumerateRelativeDistinguishedNames(reversed: false) ?? [])
        {
            if (!part.HasMultipleElements && part.GetSingleElementType().Value == oid)
            {
                names.Add(part.GetSingleElementValue() ?? "");
            }
        }

        return names;
    }

    // The numbers of IANA's registry; of TLS 1.2 those of the suites that a Host may name.
    private static string CipherId(string name) => name switch
    {
        "TLS_AES_128_GCM_SHA256" => "0x1301",
        "TLS_AES_256_GCM_SHA384" => "0x1302",
        "TLS_CHACHA20_POLY1305_SHA256" => "0x1303",
        "ECDHE-ECDSA-AES128-GCM-SHA256" => "0xc02b",
        "ECDHE-ECDSA-AES256-GCM-SHA384" => "0xc02c",
        "ECDHE-RSA-AES128-GCM-SHA256" => "0xc02f",
        "ECDHE-RSA-AES256-GCM-SHA384" => "0xc030",
        "ECDHE-RSA-CHACHA20-POLY1305" => "0xcca8",
        "ECDHE-ECDSA-CHACHA20-POLY1305" => "0xcca9",
        "ECDHE-ECDSA-AES128-SHA" => "0xc009",
        "ECDHE-ECDSA-AES256-SHA" => "0xc00a",
        "ECDHE-RSA-AES128-SHA" => "0xc013",
        "ECDHE-RSA-AES256-SHA" => "0xc014",
        "AES128-GCM-SHA256" => "0x009c",
        "AES256-GCM-SHA384" => "0x009d",
        "AES128-SHA" => "0x002f",
        "AES256-SHA" => "0x0035",
        _ => "0xffff",
    };
}
