using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Nuncio.Compiler.Association;
using Nuncio.Compiler.Emitting;
using Nuncio.Compiler.HttpFilters;
using Nuncio.Compiler.Tcp;
using Nuncio.Compiler.Tls;
using ProxyProtocolFilter = Envoy.Extensions.Filters.Listener.ProxyProtocol.V3.ProxyProtocol;
using QuicTransport = Envoy.Extensions.TransportSockets.Quic.V3.QuicDownstreamTransport;
using TcpProxyFilter = Envoy.Extensions.Filters.Network.TcpProxy.V3.TcpProxy;
using TlsInspectorFilter = Envoy.Extensions.Filters.Listener.TlsInspector.V3.TlsInspector;

namespace Nuncio.Compiler.Listeners;

/// <summary>Plans to Envoy's listeners: one filter chain for each TLS server name, one for connections without TLS (SPEC 5.3, 5.4, 7).</summary>
internal static class ListenerEmitter
{
    private const string HttpConnectionManagerName = "envoy.filters.network.http_connection_manager";
    private const string ProxyProtocolName = "envoy.filters.listener.proxy_protocol";
    private const string TlsInspectorName = "envoy.filters.listener.tls_inspector";
    private const string TcpProxyName = "envoy.filters.network.tcp_proxy";

    /// <summary>The listener; without filter chains when nothing belongs to it.</summary>
    public static ListenerV3.Listener Emit(ListenerPlan plan, RouteScopePlan scope, IReadOnlyList<TcpGroupPlan> tcp, HttpSettingsPlan http)
    {
        var listener = new ListenerV3.Listener
        {
            Name = plan.Name,
            Address = new CoreV3.Address
            {
                SocketAddress = new CoreV3.SocketAddress
                {
                    Protocol = plan.IsUdp ? CoreV3.SocketAddress.Types.Protocol.Udp : CoreV3.SocketAddress.Types.Protocol.Tcp,
                    Address = plan.Address,
                    PortValue = (uint)plan.Port,
                },
            },
            TrafficDirection = http.IsTraced && plan.HasHttp ? CoreV3.TrafficDirection.Outbound : CoreV3.TrafficDirection.Unspecified,
            PerConnectionBufferLimitBytes = http.BufferLimitBytes,
        };
        if (plan.IsUdp) listener.UdpListenerConfig = new ListenerV3.UdpListenerConfig { QuicOptions = new ListenerV3.QuicProtocolOptions() };
        if (plan.HasHttp && http.HeaderCase.Count > 0)
        {
            var spelling = new Struct();
            foreach (var name in http.HeaderCase) spelling.Fields[name.ToLowerInvariant()] = Value.ForString(name);
            listener.Metadata = new CoreV3.Metadata { FilterMetadata = { [HttpSettingsPlan.HeaderCaseMetadata] = spelling } };
        }
        foreach (var group in tcp) listener.FilterChains.Add(Tcp(plan, group));
        if (plan.HasHttp) AddHttp(listener, plan, scope, tcp, http);
        AddListenerFilters(listener, plan);
        return listener;
    }

    /// <summary>
    /// The PROXY header comes before everything, TLS included; Emissary puts the TLS inspector first where the stack does, which then sees the header.
    /// </summary>
    private static void AddListenerFilters(ListenerV3.Listener listener, ListenerPlan plan)
    {
        if (plan.HasProxyProtocol) Add(ProxyProtocolName, new ProxyProtocolFilter());
        var readsTls = plan.HasTls || listener.FilterChains.Any(chain => chain.TransportSocket is not null);
        if (readsTls && !plan.IsUdp) Add(TlsInspectorName, new TlsInspectorFilter());

        void Add(string name, IMessage config) =>
            listener.ListenerFilters.Add(new ListenerV3.ListenerFilter { Name = name, TypedConfig = RouteMessages.Pack(config) });
    }

    private static ListenerV3.FilterChain Tcp(ListenerPlan plan, TcpGroupPlan group)
    {
        var proxy = new TcpProxyFilter { StatPrefix = plan.StatPrefix };
        if (group.Targets.Length == 1)
        {
            proxy.Cluster = group.Targets[0].Cluster;
        }
        else
        {
            proxy.WeightedClusters = new TcpProxyFilter.Types.WeightedCluster();
            foreach (var (cluster, weight) in group.Targets)
            {
                proxy.WeightedClusters.Clusters.Add(new TcpProxyFilter.Types.WeightedCluster.Types.ClusterWeight { Name = cluster, Weight = weight });
            }
        }
        if (group.IdleTimeoutMs is { } idle) proxy.IdleTimeout = RouteMessages.Milliseconds(idle);
        var chain = new ListenerV3.FilterChain
        {
            Name = "tcp/" + (group.Host ?? "*"),
            FilterChainMatch = new ListenerV3.FilterChainMatch(),
            Filters = { new ListenerV3.Filter { Name = TcpProxyName, TypedConfig = RouteMessages.Pack(proxy) } },
        };
        if (group.Tls is { } tls)
        {
            AddServerName(chain.FilterChainMatch, group.Host!, "tls");
            chain.TransportSocket = TlsContextEmitter.DownstreamSocket(tls);
        }
        return chain;
    }

    private static void AddHttp(ListenerV3.Listener listener, ListenerPlan plan, RouteScopePlan scope, IReadOnlyList<TcpGroupPlan> tcp, HttpSettingsPlan http)
    {
        var manager = Manager(plan, http);
        if (!plan.IsUdp && !tcp.Any(group => group.Host is null) && scope.Cleartext is { Hosts.IsEmpty: false } or { Refused.IsEmpty: false })
        {
            listener.FilterChains.Add(new ListenerV3.FilterChain
            {
                Name = "http",
                FilterChainMatch = new ListenerV3.FilterChainMatch(),
                Filters = { Http(manager, scope.Cleartext.Name) },
            });
        }
        if (!plan.HasTls) return;
        foreach (var chain in scope.Chains)
        {
            if (tcp.Any(group => group.Host == chain.ServerName)) continue;
            var match = new ListenerV3.FilterChainMatch();
            AddServerName(match, chain.ServerName, plan.IsUdp ? "quic" : "tls");
            listener.FilterChains.Add(new ListenerV3.FilterChain
            {
                Name = "https/" + chain.ServerName,
                FilterChainMatch = match,
                TransportSocket = plan.IsUdp ? Quic(chain.Tls) : TlsContextEmitter.DownstreamSocket(chain.Tls),
                Filters = { Http(manager, chain.Table.Name) },
            });
        }
    }

    /// <summary>Any name is no condition at all: Envoy does not know <c>*</c>.</summary>
    private static void AddServerName(ListenerV3.FilterChainMatch match, string serverName, string transportProtocol)
    {
        match.TransportProtocol = transportProtocol;
        if (serverName != "*") match.ServerNames.Add(serverName);
    }

    private static HcmV3.HttpConnectionManager Manager(ListenerPlan plan, HttpSettingsPlan http)
    {
        var manager = http.Template.Clone();
        manager.StatPrefix = plan.StatPrefix;
        manager.XffNumTrustedHops = (uint)plan.TrustedHops;
        if (plan.Http2MaxConcurrentStreams is { } streams) manager.Http2ProtocolOptions = new CoreV3.Http2ProtocolOptions { MaxConcurrentStreams = streams };
        if (plan.IsUdp || plan.AnnouncesHttp3) manager.Http3ProtocolOptions = new CoreV3.Http3ProtocolOptions();
        if (plan.IsUdp) manager.CodecType = HcmV3.HttpConnectionManager.Types.CodecType.Http3;
        return manager;
    }

    private static ListenerV3.Filter Http(HcmV3.HttpConnectionManager manager, string routes)
    {
        manager.Rds = new HcmV3.Rds { ConfigSource = XdsSources.Ads(), RouteConfigName = routes };
        return new ListenerV3.Filter { Name = HttpConnectionManagerName, TypedConfig = RouteMessages.Pack(manager) };
    }

    private static CoreV3.TransportSocket Quic(TlsContextPlan tls) => new()
    {
        Name = "envoy.transport_sockets.quic",
        TypedConfig = RouteMessages.Pack(new QuicTransport { DownstreamTlsContext = TlsContextEmitter.Downstream(tls) }),
    };
}
