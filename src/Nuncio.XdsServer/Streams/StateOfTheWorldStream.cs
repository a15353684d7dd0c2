using System.Security.Cryptography;
using System.Text;

namespace Nuncio.XdsServer.Streams;

/// <summary>
/// The protocol with one version for all resources of a type (<c>StreamAggregatedResources</c>). A response of LDS and CDS holds all there are, since what is
/// missing counts as gone; one of the other types what changed.
/// </summary>
internal sealed class StateOfTheWorldStream(long number, AdsServerParts parts)
    : AdsStream<DiscoveryV3.DiscoveryRequest, DiscoveryV3.DiscoveryResponse>(number, parts)
{
    /// <inheritdoc/>
    protected override void Take(DiscoveryV3.DiscoveryRequest request)
    {
        Introduce(request.Node);
        if (XdsResourceType.Find(request.TypeUrl) is not { } type) return;
        var isFirst = Session.Of(type) is null;
        var subscription = Session.Open(type);
        if (!isFirst)
        {
            // A nonce that is not the newest says nothing, neither of names: the answer to the newest follows and says it again.
            if (subscription.UnderWay is { } batch)
            {
                if (request.ResponseNonce != batch.Nonce) return;
                Answer(subscription, request.ErrorDetail);
            }
        }

        if (type.HasWildcard && request.ResourceNames.Count == 0)
        {
            if (isFirst) subscription.SubscribeToAll();
            return;
        }

        if (type.HasWildcard && request.ResourceNames.Contains("*"))
        {
            if (!subscription.IsWildcard) subscription.SubscribeToAll();
            return;
        }

        if (subscription.IsWildcard) subscription.UnsubscribeFromAll();
        subscription.SubscribeExactly(request.ResourceNames);
    }

    /// <inheritdoc/>
    protected override DiscoveryV3.DiscoveryResponse? Render(XdsBatch batch, XdsSnapshot snapshot)
    {
        var type = batch.Subscription.Type;
        var all = new SortedDictionary<string, IXdsResource>(StringComparer.Ordinal);
        if (type.HasWildcard)
        {
            foreach (var (name, held) in batch.Subscription.Held)
            {
                if (held.Resource is { } resource) all.Add(name, resource);
            }
        }

        foreach (var (name, resource) in batch.Items)
        {
            if (resource is not null)
            {
                all[name] = resource;
            }
            else
            {
                all.Remove(name);
                Drop(type, name);
            }
        }

        // Of the other types it cannot be said that there is none.
        if (all.Count == 0 && !type.HasWildcard) return null;
        var response = new DiscoveryV3.DiscoveryResponse
        {
            TypeUrl = type.TypeUrl,
            Nonce = batch.Nonce,
            VersionInfo = VersionOf(all.Values),
            ControlPlane = new Envoy.Config.Core.V3.ControlPlane { Identifier = Parts.Options.Identifier },
        };
        foreach (var resource in all.Values) response.Resources.Add(Encode(type, resource));
        return response;
    }

    /// <summary>VHDS exists in the incremental protocol alone.</summary>
    protected override bool TakesVirtualHosts(ClientProgram program) => false;

    private static string VersionOf(IEnumerable<IXdsResource> resources)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var resource in resources) hash.AppendData(Encoding.UTF8.GetBytes($"{resource.Name}\n{resource.Version}\n"));
        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 16));
    }
}
