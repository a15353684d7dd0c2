using System.Net.Security;

namespace Nuncio.DataPlane.Tls;

/// <summary>The TLS of one QUIC handshake.</summary>
/// <param name="Options">What the platform does it with.</param>
/// <param name="Certificate">Our own certificate.</param>
/// <param name="Check">What is thought of the client's; null where none is asked for.</param>
internal sealed record QuicHandshake(SslServerAuthenticationOptions Options, TlsCertificateModel Certificate, ClientCertificateCheck? Check);
