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
    public static string Subject(X509Certificate2 certificate) => Name(certificate.SubjectName);

    /// <summary>The issuer, last part first.</summary>
    public static string Issuer(X509Certificate2 certificate) => Name(certificate.IssuerName);

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

    // .NET writes ", " between the parts; OpenSSL's RFC 2253 form only the comma, with the most specific part first.
    private static string Name(X500DistinguishedName name)
    {
        var text = new StringBuilder();
        var parts = name.EnumerateRelativeDistinguishedNames(reversed: true);
        foreach (var part in parts)
        {
            if (text.Length > 0)
            {
                text.Append(',');
            }

            if (part.HasMultipleElements)
            {
                continue;
            }

            var oid = part.GetSingleElementType();
            text.Append(ShortName(oid)).Append('=');
            Escape(text, part.GetSingleElementValue() ?? "");
        }

        return text.ToString();
    }

    private static string ShortName(Oid oid) => oid.Value switch
    {
        "2.5.4.3" => "CN",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.9" => "street",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "2.5.4.5" => "serialNumber",
        "1.2.840.113549.1.9.1" => "emailAddress",
        "0.9.2342.19200300.100.1.25" => "DC",
        "0.9.2342.19200300.100.1.1" => "UID",
        var other => other ?? "",
    };

    private static void Escape(StringBuilder text, string value)
    {
        for (var i = 0; i < value.Length; i++)
        {
            var c = value[i];
            if (",+\"\\<>;".Contains(c, StringComparison.Ordinal) || (i == 0 && c is '#' or ' ') || (i == value.Length - 1 && c == ' '))
            {
                text.Append('\\');
            }

            text.Append(c);
        }
    }

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
                        names.Add(text(sequence.ReadOctetString(new Asn1Tag(TagClass.ContextSpecific, tag))));
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
