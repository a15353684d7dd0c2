using System.Collections.Frozen;
using System.Text;
using Envoy.Config.Route.V3;
using Envoy.Service.Discovery.V3;
using Nuncio.Xds;

namespace Nuncio.DataPlane.Discovery;

/// <summary>
/// Virtual hosts that came by VHDS, by the route configuration that they belong to. As Envoy does it: the one request of a stream names none, and the control
/// plane sends those of each route configuration that it knows to be here.
/// </summary>
internal sealed class VirtualHostTable() : DiscoveredTable(XdsTypeRegistry.TypeUrlOf(VirtualHost.Descriptor))
{
    private readonly Dictionary<string, Hosts> _hosts = new(StringComparer.Ordinal);
    private FrozenDictionary<string, XdsResource<RouteConfiguration>>? _from;
    private FrozenDictionary<string, XdsResource<RouteConfiguration>>? _composed;

    /// <inheritdoc/>
    public override IEnumerable<KeyValuePair<string, string>> Versions =>
        _hosts.Values.SelectMany(hosts => hosts.Table.Select(host => KeyValuePair.Create(host.Key, host.Value.Version)));

    /// <summary>The virtual hosts of a route configuration have come, be it that there is none.</summary>
    public override bool IsKnown(string name) => _hosts.ContainsKey(name);

    /// <summary>The virtual hosts of a route configuration, which is not asked for any more.</summary>
    public void Leave(string routes) => Forget(routes);

    /// <summary>The names of the route configurations that a response is about.</summary>
    public static HashSet<string> Concerned(DeltaDiscoveryResponse response) => response.Resources.Select(resource => resource.Name)
        .Concat(response.RemovedResources)
        .Select(XdsVirtualHosts.RoutesOf).OfType<string>().ToHashSet(StringComparer.Ordinal);

    /// <summary>
    /// Route configurations with their virtual hosts; those whose virtual hosts have not come yet are left out. The same object until something changes.
    /// </summary>
    public FrozenDictionary<string, XdsResource<RouteConfiguration>> Complete(FrozenDictionary<string, XdsResource<RouteConfiguration>> routes)
    {
        if (ReferenceEquals(_from, routes) && _composed is { } known) return known;
        _from = routes;
        return _composed = routes.Values.All(resource => resource.Message.Vhds is null) ? routes
            : routes.Values.Select(Complete).OfType<XdsResource<RouteConfiguration>>().ToFrozenDictionary(resource => resource.Name, StringComparer.Ordinal);
    }

    /// <inheritdoc/>
    protected override string? TakeResources(DeltaDiscoveryResponse response)
    {
        var read = new List<(string Routes, string Name, Held Host)>(response.Resources.Count);
        foreach (var resource in response.Resources)
        {
            if (resource.Resource_ is not { } any || any.TypeUrl != TypeUrl) return $"{resource.Name}: not a {TypeUrl}";
            if (XdsVirtualHosts.RoutesOf(resource.Name) is not { } routes) return $"{resource.Name}: not ROUTE-CONFIGURATION/NAME";
            try
            {
                var host = any.Unpack<VirtualHost>();
                // By this name nobody but VHDS knows it.
                host.Name = resource.Name[(routes.Length + 1)..];
                read.Add((routes, resource.Name, new Held(host, resource.Version)));
            }
            catch (Exception e) when (Binding.AnyReading.IsUnreadable(e))
            {
                return $"{resource.Name}: {e.Message}";
            }
        }

        foreach (var routes in Concerned(response))
        {
            var hosts = _hosts.TryGetValue(routes, out var before) ? before : _hosts[routes] = new Hosts();
            hosts.Composed = null;
        }

        foreach (var (routes, name, host) in read) _hosts[routes].Table[name] = host;
        foreach (var name in response.RemovedResources)
        {
            if (XdsVirtualHosts.RoutesOf(name) is { } routes) _hosts[routes].Table.Remove(name);
        }

        _composed = null;
        return null;
    }

    /// <inheritdoc/>
    protected override void Forget(string name)
    {
        if (_hosts.Remove(name)) _composed = null;
    }

    private XdsResource<RouteConfiguration>? Complete(XdsResource<RouteConfiguration> routes)
    {
        if (routes.Message.Vhds is null) return routes;
        if (!_hosts.TryGetValue(routes.Name, out var hosts)) return null;
        if (hosts.Composed is { } known && ReferenceEquals(hosts.Of, routes)) return known;
        var message = XdsVirtualHosts.WithVirtualHosts(routes.Message, hosts.Table.Values.Select(held => held.Host));
        message.Vhds = null;
        var version = new StringBuilder(routes.Version.ToString());
        foreach (var (name, held) in hosts.Table) version.Append('\n').Append(name).Append(' ').Append(held.Version);
        hosts.Of = routes;
        return hosts.Composed = new XdsResource<RouteConfiguration>(routes.Name, message, XdsVersion.Of(Encoding.UTF8.GetBytes(version.ToString())));
    }

    private sealed record Held(VirtualHost Host, string Version);

    private sealed class Hosts
    {
        public SortedDictionary<string, Held> Table { get; } = new(StringComparer.Ordinal);

        public XdsResource<RouteConfiguration>? Of { get; set; }

        public XdsResource<RouteConfiguration>? Composed { get; set; }
    }
}
