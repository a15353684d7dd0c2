using System.Text;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Tls;
using Details = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.Types.ForwardClientCertDetails;

namespace Nuncio.DataPlane.Pipeline;

/// <summary>x-forwarded-client-cert (Envoy's mutateXfccRequestHeader).</summary>
internal static class ClientCertHeader
{
    /// <summary>Removes, keeps, extends or sets it, as configured.</summary>
    public static void Apply(HeaderMap headers, DownstreamConnectionInfo connection, ForwardClientCertModel model)
    {
        if (model.Details == Details.AlwaysForwardOnly)
        {
            return;
        }

        if (model.Details == Details.Sanitize || connection.PeerCertificate is not { } peer)
        {
            // Without a certificate on this connection a client could claim any.
            headers.Remove(KnownHeader.XForwardedClientCert);
            return;
        }

        if (model.Details == Details.ForwardOnly)
        {
            return;
        }

        var text = new StringBuilder();
        if (connection.LocalCertificate is { } local)
        {
            foreach (var uri in CertificateText.UriNames(local))
            {
                Add(text, "By=" + Quoted(uri));
            }
        }

        Add(text, "Hash=" + CertificateText.Sha256(peer));
        if (model.Cert)
        {
            Add(text, $"Cert=\"{CertificateText.UrlEncodedPem(peer)}\"");
        }

        if (model.Chain && connection.PeerCertificateChain is { } chain)
        {
            Add(text, $"Chain=\"{CertificateText.UrlEncodedPem(chain)}\"");
        }

        if (model.Subject)
        {
            // Its quotation marks are escaped already; another backslash would undo that.
            Add(text, $"Subject=\"{CertificateText.Subject(peer)}\"");
        }

        if (model.Uri)
        {
            var names = CertificateText.UriNames(peer);
            foreach (var name in names)
            {
                Add(text, "URI=" + Quoted(name));
            }

            if (names.Count == 0)
            {
                Add(text, "URI=");
            }
        }

        if (model.Dns)
        {
            foreach (var name in CertificateText.DnsNames(peer))
            {
                Add(text, "DNS=" + Quoted(name));
            }
        }

        var value = Encoding.UTF8.GetBytes(text.ToString());
        if (model.Details == Details.AppendForward)
        {
            HeaderText.Append(headers, KnownHeader.XForwardedClientCert, value, ","u8);
        }
        else
        {
            headers.Set(KnownHeader.XForwardedClientCert, value);
        }
    }

    // A name that holds what separates names would pass for several, which Envoy lets happen; the header has quotation marks for that.
    private static string Quoted(string name) =>
        name.AsSpan().IndexOfAny(",;\"") < 0
            ? name
            : $"\"{name.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    private static void Add(StringBuilder text, string part)
    {
        if (text.Length > 0)
        {
            text.Append(';');
        }

        text.Append(part);
    }
}
