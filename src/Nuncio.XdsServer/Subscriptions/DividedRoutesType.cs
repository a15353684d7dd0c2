namespace Nuncio.XdsServer.Subscriptions;

/// <summary>RDS for a client that takes virtual hosts one by one: route configurations without them, except those that the client has whole.</summary>
internal sealed class DividedRoutesType(AdsSession session) : XdsResourceType
{
    public override string TypeUrl => Routes.TypeUrl;

    public override bool HasWildcard => Routes.HasWildcard;

    public override IXdsResource? Find(XdsSnapshot snapshot, string name) =>
        Routes.Find(snapshot, name) is not { } routes ? null : session.IsDivided(name) ? RouteShells.Of(routes) : routes;

    public override IEnumerable<IXdsResource> All(XdsSnapshot snapshot) =>
        Routes.All(snapshot).Select(routes => session.IsDivided(routes.Name) ? RouteShells.Of(routes) : routes);

    public override object Content(XdsSnapshot snapshot) => Routes.Content(snapshot);
}
