using System.Collections.Concurrent;
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Nuncio.DataPlane.Binding;
using Nuncio.DataPlane.Tls.OpenSsl;

namespace Nuncio.DataPlane.Tls;

/// <summary>A certificate with its key and chain, ready for handshakes. Bound from a <c>TlsCertificate</c>.</summary>
public sealed class TlsCertificateModel
{
    private readonly ConcurrentDictionary<OpenSslServerSettings, OpenSslServerContext?> _contexts = new();

    // Those that verify clients go with what they verify them with, which may change often in the life of a certificate.
    private readonly ConditionalWeakTable<ValidationModel, ConcurrentDictionary<OpenSslServerSettings, OpenSslServerContext?>> _verifying = [];

    private TlsCertificateModel(SslStreamCertificateContext context, X509Certificate2 leaf)
    {
        Context = context;
        Leaf = leaf;
    }

    /// <summary>What SslStream takes; shared by all handshakes, so that sessions can be resumed.</summary>
    public SslStreamCertificateContext Context { get; }

    /// <summary>The certificate itself.</summary>
    public X509Certificate2 Leaf { get; }

    /// <summary>
    /// The same for OpenSSL, null where that is not to be had. It stays with the certificate, so that a new configuration takes no session ticket's key away.
    /// </summary>
    internal OpenSslServerContext? ContextFor(OpenSslServerSettings settings) =>
        (settings.Validation is { } validation ? _verifying.GetValue(validation, static _ => new()) : _contexts).GetOrAdd(
            settings, static (wanted, from) => OpenSslServerContext.TryCreate(from, wanted), this);

    /// <summary>Binds the message; null with an error when it cannot be used.</summary>
    public static TlsCertificateModel? Bind(TlsV3.TlsCertificate message, string path, BindErrors errors)
    {
        ArgumentNullException.ThrowIfNull(message);
        ArgumentNullException.ThrowIfNull(errors);
        if (message.Pkcs12 is not null || message.OcspStaple is not null || message.SignedCertificateTimestamp.Count > 0)
        {
            errors.Add(path, "pkcs12, ocsp_staple and signed_certificate_timestamp are not supported");
            return null;
        }

        var chain = DataSourceReader.Read(message.CertificateChain, BindErrors.Path(path, "certificate_chain"), errors);
        var key = DataSourceReader.Read(message.PrivateKey, BindErrors.Path(path, "private_key"), errors);
        if (chain is null || key is null)
            return null;
        try
        {
            var certificates = PemCertificates.Read(chain);
            if (certificates.Count == 0)
            {
                errors.Add(BindErrors.Path(path, "certificate_chain"), "there is no certificate in it");
                return null;
            }

            var password = message.Password is null ? null : DataSourceReader.Read(message.Password, BindErrors.Path(path, "password"), errors);
            using var parsed = password is null
                ? X509Certificate2.CreateFromPem(PemCertificates.Text(certificates[0]), key)
                : X509Certificate2.CreateFromEncryptedPem(PemCertificates.Text(certificates[0]), key, password);
            // A key that came from PEM is not bound to the certificate in a way that every platform's TLS takes; the detour through PKCS #12 makes it so.
            var leaf = X509CertificateLoader.LoadPkcs12(parsed.Export(X509ContentType.Pkcs12), null, X509KeyStorageFlags.EphemeralKeySet);
            certificates.RemoveAt(0);
            return new TlsCertificateModel(SslStreamCertificateContext.Create(leaf, [.. certificates], offline: true), leaf);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            errors.Add(path, "the certificate and its key cannot be used: " + e.Message);
            return null;
        }
    }
}
