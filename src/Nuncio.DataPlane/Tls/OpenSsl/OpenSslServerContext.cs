using System.Net.Security;
using System.Runtime.InteropServices;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Nuncio.DataPlane.Tls.OpenSsl;

/// <summary>
/// A certificate with the settings of a filter chain, as OpenSSL wants it: what all handshakes share, the keys of session tickets included. Servers that ask
/// for no certificate only, which is nearly all of them; the others are SslStream's.
/// </summary>
internal sealed unsafe class OpenSslServerContext
{
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

    /// <summary>Null where it cannot be had: no OpenSSL 3, versions that it may refuse, a key that does not leave its store.</summary>
    public static OpenSslServerContext? TryCreate(TlsCertificateModel certificate, SslProtocols versions, List<SslApplicationProtocol> protocols, bool allowsResumption)
    {
        if (!LibSsl.IsAvailable || (versions & ~(SslProtocols.Tls12 | SslProtocols.Tls13)) != 0 || ExportKey(certificate.Leaf) is not { } key)
        {
            return null;
        }

        try
        {
            var context = LibSsl.CreateServerContext(
                versions.HasFlag(SslProtocols.Tls12) ? LibSsl.Tls12 : LibSsl.Tls13, versions.HasFlag(SslProtocols.Tls13) ? LibSsl.Tls13 : LibSsl.Tls12, allowsResumption);
            if (context == 0)
            {
                return null;
            }

            if (!LibSsl.Use(context, certificate.Leaf.RawDataMemory.Span, key, certificate.Context.IntermediateCertificates.Select(one => one.RawData)))
            {
                LibSsl.FreeContext(context);
                return null;
            }

            var list = protocols.Count > 0 ? ListOf(protocols) : null;
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

    // RFC 7301 section 3.1, with a 0 behind it.
    private static byte* ListOf(List<SslApplicationProtocol> protocols)
    {
        var length = protocols.Sum(one => one.Protocol.Length + 1);
        var list = (byte*)NativeMemory.Alloc((nuint)length + 1);
        var rest = new Span<byte>(list, length + 1);
        foreach (var one in protocols)
        {
            rest[0] = (byte)one.Protocol.Length;
            one.Protocol.Span.CopyTo(rest[1..]);
            rest = rest[(one.Protocol.Length + 1)..];
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
