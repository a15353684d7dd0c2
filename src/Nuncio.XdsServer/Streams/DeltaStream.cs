using System.Globalization;

namespace Nuncio.XdsServer.Streams;

/// <summary>The incremental protocol (<c>DeltaAggregatedResources</c>): each resource has a version, and only what changed is sent.</summary>
internal sealed class DeltaStream(long number, AdsServerParts parts)
    : AdsStream<DiscoveryV3.DeltaDiscoveryRequest, DiscoveryV3.DeltaDiscoveryResponse>(number, parts)
{
    private const string Everything = "*";

    /// <summary>
    /// Marks the version of a route configuration whose virtual hosts go by VHDS, so that after a reconnect it is known which of the two a client has.
    /// </summary>
    private const string ShellMark = "-vhds";

    private readonly VirtualHostDelta _virtualHosts = new();

    /// <inheritdoc/>
    protected override void Take(DiscoveryV3.DeltaDiscoveryRequest request)
    {
        Introduce(request.Node);
        if (XdsResourceType.Find(request.TypeUrl) is not { } type) return;
        var isFirst = Session.Of(type) is null;
        var subscription = Session.Open(type);
        if (isFirst)
        {
            foreach (var (name, version) in request.InitialResourceVersions) Remember(type, subscription, name, version);
        }

        // An answer to anything but the newest says nothing.
        if (request.ResponseNonce.Length > 0 && subscription.UnderWay?.Nonce == request.ResponseNonce)
        {
            if (type == XdsResourceType.VirtualHosts && request.ErrorDetail is null) _virtualHosts.Accept();
            else if (type == XdsResourceType.VirtualHosts) _virtualHosts.Refuse();
            Answer(subscription, request.ErrorDetail);
        }

        if (type == XdsResourceType.VirtualHosts) return;
        foreach (var name in request.ResourceNamesUnsubscribe)
        {
            if (name == Everything) subscription.UnsubscribeFromAll();
            else subscription.Unsubscribe(name);
            if (type == XdsResourceType.Routes) ForgetRoutes(name);
        }

        if (isFirst && request.ResourceNamesSubscribe.Count == 0 && type.HasWildcard) subscription.SubscribeToAll();
        foreach (var name in request.ResourceNamesSubscribe)
        {
            if (name == Everything) subscription.SubscribeToAll();
            else subscription.Subscribe(name, isFirst);

            // Asked for anew, because the client has nothing of it, or has dropped it; and with it the virtual hosts.
            if (type == XdsResourceType.Routes && (!isFirst || !subscription.Held.ContainsKey(name))) ForgetRoutes(name);
        }
    }

    /// <inheritdoc/>
    protected override bool TakesVirtualHosts(ClientProgram program) => program.TakesVirtualHosts;

    private void ForgetRoutes(string name)
    {
        Session.Undivided.Remove(name);
        _virtualHosts.Forget(name);
    }

    private void Remember(XdsResourceType type, Subscription subscription, string name, string version)
    {
        var isShell = version.EndsWith(ShellMark, StringComparison.Ordinal);

        // One that is none of ours differs from all: the resource is sent again, or taken away.
        var known = XdsVersion.TryParse(isShell ? version[..^ShellMark.Length] : version, out var parsed) ? parsed : default;
        if (type == XdsResourceType.VirtualHosts)
        {
            // What differs is seen when it is rendered. Envoy also lists virtual hosts of route configurations that it has dropped.
            if (XdsVirtualHosts.RoutesOf(name) is { } routes && Session.Of(XdsResourceType.Routes)?.Held.ContainsKey(routes) == true)
                _virtualHosts.Remember(name, known);
            return;
        }

        // From one form to the other there would be a moment without virtual hosts.
        if (type == XdsResourceType.Routes && !isShell) Session.Undivided.Add(name);
        subscription.Remember(name, known);
    }

    /// <inheritdoc/>
    protected override DiscoveryV3.DeltaDiscoveryResponse? Render(XdsBatch batch, XdsSnapshot snapshot)
    {
        var response = new DiscoveryV3.DeltaDiscoveryResponse
        {
            TypeUrl = batch.Subscription.Type.TypeUrl,
            Nonce = batch.Nonce,
            SystemVersionInfo = snapshot.Revision.ToString(CultureInfo.InvariantCulture),
            ControlPlane = new Envoy.Config.Core.V3.ControlPlane { Identifier = Parts.Options.Identifier },
        };
        if (batch.Subscription.Type == XdsResourceType.VirtualHosts) return RenderVirtualHosts(batch, response);
        long length = 0;
        for (var i = 0; i < batch.Items.Length; i++)
        {
            var (name, resource) = batch.Items[i];
            if (resource is null)
            {
                response.RemovedResources.Add(name);
                Drop(batch.Subscription.Type, name);
                continue;
            }

            var encoded = Encode(batch.Subscription.Type, resource);
            length += encoded.Value.Length + name.Length + 200;
            if (length > Parts.Options.MaxResponseLength && i > 0)
            {
                batch.Subscription.Shorten(batch, i);
                break;
            }

            response.Resources.Add(
                new DiscoveryV3.Resource { Name = name, Version = resource.Version + MarkOf(batch.Subscription.Type, name), Resource_ = encoded });
        }

        return response;
    }

    /// <summary>One route configuration at a time, so that it is known which one is refused.</summary>
    private DiscoveryV3.DeltaDiscoveryResponse? RenderVirtualHosts(XdsBatch batch, DiscoveryV3.DeltaDiscoveryResponse response)
    {
        if (batch.Items.Length > 1) batch.Subscription.Shorten(batch, 1);
        _virtualHosts.Add(batch.Items[0].Name, batch.Items[0].Resource, response);
        if (response.Resources.Count + response.RemovedResources.Count > 0) return response;
        _virtualHosts.Accept();
        return null;
    }

    private string MarkOf(XdsResourceType type, string name) => type.TypeUrl == XdsResourceType.Routes.TypeUrl && Session.IsDivided(name) ? ShellMark : "";
}
