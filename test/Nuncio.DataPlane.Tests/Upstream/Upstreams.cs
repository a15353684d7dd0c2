using Nuncio.DataPlane.Binding;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Telemetry;
using Nuncio.DataPlane.Time;
using Nuncio.DataPlane.Transport;
using Nuncio.DataPlane.Upstream;
using Nuncio.Xds;

namespace Nuncio.DataPlane.Tests.Upstream;

/// <summary>Clusters for tests, bound from messages as in production.</summary>
internal sealed class Upstreams : IDisposable
{
    private readonly TimerService _timers;
    private readonly NameDirectory _names;
    private long _revision;

    public Upstreams(TimeProvider? time = null, NameResolver? resolver = null, TransportConnector? transports = null)
    {
        time ??= TimeProvider.System;
        _timers = new TimerService(time);
        var connector = transports ?? new SocketConnector(time);
        _names = new NameDirectory(_timers, resolver ?? new SystemNameResolver(time));
        Environment = new UpstreamEnvironment
        {
            Timers = _timers,
            Metrics = new MetricsRegistry(),
            Connections = new ClientConnector(connector, time),
            Transports = connector,
            Names = _names,
        };
        Table = new ClusterTable(Environment);
    }

    public UpstreamEnvironment Environment { get; }

    public ClusterTable Table { get; }

    public List<RefusedCluster> Refused { get; } = [];

    public static ClusterV3.Cluster Cluster(string name, params (string Host, int Port)[] endpoints)
    {
        var locality = new EndpointV3.LocalityLbEndpoints();
        foreach (var (host, port) in endpoints)
        {
            locality.LbEndpoints.Add(Endpoint(host, port));
        }

        return new ClusterV3.Cluster
        {
            Name = name,
            Type = ClusterV3.Cluster.Types.DiscoveryType.Static,
            LoadAssignment = new EndpointV3.ClusterLoadAssignment { ClusterName = name, Endpoints = { locality } },
        };
    }

    public static EndpointV3.LbEndpoint Endpoint(string host, int port, uint? weight = null) => new()
    {
        Endpoint = new EndpointV3.Endpoint
        {
            Address = new CoreV3.Address { SocketAddress = new CoreV3.SocketAddress { Address = host, PortValue = (uint)port } },
        },
        LoadBalancingWeight = weight,
    };

    public void Apply(params ClusterV3.Cluster[] clusters)
    {
        var snapshot = new XdsSnapshot
        {
            Revision = ++_revision,
            Clusters = System.Collections.Frozen.FrozenDictionary.ToFrozenDictionary(
                clusters.Select(c => XdsResource<ClusterV3.Cluster>.Create(c.Name, c)), r => r.Name),
        };
        Refused.Clear();
        var plan = Table.Prepare(snapshot, new ClusterBinder((_, _, _) => null), Refused);
        Table.Commit(plan);
        Table.Trim(plan);
    }

    public long? Metric(string name, string cluster) => Environment.Metrics.Find(name, MetricLabels.Of("envoy_cluster_name", cluster));

    public void Dispose()
    {
        _names.Dispose();
        _timers.Dispose();
    }
}
