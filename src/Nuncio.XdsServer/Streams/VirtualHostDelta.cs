using Envoy.Config.Route.V3;

namespace Nuncio.XdsServer.Streams;

/// <summary>
/// Which virtual hosts a client has of each route configuration, and so which of a new one it has to be told. All of one route configuration is told in one
/// response: a domain that moves from one virtual host to another must not be in both, nor in none.
/// </summary>
internal sealed class VirtualHostDelta
{
    private readonly Dictionary<string, Dictionary<string, XdsVersion>> _held = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Dictionary<string, XdsVersion>> _underWay = new(StringComparer.Ordinal);

    /// <summary>The client has this from a stream before.</summary>
    public void Remember(string name, XdsVersion version)
    {
        if (XdsVirtualHosts.RoutesOf(name) is not { } routes) return;
        if (!_held.TryGetValue(routes, out var hosts)) _held.Add(routes, hosts = new Dictionary<string, XdsVersion>(StringComparer.Ordinal));
        hosts[name] = version;
    }

    /// <summary>The client has nothing of a route configuration any more.</summary>
    public void Forget(string routes)
    {
        _held.Remove(routes);
        _underWay.Remove(routes);
    }

    /// <summary>The client took what is under way.</summary>
    public void Accept()
    {
        foreach (var (routes, hosts) in _underWay) _held[routes] = hosts;
        _underWay.Clear();
    }

    /// <summary>The client refused what is under way, and has what it had.</summary>
    public void Refuse() => _underWay.Clear();

    /// <summary>Adds what differs to a response.</summary>
    /// <param name="routes">The name of the route configuration.</param>
    /// <param name="resource">What the client should have of it; null for nothing.</param>
    /// <param name="response">What it is told.</param>
    public void Add(string routes, IXdsResource? resource, DiscoveryV3.DeltaDiscoveryResponse response)
    {
        var held = _held.GetValueOrDefault(routes);
        var hosts = new Dictionary<string, XdsVersion>(StringComparer.Ordinal);
        foreach (var host in ((RouteConfiguration?)resource?.Message)?.VirtualHosts ?? [])
        {
            var name = XdsVirtualHosts.NameOf(routes, host);
            var version = EncodedVirtualHosts.VersionOf(host);
            hosts[name] = version;
            if (held is not null && held.TryGetValue(name, out var had) && had == version) continue;
            response.Resources.Add(new DiscoveryV3.Resource { Name = name, Version = version.ToString(), Resource_ = EncodedVirtualHosts.Encode(name, host) });
        }

        foreach (var name in held?.Keys ?? Enumerable.Empty<string>())
        {
            if (!hosts.ContainsKey(name)) response.RemovedResources.Add(name);
        }

        // Whoever has nothing yet waits for an answer, and Envoy hears none that names nothing below the route configuration.
        if (held is null && hosts.Count == 0) response.RemovedResources.Add($"{routes}/none");
        _underWay[routes] = hosts;
    }
}
