namespace Nuncio.Compiler.Planning;

/// <summary>A finished route and its content hash, so that a route configuration's version is composed without serialising it.</summary>
/// <param name="Message">Shared by all virtual hosts that hold it; must not be changed.</param>
/// <param name="Version">The content version of the message.</param>
public sealed record EmittedRoute(RouteV3.Route Message, XdsVersion Version)
{
    /// <summary>Hashes a message that is complete.</summary>
    public static EmittedRoute Of(RouteV3.Route message) => new(message, XdsVersion.Of(message));
}
