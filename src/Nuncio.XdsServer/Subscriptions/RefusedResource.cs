namespace Nuncio.XdsServer.Subscriptions;

/// <summary>A resource that a client refused when it was sent alone.</summary>
/// <param name="Version">The version that it refused.</param>
/// <param name="Message">Why, in the client's words.</param>
/// <param name="Again">When it is offered once more, since what stood against it may be gone; null for not before it changes.</param>
internal sealed record RefusedResource(XdsVersion Version, string Message, DateTimeOffset? Again)
{
    /// <summary>The routes at fault, where the rest of a route configuration is in effect; empty where all of the resource was refused.</summary>
    public ImmutableArray<RouteFault> Faults { get; init; } = [];

    /// <summary>As findings are made of it.</summary>
    public IEnumerable<XdsRejection> Rejections(string typeUrl, string name) =>
        Faults.IsEmpty
            ? [new XdsRejection(typeUrl, name, "", Message)] : Faults.Select(fault => new XdsRejection(typeUrl, name, fault.FieldPath, fault.Message));
}
