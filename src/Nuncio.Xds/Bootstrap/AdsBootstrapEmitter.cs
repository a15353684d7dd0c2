using Envoy.Config.Bootstrap.V3;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Envoy.Type.Matcher.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using BootstrapMessage = Envoy.Config.Bootstrap.V3.Bootstrap;
using UpstreamHttpOptions = Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions;

namespace Nuncio.Xds.Bootstrap;

/// <summary>The bootstrap of an Envoy that gets everything else over incremental ADS.</summary>
public static class AdsBootstrapEmitter
{
    /// <summary>The name of the one runtime layer that is served (RTDS).</summary>
    public const string RuntimeResource = "nuncio";

    private const string ControlPlaneCluster = "nuncio_xds";

    /// <summary>The bootstrap. It holds no secret.</summary>
    public static BootstrapMessage Emit(AdsBootstrapOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var bootstrap = new BootstrapMessage
        {
            Node = new Node { Id = options.NodeId, Cluster = options.NodeCluster },
            StaticResources = new BootstrapMessage.Types.StaticResources { Clusters = { ControlPlane(options) } },
            DynamicResources = new BootstrapMessage.Types.DynamicResources
            {
                AdsConfig = new ApiConfigSource
                {
                    ApiType = ApiConfigSource.Types.ApiType.DeltaGrpc,
                    TransportApiVersion = ApiVersion.V3,
                    SetNodeOnFirstMessageOnly = true,
                    GrpcServices = { new GrpcService { EnvoyGrpc = new GrpcService.Types.EnvoyGrpc { ClusterName = ControlPlaneCluster } } },
                },
                CdsConfig = Ads(),
                LdsConfig = Ads(),
            },
            LayeredRuntime = new LayeredRuntime
            {
                Layers =
                {
                    new RuntimeLayer { Name = RuntimeResource, RtdsLayer = new RuntimeLayer.Types.RtdsLayer { Name = RuntimeResource, RtdsConfig = Ads() } },
                },
            },
        };
        if (options.AdminAddress is { } address)
            bootstrap.Admin = new Admin { Address = new Address { SocketAddress = new SocketAddress { Address = address, PortValue = options.AdminPort } } };
        return bootstrap;
    }

    private static ConfigSource Ads() => new() { Ads = new AggregatedConfigSource(), ResourceApiVersion = ApiVersion.V3 };

    private static Cluster ControlPlane(AdsBootstrapOptions options)
    {
        var address = options.SocketPath is { } path
            ? new Address { Pipe = new Pipe { Path = path } }
            : new Address { SocketAddress = new SocketAddress { Address = options.Host, PortValue = options.Port } };
        var isName = options.SocketPath is null && !System.Net.IPAddress.TryParse(options.Host, out _);
        var cluster = new Cluster
        {
            Name = ControlPlaneCluster,
            Type = isName ? Cluster.Types.DiscoveryType.StrictDns : Cluster.Types.DiscoveryType.Static,
            ConnectTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(5)),
            LoadAssignment = new ClusterLoadAssignment
            {
                ClusterName = ControlPlaneCluster,
                Endpoints = { new LocalityLbEndpoints { LbEndpoints = { new LbEndpoint { Endpoint = new Endpoint { Address = address } } } } },
            },
            TypedExtensionProtocolOptions =
            {
                ["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"] = Pack(new UpstreamHttpOptions
                {
                    ExplicitHttpConfig = new UpstreamHttpOptions.Types.ExplicitHttpConfig
                    {
                        // A control plane that is lost without a word must be noticed.
                        Http2ProtocolOptions = new Http2ProtocolOptions
                        {
                            ConnectionKeepalive = new KeepaliveSettings
                            {
                                Interval = Duration.FromTimeSpan(TimeSpan.FromSeconds(30)),
                                Timeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(10)),
                            },
                        },
                    },
                }),
            },
        };
        if (options.Tls is { } tls) cluster.TransportSocket = new TransportSocket { Name = "envoy.transport_sockets.tls", TypedConfig = Pack(Tls(tls)) };
        return cluster;
    }

    private static UpstreamTlsContext Tls(AdsTlsOptions tls) => new()
    {
        Sni = tls.ServerName,
        CommonTlsContext = new CommonTlsContext
        {
            AlpnProtocols = { "h2" },
            TlsParams = new TlsParameters
            {
                TlsMinimumProtocolVersion = TlsParameters.Types.TlsProtocol.Tlsv12,
                TlsMaximumProtocolVersion = TlsParameters.Types.TlsProtocol.Tlsv13,
            },
            TlsCertificates = { new TlsCertificate
            {
                CertificateChain = new DataSource { Filename = tls.Certificate },
                PrivateKey = new DataSource { Filename = tls.PrivateKey },
            } },
            ValidationContext = new CertificateValidationContext
            {
                TrustedCa = new DataSource { Filename = tls.Authorities },
                MatchTypedSubjectAltNames =
                {
                    new SubjectAltNameMatcher { SanType = SanTypeOf(tls.ServerName), Matcher = new StringMatcher { Exact = tls.ServerName } },
                },
            },
        },
    };

    private static SubjectAltNameMatcher.Types.SanType SanTypeOf(string name) =>
        System.Net.IPAddress.TryParse(name, out _) ? SubjectAltNameMatcher.Types.SanType.IpAddress : SubjectAltNameMatcher.Types.SanType.Dns;

    private static Any Pack(IMessage message) => new()
    {
        TypeUrl = XdsTypeRegistry.TypeUrlOf(message.Descriptor),
        Value = UnsafeByteOperations.UnsafeWrap(XdsBytes.Serialize(message)),
    };
}
