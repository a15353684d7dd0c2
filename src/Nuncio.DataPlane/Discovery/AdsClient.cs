using System.Collections.Frozen;
using System.Runtime.CompilerServices;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Envoy.Service.Discovery.V3;
using Microsoft.Extensions.Logging;
using Nuncio.Grpc;
using Nuncio.Grpc.Client;
using Nuncio.Xds;
using Nuncio.Xds.Bootstrap;

namespace Nuncio.DataPlane.Discovery;

/// <summary>
/// Feeds a data plane from a control plane over incremental ADS, as Envoy does it: everything of LDS and CDS, and of the rest what these name. Goes on with
/// what it has while the control plane is away. A listener takes effect when its routes and keys are there; until then the one before it serves.
/// </summary>
public sealed partial class AdsClient(GrpcClient client, IXdsSnapshotSink sink, AdsClientOptions options, TimeProvider time, ILogger<AdsClient> logger)
{
    private static readonly GrpcMethod<DeltaDiscoveryRequest, DeltaDiscoveryResponse> Method =
        new("envoy.service.discovery.v3.AggregatedDiscoveryService", "DeltaAggregatedResources");

    private readonly DiscoveredTable<Envoy.Service.Runtime.V3.Runtime> _runtime = new();
    private readonly DiscoveredTable<Cluster> _clusters = new();
    private readonly DiscoveredTable<ClusterLoadAssignment> _endpoints = new();
    private readonly DiscoveredTable<Secret> _secrets = new();
    private readonly DiscoveredTable<Listener> _listeners = new();
    private readonly DiscoveredTable<RouteConfiguration> _routes = new();
    private readonly VirtualHostTable _hosts = new();
    private readonly ConditionalWeakTable<object, References> _references = [];
    private FrozenDictionary<string, XdsResource<Listener>> _applied = FrozenDictionary<string, XdsResource<Listener>>.Empty;
    private HashSet<XdsRejection> _rejections = [];
    private long _revision;
    private bool _asksForHosts;

    /// <summary>Listeners and clusters have come and take effect.</summary>
    public bool IsServing { get; private set; }

    private DiscoveredTable[] Tables => [_runtime, _clusters, _endpoints, _secrets, _listeners, _routes, _hosts];

    /// <summary>Runs until cancelled.</summary>
    public Task RunAsync(CancellationToken cancellation) =>
        new GrpcReconnectingStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse>(client, Method, new GrpcBackOff(), time)
        {
            Lost = (status, wait) => LogLost(status.ToString(), wait.TotalSeconds),
        }.RunAsync(ServeAsync, cancellation);

    private async Task ServeAsync(GrpcDuplexCall<DeltaDiscoveryRequest, DeltaDiscoveryResponse> call, Action healthy, CancellationToken cancellation)
    {
        _runtime.Want([AdsBootstrapEmitter.RuntimeResource]);
        var isFirst = true;
        _asksForHosts = HasDividedRoutes;
        foreach (var table in Tables)
        {
            var isWildcard = table == _clusters || table == _listeners || (table == _hosts && _asksForHosts);
            if (!isWildcard && table.Names.Count == 0) continue;
            var request = new DeltaDiscoveryRequest { TypeUrl = table.TypeUrl, Node = isFirst ? Node() : null };
            isFirst = false;
            request.ResourceNamesSubscribe.AddRange(table.Names);
            foreach (var (name, version) in table.Versions) request.InitialResourceVersions[name] = version;
            await call.WriteAsync(request, cancellation);
        }

        while (await call.ReadAsync(cancellation) is { } response)
        {
            healthy();
            var table = Array.Find(Tables, table => table.TypeUrl == response.TypeUrl);
            var error = table is null ? "Nobody asked for this type." : table.Take(response);
            if (table is not null && error is null)
            {
                foreach (var request in Wants()) await call.WriteAsync(request, cancellation);
                error = await ApplyAsync(table, response, cancellation);
            }

            await call.WriteAsync(
                new DeltaDiscoveryRequest
                {
                    TypeUrl = response.TypeUrl,
                    ResponseNonce = response.Nonce,
                    ErrorDetail = error is null ? null : new Google.Rpc.Status { Code = (int)GrpcStatusCode.InvalidArgument, Message = error },
                },
                cancellation);
        }
    }

    private Node Node() => new()
    {
        Id = options.NodeId,
        Cluster = options.NodeCluster,
        UserAgentName = "nuncio",
        UserAgentVersion = options.Version,
        ClientFeatures = { XdsVirtualHosts.ClientFeature },
    };

    private bool HasDividedRoutes => _routes.Resources.Values.Any(routes => routes.Message.Vhds is not null);

    private List<DeltaDiscoveryRequest> Wants()
    {
        var requests = new List<DeltaDiscoveryRequest>();
        Add(_endpoints.Want(_clusters.Resources.Values.Select(cluster => ReferencesOf(cluster).Endpoints).OfType<string>()));
        Add(_secrets.Want(_clusters.Resources.Values.SelectMany(cluster => ReferencesOf(cluster).Secrets)
            .Concat(_listeners.Resources.Values.Concat(_applied.Values).SelectMany(listener => ReferencesOf(listener).Secrets))));
        var routes = _routes.Want(_listeners.Resources.Values.Concat(_applied.Values).SelectMany(listener => ReferencesOf(listener).Routes));
        Add(routes);
        foreach (var name in (routes?.ResourceNamesUnsubscribe ?? []).Concat(routes?.ResourceNamesSubscribe ?? [])) _hosts.Leave(name);
        if (!_asksForHosts && HasDividedRoutes)
        {
            _asksForHosts = true;
            requests.Add(new DeltaDiscoveryRequest { TypeUrl = _hosts.TypeUrl });
        }

        return requests;

        void Add(DeltaDiscoveryRequest? request)
        {
            if (request is not null) requests.Add(request);
        }
    }

    /// <summary>Makes what is complete take effect; what of the response was refused, or null.</summary>
    private async Task<string?> ApplyAsync(DiscoveredTable table, DeltaDiscoveryResponse response, CancellationToken cancellation)
    {
        var listeners = new Dictionary<string, XdsResource<Listener>>(StringComparer.Ordinal);
        foreach (var listener in _listeners.Resources.Values)
        {
            var references = ReferencesOf(listener);
            if (references.Routes.All(AreRoutesKnown) && references.Secrets.All(_secrets.IsKnown)) listeners.Add(listener.Name, listener);
            else if (_applied.TryGetValue(listener.Name, out var before)) listeners.Add(listener.Name, before);
        }

        if (listeners.Count != _applied.Count
            || listeners.Values.Any(listener => !_applied.TryGetValue(listener.Name, out var before) || !ReferenceEquals(before, listener)))
            _applied = listeners.ToFrozenDictionary(StringComparer.Ordinal);
        var ack = await sink.ApplyAsync(
            new XdsSnapshot
            {
                Revision = ++_revision,
                Listeners = _applied,
                RouteConfigurations = _hosts.Complete(_routes.Resources),
                Clusters = _clusters.Resources,
                Endpoints = _endpoints.Resources,
                Secrets = _secrets.Resources,
                Runtime = _runtime.Resources.GetValueOrDefault(AdsBootstrapEmitter.RuntimeResource)?.Message.Layer,
            },
            cancellation);
        var names = table == _hosts
            ? VirtualHostTable.Concerned(response) : response.Resources.Select(resource => resource.Name).ToHashSet(StringComparer.Ordinal);
        var refused = new List<string>();
        var said = new HashSet<(string, string, string)>();
        foreach (var rejection in ack.Rejections)
        {
            // What is in virtual hosts that came by themselves is no fault of the route configuration.
            if (table != _hosts && rejection.TypeUrl == _routes.TypeUrl && rejection.FieldPath.StartsWith("virtual_hosts[", StringComparison.Ordinal)
                && _routes.Resources.TryGetValue(rejection.Name, out var routes) && routes.Message.Vhds is not null) continue;

            // A listener is tried when its routes and keys are there, long after it came: the control plane cannot be told any more, people can.
            var isAnswer = rejection.TypeUrl == (table == _hosts ? _routes : table).TypeUrl && names.Contains(rejection.Name);
            if (!isAnswer && _rejections.Contains(rejection)) continue;
            if (said.Add((rejection.TypeUrl, rejection.Name, rejection.Message))) Log(rejection);
            if (isAnswer && !rejection.IsPartial) refused.Add($"{rejection.Name}: {rejection.FieldPath}: {rejection.Message}");
        }

        _rejections = [.. ack.Rejections];
        var wasServing = IsServing;
        IsServing = wasServing || (_clusters.IsAnswered && _listeners.IsAnswered && _applied.Count == _listeners.Resources.Count);
        if (IsServing && !wasServing) LogServing(_applied.Keys.Except(RefusedListeners(ack)).Count(), _clusters.Resources.Count);
        return refused.Count == 0 ? null : string.Join('\n', refused);
    }

    private static IEnumerable<string> RefusedListeners(XdsAck ack) => ack.Rejections
        .Where(static rejection => !rejection.IsPartial && rejection.TypeUrl.EndsWith(".Listener", StringComparison.Ordinal))
        .Select(static rejection => rejection.Name);

    private void Log(XdsRejection rejection)
    {
        if (rejection.IsPartial) LogWithoutEffect(rejection.TypeUrl, rejection.Name, rejection.FieldPath, rejection.Message);
        else LogRefused(rejection.TypeUrl, rejection.Name, rejection.FieldPath, rejection.Message);
    }

    private bool AreRoutesKnown(string name) =>
        _routes.Resources.TryGetValue(name, out var routes) && routes.Message.Vhds is not null ? _hosts.IsKnown(name) : _routes.IsKnown(name);

    private References ReferencesOf(XdsResource<Listener> listener) => _references.GetValue(listener.Message, static message =>
        new References([.. XdsReferences.RoutesOf((Listener)message)], [.. XdsReferences.SecretsOf((Listener)message)], null));

    private References ReferencesOf(XdsResource<Cluster> cluster) => _references.GetValue(cluster.Message, static message =>
        new References([], [.. XdsReferences.SecretsOf((Cluster)message)], XdsReferences.EndpointsOf((Cluster)message)));

    [LoggerMessage(1, LogLevel.Warning, "The control plane is lost ({Reason}); what serves goes on, the next attempt is in {Seconds:0.0} s")]
    private partial void LogLost(string reason, double seconds);

    [LoggerMessage(2, LogLevel.Information, "Ready: {Listeners} listeners and {Clusters} clusters from the control plane")]
    private partial void LogServing(int listeners, int clusters);

    [LoggerMessage(3, LogLevel.Error, "Refused: {TypeUrl} {Name}, {FieldPath}: {Reason}")]
    private partial void LogRefused(string typeUrl, string name, string fieldPath, string reason);

    [LoggerMessage(4, LogLevel.Warning, "Without effect: {TypeUrl} {Name}, {FieldPath}: {Reason}")]
    private partial void LogWithoutEffect(string typeUrl, string name, string fieldPath, string reason);

    /// <summary>What a resource names.</summary>
    private sealed record References(string[] Routes, string[] Secrets, string? Endpoints);
}
