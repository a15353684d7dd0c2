using System.Formats.Asn1;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Nuncio.DataPlane.Tls;

/// <summary>Parts of a certificate as text, in the forms that Envoy prints (OpenSSL's RFC 2253 names, lower-case hexadecimal).</summary>
public static class CertificateText
{
    /// <summary>The subject, last part first: <c>CN=client,O=Example</c>.</summary>
    public static string Subject(X509Certificate2 certificate) => DistinguishedNameText.Of(certificate.SubjectName);

    /// <summary>The issuer, last part first.</summary>
    public static string Issuer(X509Certificate2 certificate) => DistinguishedNameText.Of(certificate.IssuerName);

    /// <summary>The serial number in lower-case hexadecimal.</summary>
    public static string Serial(X509Certificate2 certificate)
    {
        var text = certificate.SerialNumber.TrimStart('0').ToLowerInvariant();
        return text.Length % 2 == 1 ? "0" + text : text;
    }

    /// <summary>The SHA-256 fingerprint in lower-case hexadecimal.</summary>
    public static string Sha256(X509Certificate2 certificate) => Convert.ToHexStringLower(SHA256.HashData(certificate.RawDataMemory.Span));

    /// <summary>The SHA-1 fingerprint in lower-case hexadecimal.</summary>
#pragma warning disable CA5350 // a fingerprint for logs, protecting nothing
    public static string Sha1(X509Certificate2 certificate) => Convert.ToHexStringLower(SHA1.HashData(certificate.RawDataMemory.Span));
#pragma warning restore CA5350

    /// <summary>PEM with everything percent-encoded that x-forwarded-client-cert needs so.</summary>
    public static string UrlEncodedPem(X509Certificate2 certificate) => Encode(certificate.ExportCertificatePem() + "\n");

    /// <summary>The chain as PEM, encoded likewise.</summary>
    public static string UrlEncodedPem(IReadOnlyList<X509Certificate2> chain)
    {
        var text = new StringBuilder();
        foreach (var certificate in chain)
        {
            text.Append(certificate.ExportCertificatePem()).Append('\n');
        }

        return Encode(text.ToString());
    }

    /// <summary>URIs of the subject alternative names.</summary>
    public static IReadOnlyList<string> UriNames(X509Certificate2 certificate) =>
        AlternativeNames(certificate, 6, static bytes => Encoding.ASCII.GetString(bytes));

    /// <summary>DNS names of the subject alternative names.</summary>
    public static IReadOnlyList<string> DnsNames(X509Certificate2 certificate) =>
        AlternativeNames(certificate, 2, static bytes => Encoding.ASCII.GetString(bytes));

    /// <summary>Addresses of the subject alternative names.</summary>
    public static IReadOnlyList<string> IpNames(X509Certificate2 certificate) =>
        AlternativeNames(certificate, 7, static bytes => new IPAddress(bytes).ToString());

    private static string Encode(string pem) => Uri.EscapeDataString(pem);

    private static List<string> AlternativeNames(X509Certificate2 certificate, int tag, Func<byte[], string> text)
    {
        var names = new List<string>();
        foreach (var extension in certificate.Extensions)
        {
            if (extension.Oid?.Value != "2.5.29.17")
            {
                continue;
            }

            try
            {
                var sequence = new AsnReader(extension.RawData, AsnEncodingRules.DER).ReadSequence();
                while (sequence.HasData)
                {
                    var next = sequence.PeekTag();
                    if (next.TagClass == TagClass.ContextSpecific && next.TagValue == tag)
                    {
                        // What would end a header or a line of a log is in no URI and no host's name: it is there to deceive, and names nobody.
                        var name = text(sequence.ReadOctetString(new Asn1Tag(TagClass.ContextSpecific, tag)));
                        if (!name.Any(char.IsControl))
                        {
                            names.Add(name);
                        }
                    }
                    else
                    {
                        _ = sequence.ReadEncodedValue();
                    }
                }
            }
            catch (Exception e) when (e is AsnContentException or ArgumentException)
            {
                // A malformed extension names nobody.
                return [];
            }
        }

        return names;
    }
}
