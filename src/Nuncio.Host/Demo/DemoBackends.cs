using System.Collections.Immutable;
using System.Net;
using Microsoft.Extensions.Logging;
using Nuncio.Resources.Core;
using Nuncio.Resources.Findings;
using Nuncio.Resources.Snapshots;

namespace Nuncio.Host.Demo;

/// <summary>
/// Answers for Services that ask for it by the annotation <c>nuncio.dev/demo-backend: quote</c> and have no endpoints of their own, so that the quick start
/// needs neither a cluster nor a second process. Each such Service gets a server on a free loopback port, which enters the snapshot as its Endpoints.
/// </summary>
public sealed class DemoBackends(ILoggerFactory loggers, TimeProvider time) : IAsyncDisposable
{
    /// <summary>The annotation; its only value is <c>quote</c>.</summary>
    public const string Annotation = "nuncio.dev/demo-backend";

    private readonly Dictionary<ResourceKey, (LocalHttpServer Server, EndpointsResource Endpoints)> _servers = [];

    /// <summary>The snapshot with the demo's endpoints in it.</summary>
    public ResourceSnapshot Resolve(ResourceSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        ImmutableArray<EndpointsResource>.Builder? added = null;
        foreach (var service in snapshot.Services)
        {
            if (!service.Annotations.TryGetValue(Annotation, out var kind) || kind != "quote" || HasEndpoints(snapshot, service))
                continue;
            if (EndpointsOf(service) is { } endpoints)
                (added ??= snapshot.Endpoints.ToBuilder()).Add(endpoints);
        }

        if (added is null)
            return snapshot;
        added.Sort((a, b) => string.CompareOrdinal(a.Namespace, b.Namespace) is not 0 and var order ? order : string.CompareOrdinal(a.Name, b.Name));
        return snapshot with { Endpoints = added.ToImmutable() };
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var (server, _) in _servers.Values)
            await server.DisposeAsync();
    }

    private static bool HasEndpoints(ResourceSnapshot snapshot, ServiceResource service)
    {
        foreach (var endpoints in snapshot.Endpoints)
        {
            if (endpoints.Namespace == service.Namespace && endpoints.Name == service.Name)
                return true;
        }

        foreach (var slice in snapshot.EndpointSlices)
        {
            if (slice.Namespace == service.Namespace && slice.Labels.TryGetValue("kubernetes.io/service-name", out var name) && name == service.Name)
                return true;
        }

        return false;
    }

    private EndpointsResource? EndpointsOf(ServiceResource service)
    {
        if (_servers.TryGetValue(service.Key, out var known))
            return known.Endpoints;
        var server = new LocalHttpServer(new IPEndPoint(IPAddress.Loopback, 0), new QuoteProcessor(service.Name, time), loggers, time);
        if (!server.TryStart(out _))
            return null;
        var endpoints = DemoEndpoints.For(service, server.EndPoint!);
        _servers.Add(service.Key, (server, endpoints));
        return endpoints;
    }
}
