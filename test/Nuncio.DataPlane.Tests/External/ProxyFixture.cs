using System.Collections.Frozen;
using System.Net;
using Envoy.Extensions.Filters.Http.Router.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Logging.Abstractions;
using Nuncio.Grpc.Server;
using Nuncio.Testing;
using Nuncio.Testing.Backends;
using Nuncio.Xds;
using HttpOptions = Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions;

namespace Nuncio.DataPlane.Tests.External;

/// <summary>The embedded proxy before a backend that echoes, with services of its own that filters ask.</summary>
internal sealed class ProxyFixture : IAsyncDisposable
{
    private readonly EmbeddedProxy _proxy = new(NullLoggerFactory.Instance, TimeProvider.System);
    private readonly List<IAsyncDisposable> _owned = [];
    private readonly Dictionary<string, XdsResource<ClusterV3.Cluster>> _clusters = [];
    private long _revision;

    public ProxyFixture(WireBackend? backend = null)
    {
        Backend = backend ?? WireBackend.StartEcho();
        _owned.Add(Backend);
        AddCluster("backend", Backend.Port, http2: false);
        Route = new RouteV3.Route { Match = new RouteV3.RouteMatch { Prefix = "/" }, Route_ = new RouteV3.RouteAction { Cluster = "backend" } };
        Host = new RouteV3.VirtualHost { Name = "all", Domains = { "*" }, Routes = { Route } };
    }

    public WireBackend Backend { get; }

    public int Port { get; } = FreePort.Next();

    public RouteV3.Route Route { get; }

    public RouteV3.VirtualHost Host { get; }

    public DataPlane.Telemetry.MetricsRegistry Metrics => _proxy.Metrics;

    public HcmV3.HttpConnectionManager Manager { get; } = new() { StatPrefix = "test", UseRemoteAddress = true };

    public Router Router { get; } = new();

    public void AddFilter(string name, IMessage config) => Manager.HttpFilters.Add(new HcmV3.HttpFilter { Name = name, TypedConfig = Any.Pack(config) });

    public void AddCluster(string name, int port, bool http2)
    {
        var endpoint = new EndpointV3.LbEndpoint
        {
            Endpoint = new EndpointV3.Endpoint
            {
                Address = new CoreV3.Address { SocketAddress = new CoreV3.SocketAddress { Address = "127.0.0.1", PortValue = (uint)port } },
            },
        };
        var cluster = new ClusterV3.Cluster
        {
            Name = name,
            Type = ClusterV3.Cluster.Types.DiscoveryType.Static,
            LoadAssignment = new EndpointV3.ClusterLoadAssignment
            {
                ClusterName = name,
                Endpoints = { new EndpointV3.LocalityLbEndpoints { LbEndpoints = { endpoint } } },
            },
        };
        if (http2)
        {
            var options = new HttpOptions
            {
                ExplicitHttpConfig = new HttpOptions.Types.ExplicitHttpConfig { Http2ProtocolOptions = new CoreV3.Http2ProtocolOptions() },
            };
            cluster.TypedExtensionProtocolOptions["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"] = Any.Pack(options);
        }

        _clusters[name] = XdsResource<ClusterV3.Cluster>.Create(name, cluster);
    }

    /// <summary>A gRPC server behind a cluster of that name.</summary>
    public async Task AddGrpcAsync(string name, GrpcServiceTable methods)
    {
        var server = await GrpcServer.StartAsync(
            new GrpcServerOptions { Address = new IPEndPoint(IPAddress.Loopback, 0) }, methods, NullLoggerFactory.Instance);
        _owned.Add(server);
        AddCluster(name, server.Port, http2: true);
    }

    /// <summary>An HTTP/1.1 server behind a cluster of that name.</summary>
    public WireBackend AddHttp(string name, Func<BackendRequest, string> answer)
    {
        var server = WireBackend.Start(answer);
        _owned.Add(server);
        AddCluster(name, server.Port, http2: false);
        return server;
    }

    public static CoreV3.GrpcService Service(string cluster, double seconds = 60) => new()
    {
        EnvoyGrpc = new CoreV3.GrpcService.Types.EnvoyGrpc { ClusterName = cluster },
        Timeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(seconds)),
    };

    /// <summary>Log streams and trace drivers that the configuration in effect has.</summary>
    public (int Loggers, int Drivers) Services => _proxy.Http.Services;

    /// <summary>Puts what has been added into effect; again for what has been changed.</summary>
    public async Task StartAsync()
    {
        if (_revision == 0) AddFilter("envoy.filters.http.router", Router);
        Manager.RouteConfig = new RouteV3.RouteConfiguration { Name = "routes", VirtualHosts = { Host } };
        var listener = new ListenerV3.Listener
        {
            Name = "test",
            Address = new CoreV3.Address { SocketAddress = new CoreV3.SocketAddress { Address = "127.0.0.1", PortValue = (uint)Port } },
            FilterChains =
            {
                new ListenerV3.FilterChain
                {
                    Filters = { new ListenerV3.Filter { Name = "envoy.filters.network.http_connection_manager", TypedConfig = Any.Pack(Manager) } },
                },
            },
        };
        var snapshot = new XdsSnapshot
        {
            Revision = ++_revision,
            Clusters = _clusters.ToFrozenDictionary(),
            Listeners = new Dictionary<string, XdsResource<ListenerV3.Listener>>
            {
                ["test"] = XdsResource<ListenerV3.Listener>.Create("test", listener),
            }.ToFrozenDictionary(),
        };
        var ack = await _proxy.ApplyAsync(snapshot, CancellationToken.None);
        ack.Rejections.Select(rejection => $"{rejection.FieldPath}: {rejection.Message}").ShouldBeEmpty();
    }

    /// <summary>One request on a connection of its own.</summary>
    public async Task<WireResponse> SendAsync(string method = "GET", string target = "/x", string headers = "", string body = "")
    {
        await using var client = await WireClient.ConnectAsync(Port);
        return await client.SendAsync(method, target, "a.example", headers, body);
    }

    public async ValueTask DisposeAsync()
    {
        await _proxy.DisposeAsync();
        foreach (var owned in _owned)
        {
            await owned.DisposeAsync();
        }
    }
}
