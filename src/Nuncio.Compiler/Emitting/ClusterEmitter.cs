using Envoy.Extensions.Upstreams.Http.V3;
using Nuncio.Compiler.Planning;
using Nuncio.Compiler.Resolving;
using Nuncio.Compiler.Validation;

namespace Nuncio.Compiler.Emitting;

/// <summary>A cluster plan as Envoy's message (SPEC 8.3 to 8.7).</summary>
internal static class ClusterEmitter
{
    private const string HttpOptions = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

    public static ClusterV3.Cluster Emit(ClusterPlan plan, UpstreamTarget target, ModulePlan module)
    {
        var upstream = plan.Upstream;
        var cluster = new ClusterV3.Cluster
        {
            Name = plan.Name,
            AltStatName = upstream.StatName,
            ConnectTimeout = RouteMessages.Milliseconds(upstream.ConnectTimeoutMs),
            LbPolicy = upstream.LbPolicy,
        };
        AddDiscovery(cluster, upstream, target);
        AddHttpOptions(cluster, upstream);
        AddBreakers(cluster, upstream.CircuitBreakers);
        AddHealthChecks(cluster, upstream.HealthChecks);
        if (plan.Tls is { } tls)
            cluster.TransportSocket = tls.TransportSocket;
        else if (upstream.OriginateTls)
            cluster.TransportSocket = UnverifiedTls();
        if ((upstream.Keepalive ?? module.Keepalive) is { } keepalive)
            cluster.UpstreamConnectionOptions = new ClusterV3.UpstreamConnectionOptions { TcpKeepalive = Keepalive(keepalive) };
        return cluster;
    }

    /// <summary>One address of a cluster.</summary>
    public static EndpointV3.LbEndpoint Endpoint(string address, int port, string? hostName) => new()
    {
        Endpoint = new EndpointV3.Endpoint
        {
            Address = new CoreV3.Address { SocketAddress = new CoreV3.SocketAddress { Address = address, PortValue = (uint)port } },
            Hostname = hostName ?? "",
        },
    };

    private static void AddDiscovery(ClusterV3.Cluster cluster, UpstreamPlan upstream, UpstreamTarget target)
    {
        if (target.EndpointsName is { } name)
        {
            cluster.Type = ClusterV3.Cluster.Types.DiscoveryType.Eds;
            cluster.EdsClusterConfig = new ClusterV3.Cluster.Types.EdsClusterConfig
            {
                EdsConfig = new CoreV3.ConfigSource { Ads = new CoreV3.AggregatedConfigSource(), ResourceApiVersion = CoreV3.ApiVersion.V3 },
                ServiceName = name,
            };
            return;
        }

        cluster.LoadAssignment = new EndpointV3.ClusterLoadAssignment { ClusterName = cluster.Name };
        if (target.Address.Length == 0)
        {
            cluster.Type = ClusterV3.Cluster.Types.DiscoveryType.Static;
            return;
        }

        cluster.Type = upstream.Discovery == UpstreamDiscovery.LogicalDns
            ? ClusterV3.Cluster.Types.DiscoveryType.LogicalDns
            : ClusterV3.Cluster.Types.DiscoveryType.StrictDns;
        cluster.DnsLookupFamily = upstream.LookupFamily;
        cluster.RespectDnsTtl = upstream.RespectDnsTtl;
        cluster.LoadAssignment.Endpoints.Add(new EndpointV3.LocalityLbEndpoints
        {
            LbEndpoints = { Endpoint(target.Address, target.Port, target.HostName) },
        });
    }

    private static void AddHttpOptions(ClusterV3.Cluster cluster, UpstreamPlan upstream)
    {
        if (!upstream.Http2 && upstream.IdleTimeoutMs is null && upstream.MaxConnectionLifetimeMs is null)
            return;
        var options = new HttpProtocolOptions { ExplicitHttpConfig = new HttpProtocolOptions.Types.ExplicitHttpConfig() };
        if (upstream.Http2)
            options.ExplicitHttpConfig.Http2ProtocolOptions = new CoreV3.Http2ProtocolOptions();
        else
            options.ExplicitHttpConfig.HttpProtocolOptions = new CoreV3.Http1ProtocolOptions();
        if (upstream.IdleTimeoutMs is not null || upstream.MaxConnectionLifetimeMs is not null)
        {
            options.CommonHttpProtocolOptions = new CoreV3.HttpProtocolOptions();
            if (upstream.IdleTimeoutMs is { } idle)
                options.CommonHttpProtocolOptions.IdleTimeout = RouteMessages.Milliseconds(idle);
            if (upstream.MaxConnectionLifetimeMs is { } lifetime)
                options.CommonHttpProtocolOptions.MaxConnectionDuration = RouteMessages.Milliseconds(lifetime);
        }

        cluster.TypedExtensionProtocolOptions[HttpOptions] = RouteMessages.Pack(options);
    }

    private static void AddBreakers(ClusterV3.Cluster cluster, ValueList<CircuitBreakerConfig>? breakers)
    {
        if (breakers is not { Count: > 0 })
            return;
        cluster.CircuitBreakers = new ClusterV3.CircuitBreakers();
        foreach (var breaker in breakers)
        {
            var thresholds = new ClusterV3.CircuitBreakers.Types.Thresholds
            {
                Priority = CircuitBreakerRules.IsHigh(breaker) ? CoreV3.RoutingPriority.High : CoreV3.RoutingPriority.Default,
                MaxConnections = (uint?)breaker.MaxConnections,
                MaxPendingRequests = (uint?)breaker.MaxPendingRequests,
                MaxRequests = (uint?)breaker.MaxRequests,
                MaxRetries = (uint?)breaker.MaxRetries,
            };
            cluster.CircuitBreakers.Thresholds.Add(thresholds);
        }
    }

    private static void AddHealthChecks(ClusterV3.Cluster cluster, ValueList<HealthCheckConfig>? checks)
    {
        foreach (var check in checks ?? ValueList<HealthCheckConfig>.Empty)
        {
            var message = new CoreV3.HealthCheck
            {
                Timeout = RouteMessages.Of(DurationOf(check.Timeout)),
                Interval = RouteMessages.Of(DurationOf(check.Interval)),
                HealthyThreshold = (uint)(check.HealthyThreshold ?? 1),
                UnhealthyThreshold = (uint)(check.UnhealthyThreshold ?? 2),
            };
            if (check.Grpc is { } grpc)
                message.GrpcHealthCheck = new CoreV3.HealthCheck.Types.GrpcHealthCheck { ServiceName = grpc.UpstreamName, Authority = grpc.Authority ?? "" };
            else if (check.Http is { } http)
                message.HttpHealthCheck = HttpCheck(http);
            cluster.HealthChecks.Add(message);
        }
    }

    private static CoreV3.HealthCheck.Types.HttpHealthCheck HttpCheck(HttpHealthCheck config)
    {
        var check = new CoreV3.HealthCheck.Types.HttpHealthCheck { Path = config.Path, Host = config.Hostname ?? "" };
        foreach (var (name, header) in config.AddRequestHeaders ?? ValueMap<AddedHeader>.Empty)
            check.RequestHeadersToAdd.Add(HeaderMessages.Option(name, header));
        check.RequestHeadersToRemove.AddRange(config.RemoveRequestHeaders ?? ValueList<string>.Empty);
        foreach (var range in config.ExpectedStatuses ?? ValueList<StatusRange>.Empty)
            check.ExpectedStatuses.Add(new TypeV3.Int64Range { Start = range.Min, End = range.Max + 1 });
        return check;
    }

    private static TimeSpan DurationOf(string? text) => GoDuration.TryParse(text, out var duration) ? duration : TimeSpan.FromSeconds(5);

    private static CoreV3.TcpKeepalive Keepalive(KeepaliveConfig config) => new()
    {
        KeepaliveTime = (uint?)config.IdleTime,
        KeepaliveInterval = (uint?)config.Interval,
        KeepaliveProbes = (uint?)config.Probes,
    };

    /// <summary>TLS without a context: no client certificate, no verification, no SNI (SPEC 6.3).</summary>
    private static CoreV3.TransportSocket UnverifiedTls() => new()
    {
        Name = "envoy.transport_sockets.tls",
        TypedConfig = RouteMessages.Pack(new TlsV3.UpstreamTlsContext { CommonTlsContext = new TlsV3.CommonTlsContext() }),
    };
}
