namespace Nuncio.DataPlane.Tls.OpenSsl;

/// <summary>How a chain is verified.</summary>
/// <param name="PeerIsClient">Which key usage is asked for.</param>
/// <param name="Time">The time to verify at.</param>
/// <param name="MaxIntermediates">How many certificates may stand between leaf and authority.</param>
/// <param name="AllowExpired">Times of validity are not looked at.</param>
internal readonly record struct ChainCheck(bool PeerIsClient, DateTimeOffset Time, int MaxIntermediates, bool AllowExpired);
