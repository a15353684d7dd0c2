using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Nuncio.DataPlane.Tls;

/// <summary>Certificates in PEM text.</summary>
internal static class PemCertificates
{
    /// <summary>All certificates of the text in order; other blocks and text between them are passed over.</summary>
    /// <exception cref="CryptographicException">One of them is damaged.</exception>
    public static X509Certificate2Collection Read(string text)
    {
        var certificates = new X509Certificate2Collection();
        certificates.ImportFromPem(text);
        return certificates;
    }

    /// <summary>One certificate as PEM.</summary>
    public static string Text(X509Certificate2 certificate) => certificate.ExportCertificatePem();
}
