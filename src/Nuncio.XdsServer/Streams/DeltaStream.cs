using System.Globalization;

namespace Nuncio.XdsServer.Streams;

/// <summary>The incremental protocol (<c>DeltaAggregatedResources</c>): each resource has a version, and only what changed is sent.</summary>
internal sealed class DeltaStream(long number, AdsServerParts parts) : AdsStream<DiscoveryV3.DeltaDiscoveryRequest, DiscoveryV3.DeltaDiscoveryResponse>(number, parts)
{
    private const string Everything = "*";

    /// <inheritdoc/>
    protected override void Take(DiscoveryV3.DeltaDiscoveryRequest request)
    {
        Introduce(request.Node);
        if (XdsResourceType.Find(request.TypeUrl) is not { } type) return;
        var isFirst = Session.Of(type) is null;
        var subscription = Session.Open(type);
        if (isFirst)
        {
            foreach (var (name, version) in request.InitialResourceVersions)
            {
                // One that is none of ours differs from all: the resource is sent again, or taken away.
                subscription.Remember(name, XdsVersion.TryParse(version, out var known) ? known : default);
            }
        }

        // An answer to anything but the newest says nothing.
        if (request.ResponseNonce.Length > 0 && subscription.UnderWay?.Nonce == request.ResponseNonce) Answer(subscription, request.ErrorDetail);
        foreach (var name in request.ResourceNamesUnsubscribe)
        {
            if (name == Everything) subscription.UnsubscribeFromAll();
            else subscription.Unsubscribe(name);
        }

        if (isFirst && request.ResourceNamesSubscribe.Count == 0 && type.HasWildcard) subscription.SubscribeToAll();
        foreach (var name in request.ResourceNamesSubscribe)
        {
            if (name == Everything) subscription.SubscribeToAll();
            else subscription.Subscribe(name, isFirst);
        }
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
        long length = 0;
        for (var i = 0; i < batch.Items.Length; i++)
        {
            var (name, resource) = batch.Items[i];
            if (resource is null)
            {
                response.RemovedResources.Add(name);
                continue;
            }

            var encoded = Encoded.Encode(batch.Subscription.Type, resource);
            length += encoded.Value.Length + name.Length + 200;
            if (length > Parts.Options.MaxResponseLength && i > 0)
            {
                batch.Subscription.Shorten(batch, i);
                break;
            }

            response.Resources.Add(new DiscoveryV3.Resource { Name = name, Version = resource.Version.ToString(), Resource_ = encoded });
        }

        return response;
    }
}
