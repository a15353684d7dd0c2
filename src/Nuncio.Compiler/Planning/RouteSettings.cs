namespace Nuncio.Compiler.Planning;

/// <summary>What the routes have to know of the HTTP filters; the pass that plans the filters sets it before the Mappings are read.</summary>
/// <param name="HasAuth">Whether an ext_authz filter runs, so that routes that bypass it must say so.</param>
/// <param name="RateLimitDomain">The domain of the RateLimitService whose labels become rate limits; null when there is none.</param>
/// <param name="InsecureRejectStatus">What insecure requests get that a Host rejects; with 404 they have no route.</param>
/// <param name="AuthIsBroken">Whether every request is answered 500, but for the liveness and readiness probes (SPEC 9.3).</param>
/// <param name="HasErrorResponses">Whether a filter puts other bodies in place of those of errors, so that routes must say which.</param>
public sealed record RouteSettings(
    bool HasAuth, string? RateLimitDomain, int InsecureRejectStatus = 400, bool AuthIsBroken = false, bool HasErrorResponses = false)
{
    /// <summary>No authorisation, no rate limits.</summary>
    public static RouteSettings None { get; } = new(false, null);
}
