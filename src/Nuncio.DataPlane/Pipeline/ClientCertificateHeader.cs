using System.Security.Cryptography.X509Certificates;
using System.Text;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Tls;
using Details = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.Types.ForwardClientCertDetails;

namespace Nuncio.DataPlane.Pipeline;

/// <summary>The x-forwarded-client-cert header: what upstreams learn of the client's certificate, and never by the client's own word alone.</summary>
public static class ClientCertificateHeader
{
    /// <summary>Keeps, removes, sets or appends to the header as the connection manager says.</summary>
    public static void Apply(HeaderMap headers, DownstreamConnectionInfo connection, ForwardClientCertModel model)
    {
        ArgumentNullException.ThrowIfNull(headers);
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(model);
        if (model.Details == Details.AlwaysForwardOnly)
        {
            return;
        }

        if (model.Details == Details.Sanitize || connection.PeerCertificate is not { } certificate)
        {
            headers.Remove(KnownHeader.XForwardedClientCert);
            return;
        }

        if (model.Details == Details.ForwardOnly)
        {
            return;
        }

        var element = Element(certificate, connection, model);
        var before = headers.Get(KnownHeader.XForwardedClientCert);
        if (model.Details == Details.AppendForward && !before.IsEmpty)
        {
            element = Encoding.Latin1.GetString(before) + "," + element;
        }

        headers.Set(KnownHeader.XForwardedClientCert, Encoding.Latin1.GetBytes(element));
    }

    private static string Element(X509Certificate2 certificate, DownstreamConnectionInfo connection, ForwardClientCertModel model)
    {
        var text = new StringBuilder();
        if (connection.LocalCertificate is { } local)
        {
            foreach (var uri in CertificateText.UriNames(local))
            {
                text.Append("By=").Append(uri).Append(';');
            }
        }

        text.Append("Hash=").Append(CertificateText.Sha256(certificate));
        if (model.Cert)
        {
            text.Append(";Cert=\"").Append(CertificateText.UrlEncodedPem(certificate)).Append('"');
        }

        if (model.Chain && connection.PeerCertificateChain is { } chain)
        {
            text.Append(";Chain=\"").Append(CertificateText.UrlEncodedPem(chain)).Append('"');
        }

        if (model.Subject)
        {
            text.Append(";Subject=\"").Append(CertificateText.Subject(certificate)).Append('"');
        }

        if (model.Uri)
        {
            AppendNames(text, "URI", CertificateText.UriNames(certificate));
        }

        if (model.Dns)
        {
            foreach (var name in CertificateText.DnsNames(certificate))
            {
                text.Append(";DNS=").Append(name);
            }
        }

        return text.ToString();
    }

    // The key is there even without a name.
    private static void AppendNames(StringBuilder text, string key, IReadOnlyList<string> names)
    {
        if (names.Count == 0)
        {
            text.Append(';').Append(key).Append('=');
        }

        foreach (var name in names)
        {
            text.Append(';').Append(key).Append('=').Append(name);
        }
    }
}
