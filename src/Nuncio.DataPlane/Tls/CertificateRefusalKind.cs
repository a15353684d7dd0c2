namespace Nuncio.DataPlane.Tls;

/// <summary>The checks of a certificate, each of which Envoy counts on its own.</summary>
public enum CertificateRefusalKind : byte
{
    /// <summary>Its chain does not lead to an authority, is too long, expired or revoked (<c>fail_verify_error</c>).</summary>
    Chain,

    /// <summary>It has none of the wanted names (<c>fail_verify_san</c>).</summary>
    Name,

    /// <summary>It is none of those pinned (<c>fail_verify_cert_hash</c>).</summary>
    Pin,
}
