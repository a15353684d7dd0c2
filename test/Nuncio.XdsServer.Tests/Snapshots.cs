using System.Collections.Frozen;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Nuncio.XdsServer.Tests;

/// <summary>Small snapshots: resources by name, with a number that stands for their content.</summary>
internal sealed record Snapshots
{
    public const string ClusterType = "type.googleapis.com/envoy.config.cluster.v3.Cluster";
    public const string EndpointType = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment";
    public const string ListenerType = "type.googleapis.com/envoy.config.listener.v3.Listener";
    public const string RouteType = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration";
    public const string SecretType = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";
    public const string RuntimeType = "type.googleapis.com/envoy.service.runtime.v3.Runtime";

    public long Revision { get; init; } = 1;

    public Dictionary<string, int> Clusters { get; init; } = [];

    public Dictionary<string, int> Endpoints { get; init; } = [];

    public Dictionary<string, int> Listeners { get; init; } = [];

    public Dictionary<string, int> Routes { get; init; } = [];

    public Dictionary<string, int> Secrets { get; init; } = [];

    public XdsSnapshot Build() => new()
    {
        Revision = Revision,
        Clusters = Table(Clusters, (name, content) => new Cluster
        {
            Name = name,
            ConnectTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(content)),
            Type = Endpoints.ContainsKey(name) ? Cluster.Types.DiscoveryType.Eds : Cluster.Types.DiscoveryType.Static,
        }),
        Endpoints = Table(Endpoints, (name, content) => new ClusterLoadAssignment
        {
            ClusterName = name, Policy = new ClusterLoadAssignment.Types.Policy { OverprovisioningFactor = (uint)content },
        }),
        Listeners = Table(
            Listeners,
            (name, content) => new Listener { Name = name, PerConnectionBufferLimitBytes = (uint)content, FilterChains = { Routes.Keys.Select(Chain) } }),
        Secrets = Table(Secrets, (name, content) => new Secret
        {
            Name = name, TlsCertificate = new TlsCertificate { CertificateChain = new DataSource { InlineBytes = ByteString.CopyFromUtf8($"certificate {content}") } },
        }),
        RouteConfigurations = Table(Routes, (name, content) => new RouteConfiguration { Name = name, InternalOnlyHeaders = { $"x-{content}" } }),
    };

    private static FilterChain Chain(string routes) => new()
    {
        Filters = { new Filter { Name = "http", TypedConfig = Any.Pack(new HttpConnectionManager { Rds = new Rds { RouteConfigName = routes } }) } },
    };

    private static FrozenDictionary<string, XdsResource<T>> Table<T>(Dictionary<string, int> contents, Func<string, int, T> create)
        where T : class, IMessage =>
        contents.ToFrozenDictionary(pair => pair.Key, pair => XdsResource<T>.Create(pair.Key, create(pair.Key, pair.Value)));
}
