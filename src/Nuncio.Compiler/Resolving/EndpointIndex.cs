using System.Net;
using Nuncio.Compiler.Emitting;

namespace Nuncio.Compiler.Resolving;

/// <summary>The Services of the input and their endpoints (SPEC 8.2). Kept from one compilation to the next.</summary>
internal sealed class EndpointIndex
{
    private Dictionary<(string Namespace, string Name), Entry> _entries = [];
    private Dictionary<string, (Entry Entry, UpstreamTarget Target, XdsResource<EndpointV3.ClusterLoadAssignment> Resource)> _assignments = new(
        StringComparer.Ordinal);
    private ImmutableArray<ServiceResource> _services;
    private ImmutableArray<EndpointsResource> _endpoints;
    private ImmutableArray<EndpointSliceResource> _slices;

    /// <summary>Reads the snapshot's Services, Endpoints and EndpointSlices; entries of which nothing changed stay the same objects.</summary>
    public void Refresh(ResourceSnapshot snapshot)
    {
        if (_services == snapshot.Services && _endpoints == snapshot.Endpoints && _slices == snapshot.EndpointSlices)
            return;
        _services = snapshot.Services;
        _endpoints = snapshot.Endpoints;
        _slices = snapshot.EndpointSlices;
        var entries = new Dictionary<(string, string), Entry>();
        foreach (var service in snapshot.Services)
            EntryOf(service.Namespace, service.Name).Service = service;
        foreach (var endpoints in snapshot.Endpoints)
            EntryOf(endpoints.Namespace, endpoints.Name).Endpoints = endpoints;
        foreach (var slice in snapshot.EndpointSlices)
            if (slice.ServiceName is { } name)
                EntryOf(slice.Namespace, name).Slices.Add(slice);
        foreach (var (key, entry) in entries)
            if (_entries.TryGetValue(key, out var before) && before.IsSame(entry))
                entries[key] = before;
        _entries = entries;
        _assignments = new Dictionary<string, (Entry, UpstreamTarget, XdsResource<EndpointV3.ClusterLoadAssignment>)>(
            _assignments.Where(pair => entries.TryGetValue((pair.Value.Target.ServiceNamespace, pair.Value.Target.ServiceName), out var entry)
                && ReferenceEquals(entry, pair.Value.Entry)),
            StringComparer.Ordinal);

        Entry EntryOf(string @namespace, string name)
        {
            if (!entries.TryGetValue((@namespace, name), out var entry))
                entries.Add((@namespace, name), entry = new Entry());
            return entry;
        }
    }

    /// <summary>The Service that a DNS name of the cluster means: <c>svc</c>, <c>svc.ns</c>, <c>svc.ns.svc</c>, <c>svc.ns.svc.cluster.local</c>.</summary>
    public (string Namespace, string Name, string? ExternalName)? Find(string host, string ownNamespace)
    {
        if (_entries.Count == 0)
            return null;
        var labels = host.Split('.');
        var isService = labels.Length <= 2 || labels is [_, _, "svc"] or [_, _, "svc", "cluster", "local"] or [_, _, "svc", "cluster", "local", ""];
        if (!isService)
            return null;
        var @namespace = labels.Length == 1 ? ownNamespace : labels[1];
        return _entries.TryGetValue((@namespace, labels[0]), out var entry)
            ? (@namespace, labels[0], entry.Service is { Type: "ExternalName" } service ? service.ExternalName : null)
            : null;
    }

    /// <summary>Whether the input says what the endpoints of a Service are; there may be none of them.</summary>
    public bool HasEndpoints(string @namespace, string service) =>
        _entries.TryGetValue((@namespace, service), out var entry) && (entry.Endpoints is not null || entry.Slices.Count > 0);

    /// <summary>The ready endpoints of a port; empty when there are none, so that the cluster does not wait for them.</summary>
    public XdsResource<EndpointV3.ClusterLoadAssignment> Assignment(string name, UpstreamTarget target)
    {
        if (_assignments.TryGetValue(name, out var known) && known.Target == target)
            return known.Resource;
        var entry = _entries.GetValueOrDefault((target.ServiceNamespace, target.ServiceName)) ?? Entry.Empty;
        var assignment = new EndpointV3.ClusterLoadAssignment { ClusterName = name };
        var locality = new EndpointV3.LocalityLbEndpoints();
        foreach (var (address, port) in AddressesOf(entry, target.Port))
            locality.LbEndpoints.Add(ClusterEmitter.Endpoint(address, port, target.HostName));
        if (locality.LbEndpoints.Count > 0)
            assignment.Endpoints.Add(locality);
        var resource = XdsResource<EndpointV3.ClusterLoadAssignment>.Create(name, assignment);
        _assignments[name] = (entry, target, resource);
        return resource;
    }

    private static SortedSet<(string Address, int Port)> AddressesOf(Entry entry, int port)
    {
        var servicePort = entry.Service?.Ports.FirstOrDefault(p => p.Port == port && IsTcp(p.Protocol));
        var found = new SortedSet<(string, int)>();
        if (entry.Slices.Count > 0)
        {
            foreach (var slice in entry.Slices)
            {
                if (PortOf(slice.Ports, entry.Service, servicePort, port) is not { } number)
                    continue;
                foreach (var endpoint in slice.Endpoints)
                    if (endpoint.Ready != false && endpoint.Addresses.Count > 0 && IPAddress.TryParse(endpoint.Addresses[0], out _))
                        found.Add((endpoint.Addresses[0], number));
            }

            return found;
        }

        foreach (var subset in entry.Endpoints?.Subsets ?? ValueList<EndpointSubset>.Empty)
        {
            if (PortOf(subset.Ports, entry.Service, servicePort, port) is not { } number)
                continue;
            foreach (var address in subset.Addresses)
                if (IPAddress.TryParse(address, out _))
                    found.Add((address, number));
        }

        return found;
    }

    /// <summary>
    /// By the number the Service targets, by the name it targets, by the port's name, or the only one (SPEC 8.2): of a Service with several ports, the only
    /// port of some endpoints belongs to one of them, and must not be reached by another.
    /// </summary>
    private static int? PortOf(ValueList<EndpointPort> ports, ServiceResource? of, ServicePort? service, int asked)
    {
        foreach (var port in ports)
        {
            if (!IsTcp(port.Protocol) || port.Port is not { } number)
                continue;
            if (service is null)
            {
                if (number == asked)
                    return number;
                continue;
            }

            var named = string.IsNullOrEmpty(port.Name) ? null : port.Name;
            if (service.Name is { Length: > 0 } name ? named == name : named is null)
                return number;
            if (service.TargetPortNumber == number || (named is not null && service.TargetPortName == named))
                return number;
        }

        var isOnly = of is null || (service is not null && of.Ports.Count == 1);
        return isOnly && ports is [{ Port: { } only, Protocol: var protocol }] && IsTcp(protocol) ? only : null;
    }

    private static bool IsTcp(string? protocol) => protocol is null or "" or "TCP";

    private sealed class Entry
    {
        public static Entry Empty { get; } = new();

        public ServiceResource? Service { get; set; }

        public EndpointsResource? Endpoints { get; set; }

        public List<EndpointSliceResource> Slices { get; } = [];

        public bool IsSame(Entry other) =>
            ReferenceEquals(Service, other.Service) && ReferenceEquals(Endpoints, other.Endpoints)
                && Slices.SequenceEqual(other.Slices, ReferenceEqualityComparer.Instance);
    }
}
