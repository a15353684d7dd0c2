using Envoy.Config.Cluster.V3;

namespace Nuncio.XdsServer.Subscriptions;

/// <summary>
/// The subscriptions of one stream, and what is to be sent in which order: make before break. Nothing of a later type goes out while something of an earlier
/// one is unanswered; what is gone is told when all that is new was accepted for a while, except listeners, whose addresses others may need.
/// </summary>
internal sealed class AdsSession(AdsServerOptions options, ListenerRoutes listenerRoutes, TimeProvider time)
{
    private readonly Subscription?[] _subscriptions = new Subscription?[XdsResourceType.InOrder.Length];
    private XdsSnapshot? _quietWith;
    private DateTimeOffset _quietSince;

    /// <summary>The client takes virtual hosts one by one. Set before the first subscription.</summary>
    public bool TakesVirtualHosts { get; set; }

    /// <summary>The route configurations that the client has whole, from before it was known to take virtual hosts one by one.</summary>
    public HashSet<string> Undivided { get; } = new(StringComparer.Ordinal);

    /// <summary>The revision that the client has accepted whole, as far as it did not refuse; -1 for none.</summary>
    public long Revision { get; private set; } = -1;

    /// <summary>When <see cref="Next"/> has to be asked again although nothing happened; null for never.</summary>
    public DateTimeOffset? WakeAt { get; private set; }

    /// <summary>All subscriptions there are.</summary>
    public IEnumerable<Subscription> Subscriptions => _subscriptions.OfType<Subscription>();

    /// <summary>The subscription of a type; null where the client asked for none.</summary>
    public Subscription? Of(XdsResourceType type) => _subscriptions[XdsResourceType.InOrder.IndexOf(type)];

    /// <summary>The subscription of a type, a new one where there is none yet.</summary>
    public Subscription Open(XdsResourceType type) => _subscriptions[XdsResourceType.InOrder.IndexOf(type)] ??=
        new Subscription(type == XdsResourceType.Routes && TakesVirtualHosts ? new DividedRoutesType(this) : type, options);

    /// <summary>The virtual hosts of a route configuration are sent one by one.</summary>
    public bool IsDivided(string routes) => TakesVirtualHosts && !Undivided.Contains(routes);

    /// <summary>What is to be sent next; null where the client has to answer first or has everything.</summary>
    public XdsBatch? Next(XdsSnapshot snapshot)
    {
        var now = time.GetUtcNow();
        WakeAt = null;
        FollowRoutes();
        foreach (var subscription in _subscriptions)
        {
            if (subscription is null) continue;
            if (subscription.UnderWay is not null) return null;
            if (subscription.Next(snapshot, removals: subscription.Type == XdsResourceType.Listener, now) is { } batch) return Begin(batch);
        }

        if (IsComplete(snapshot)) Revision = snapshot.Revision;
        foreach (var subscription in Subscriptions) Wake(subscription.OffersAgainAt);
        if (!Subscriptions.Any(subscription => subscription.HasGone(snapshot))) return null;
        if (_quietWith != snapshot) (_quietWith, _quietSince) = (snapshot, now);
        if (now < _quietSince + options.RemovalDelay)
        {
            Wake(_quietSince + options.RemovalDelay);
            return null;
        }

        foreach (var subscription in Subscriptions)
        {
            if (subscription.Next(snapshot, removals: true, now) is { } batch) return batch;
        }

        return null;
    }

    /// <summary>The client took what is under way of a type.</summary>
    public void Accept(Subscription subscription)
    {
        if (subscription.UnderWay is not { } batch) return;
        if (subscription.Type == XdsResourceType.Cluster) ForceEndpoints(subscription, batch);
        subscription.Accept();
    }

    // Virtual hosts are wanted of what the client has taken of RDS: before that, nobody there would listen.
    private void FollowRoutes()
    {
        if (Of(XdsResourceType.VirtualHosts) is not { UnderWay: null } hosts || Of(XdsResourceType.Routes) is not { } routes) return;
        hosts.SubscribeExactly([.. routes.Held.Where(held => held.Value.Version is not null && IsDivided(held.Key)).Select(held => held.Key)]);
    }

    // A cluster that replaces one of its name waits for endpoints, even where they are what it had (Envoy, "cluster warming").
    private void ForceEndpoints(Subscription clusters, XdsBatch batch)
    {
        if (Of(XdsResourceType.Endpoints) is not { } endpoints) return;
        foreach (var (name, resource) in batch.Items)
        {
            if (resource?.Message is not Cluster cluster || !clusters.Held.TryGetValue(name, out var held) || held.Version is null) continue;
            if (XdsReferences.EndpointsOf(cluster) is { } assignment) endpoints.Force(assignment);
        }
    }

    /// <summary>The client has LDS and CDS, and the routes of all listeners that it did not refuse.</summary>
    private bool IsComplete(XdsSnapshot snapshot)
    {
        if (Of(XdsResourceType.Listener) is not { } listeners || Of(XdsResourceType.Cluster) is null) return false;
        if (Subscriptions.Any(subscription => subscription.UnderWay is not null)) return false;
        var routes = Of(XdsResourceType.Routes);
        var hosts = Of(XdsResourceType.VirtualHosts);
        foreach (var listener in snapshot.Listeners.Values)
        {
            if (listeners.Refused.ContainsKey(listener.Name)) continue;
            foreach (var name in listenerRoutes.Of(listener))
            {
                if (!snapshot.RouteConfigurations.TryGetValue(name, out var resource)) continue;
                if (routes?.IsSettled(name, IsDivided(name) ? RouteShells.Of(resource) : resource) != true) return false;
                if (IsDivided(name) && !routes.Refused.ContainsKey(name) && hosts?.IsSettled(name, resource) != true) return false;
            }
        }

        return true;
    }

    private XdsBatch Begin(XdsBatch batch)
    {
        _quietWith = null;
        return batch;
    }

    private void Wake(DateTimeOffset? at)
    {
        if (at is { } time && !(WakeAt < time)) WakeAt = time;
    }
}
