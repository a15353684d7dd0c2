using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Nuncio.DataPlane.Tls.OpenSsl;

/// <summary>
/// A certificate with the settings of a filter chain, as OpenSSL wants it: what all handshakes share, the keys of session tickets included.
/// </summary>
internal sealed unsafe class OpenSslServerContext
{
    // Sessions stay with the context that they were begun with, and it is a new one for other authorities, revocation lists and names.
    private const int SessionContextLength = 32;

    private readonly nint _context;
    private readonly byte* _protocols;

    private OpenSslServerContext(nint context, byte* protocols)
    {
        _context = context;
        _protocols = protocols;
    }

    ~OpenSslServerContext()
    {
        // Connections hold this, so none calls back any more.
        LibSsl.FreeContext(_context);
        NativeMemory.Free(_protocols);
    }

    /// <summary>Null where it cannot be had: no OpenSSL 3, settings that it refuses, a key that does not leave its store.</summary>
    public static OpenSslServerContext? TryCreate(TlsCertificateModel certificate, OpenSslServerSettings settings)
    {
        if (!OpenSslServerSettings.Supports(settings.Versions) || ExportKey(certificate.Leaf) is not { } key)
        {
            return null;
        }

        try
        {
            var context = LibSsl.CreateServerContext(settings);
            if (context == 0)
            {
                return null;
            }

            if (!LibSsl.Use(context, certificate.Leaf.RawDataMemory.Span, key, certificate.Context.IntermediateCertificates.Select(one => one.RawData))
                || (settings.Clients != ClientCertificateUse.None && !LibSsl.TryAskForCertificate(
                    context,
                    settings.Clients == ClientCertificateUse.Required,
                    settings.Validation?.AuthorityCertificates ?? [],
                    RandomNumberGenerator.GetBytes(SessionContextLength))))
            {
                LibSsl.FreeContext(context);
                return null;
            }

            var list = settings.Protocols.Length > 0 ? ListOf(settings.Protocols) : null;
            if (list is not null)
            {
                LibSsl.SetAlpn(context, list);
            }

            return new OpenSslServerContext(context, list);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>The native part of a new connection; 0 when there is no memory. This must be kept until it is freed.</summary>
    public nint CreateConnection() => LibSsl.CreateConnection(_context);

    /// <summary>The session of a connection of this is no more to go on with.</summary>
    public void Forget(nint connection) => LibSsl.ForgetSession(_context, connection);

    // RFC 7301 section 3.1, with a 0 behind it.
    private static byte* ListOf(string protocols)
    {
        var bytes = Encoding.UTF8.GetBytes(protocols);
        var list = (byte*)NativeMemory.Alloc((nuint)bytes.Length + 2);
        var rest = new Span<byte>(list, bytes.Length + 2);
        foreach (var range in bytes.AsSpan().Split((byte)','))
        {
            var name = bytes.AsSpan(range);
            rest[0] = (byte)name.Length;
            name.CopyTo(rest[1..]);
            rest = rest[(name.Length + 1)..];
        }

        rest[0] = 0;
        return list;
    }

    private static byte[]? ExportKey(X509Certificate2 certificate)
    {
        try
        {
            using AsymmetricAlgorithm? key = (AsymmetricAlgorithm?)certificate.GetECDsaPrivateKey() ?? certificate.GetRSAPrivateKey();
            return key?.ExportPkcs8PrivateKey();
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
