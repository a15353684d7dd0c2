namespace Nuncio.XdsServer.Subscriptions;

/// <summary>A resource that a client refused when it was sent alone.</summary>
/// <param name="Version">The version that it refused.</param>
/// <param name="Message">Why, in the client's words.</param>
/// <param name="Again">When it is offered once more, since what stood against it may be gone; null for not before it changes.</param>
internal sealed record RefusedResource(XdsVersion Version, string Message, DateTimeOffset? Again);
