using System.Security.Cryptography.X509Certificates;
using Nuncio.DataPlane.Transport;

namespace Nuncio.DataPlane.Tls;

/// <summary>TLS over another transport, after its handshake.</summary>
public abstract class TlsTransportConnection : TransportConnection
{
    /// <summary>What ALPN chose; empty for none.</summary>
    public abstract string ApplicationProtocol { get; }

    /// <summary>For instance <c>TLSv1.3</c>.</summary>
    public abstract string Version { get; }

    /// <summary>The negotiated suite by OpenSSL's name.</summary>
    public abstract string Cipher { get; }

    /// <summary>The group of the key exchange, by Envoy's name (<c>X25519</c>); empty where there was none, or the platform does not say.</summary>
    public virtual string Curve => "";

    /// <summary>How the peer has signed, by Envoy's name (<c>ecdsa_secp256r1_sha256</c>); empty where it has not, or the platform does not say.</summary>
    public virtual string PeerSignature => "";

    /// <summary>The peer's certificate; null when it sent none.</summary>
    public X509Certificate2? PeerCertificate { get; internal set; }

    /// <summary>The peer's chain, leaf first; null when it sent none.</summary>
    public IReadOnlyList<X509Certificate2>? PeerChain { get; internal set; }

    /// <summary>The peer's certificate was verified against a CA.</summary>
    public bool IsPeerValidated { get; internal set; }

    /// <summary>The handshake went on with an earlier session; false also where the platform does not say.</summary>
    public bool IsResumed { get; private protected set; }

    /// <summary>Our certificate.</summary>
    public X509Certificate2? LocalCertificate { get; internal set; }
}
