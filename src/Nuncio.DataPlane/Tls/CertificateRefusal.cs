namespace Nuncio.DataPlane.Tls;

/// <summary>Why a certificate does not pass <see cref="ValidationModel.Verify"/>.</summary>
/// <param name="Kind">Which of the checks it did not pass.</param>
/// <param name="Text">The reason, for logs.</param>
/// <param name="Error">OpenSSL's code for it, which decides the alert (<see cref="OpenSsl.VerificationErrors"/>).</param>
public sealed record CertificateRefusal(CertificateRefusalKind Kind, string Text, int Error);
