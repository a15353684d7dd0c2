using Nuncio.Compiler.Resolving;

namespace Nuncio.Compiler.Tests.Emitting;

public class ClusterPassTests
{
    [Fact]
    public void Names_ThatEmissaryWouldShare_AreDistinct()
    {
        var context = new MappingHalf().Run(Given.Snapshot(
            Given.Mapping("a", "/1/", "foo-bar"),
            Given.Mapping("b", "/2/", "foo.bar"),
            Given.Mapping("c", "/3/", "foo-bar", with: s => s with { ConnectTimeoutMs = 100 }),
            Given.Mapping("d", "/4/", "foo-bar")));
        context.EmittedClusters.Count.ShouldBe(3);
        var clusters = context.Groups.ToDictionary(g => g.First.Key.Name, g => g.Members[0].Cluster!.Name);
        clusters["a"].ShouldBe("cluster_foo_bar_default");
        clusters["d"].ShouldBe(clusters["a"]);
        clusters["b"].ShouldNotBe(clusters["a"]);
        Address(context.EmittedClusters[clusters["b"]].Message).ShouldBe("foo.bar:80");
        context.EmittedClusters[clusters["c"]].Message.ConnectTimeout.ToTimeSpan().ShouldBe(TimeSpan.FromMilliseconds(100));
    }

    [Fact]
    public void Name_TooLong_IsShortenedAsEmissaryDoes()
    {
        var context = new MappingHalf().Run(Given.Snapshot(Given.Mapping("a", service: "a-very-long-service-name-that-goes-on-and-on.some-namespace:8080")));
        context.EmittedClusters.Keys.Single().ShouldMatch("^cluster_a_very_long_service_name_that_go-[0-9A-F]{16}-0$");
    }

    [Fact]
    public void Service_InAnotherNamespace_IsQualified()
    {
        var context = new MappingHalf().Run(Given.Snapshot(Given.Mapping("a", service: "quote", @namespace: "team")));
        var cluster = context.EmittedClusters["cluster_quote_team_team"].Message;
        Address(cluster).ShouldBe("quote.team:80");
        cluster.AltStatName.ShouldBe("quote_team");
    }

    [Theory]
    [InlineData("foo:99999", "invalid-service")]
    [InlineData("", "invalid-service")]
    public void Service_ThatCannotBeUsed_HasNoEndpoint(string service, string code)
    {
        var context = new MappingHalf().Run(Given.Snapshot(Given.Mapping("a", service: service)));
        context.Findings.ToImmutable().Single().Code.ShouldBe(code);
        var cluster = context.EmittedClusters.Values.Single().Message;
        cluster.Type.ShouldBe(ClusterV3.Cluster.Types.DiscoveryType.Static);
        cluster.LoadAssignment.Endpoints.ShouldBeEmpty();
    }

    [Fact]
    public void Tls_ByAContextThatIsNot_HasNoEndpointInsteadOfCleartext()
    {
        var context = new MappingHalf().Run(Given.Snapshot(Given.Mapping("a", with: s => s with { Tls = "missing" })));
        context.Findings.ToImmutable().Single().Code.ShouldBe(FindingCodes.TlsContextNotFound);
        context.EmittedClusters.Values.Single().Message.LoadAssignment.Endpoints.ShouldBeEmpty();
    }

    [Fact]
    public void Consul_NotYetThere_HasNoEndpoint()
    {
        var context = new MappingHalf().Run(Given.Snapshot(Given.Mapping("a", with: s => s with { Resolver = "consul" })));
        context.Findings.ToImmutable().Single().Code.ShouldBe(FindingCodes.NotYetSupported);
        context.EmittedClusters.Values.Single().Message.LoadAssignment.Endpoints.ShouldBeEmpty();
    }

    [Fact]
    public void Https_WithoutPort_OriginatesTlsOn443()
    {
        var cluster = new MappingHalf().Run(
            Given.Snapshot(Given.Mapping("a", service: "https://svc"))).EmittedClusters["cluster_https___svc_otls_default"].Message;
        Address(cluster).ShouldBe("svc:443");
        cluster.TransportSocket.Name.ShouldBe("envoy.transport_sockets.tls");
    }

    [Fact]
    public void Resolve_Override_GoesBeforeEverything()
    {
        var options = CompilerOptions.Default with { Resolve = [new AddressOverride("svc", 80, "127.0.0.1", 9000)] };
        var snapshot = Given.Snapshot(
            Given.Mapping("a"), Given.Mapping("b", "/b/", "svc:81")) with { Endpoints = [SvcEndpoints("10.0.0.1")], Services = [Svc] };
        var context = new MappingHalf(options).Run(snapshot);
        var endpoint = context.EmittedClusters["cluster_svc_default"].Message.LoadAssignment.Endpoints[0].LbEndpoints[0].Endpoint;
        endpoint.Address.SocketAddress.PortValue.ShouldBe(9000u);
        context.EmittedClusters["cluster_svc_81_default"].Message.Type.ShouldBe(ClusterV3.Cluster.Types.DiscoveryType.Eds);
    }

    [Fact]
    public void EndpointResolver_ServiceWithEndpoints_UsesEds()
    {
        var half = new MappingHalf();
        var mapping = Given.Mapping("a", with: s => s with { Resolver = "endpoint" });
        var snapshot = Given.Snapshot(mapping) with { Services = [Svc], Endpoints = [SvcEndpoints("10.0.0.1", "10.0.0.2")] };
        var first = half.Run(snapshot);
        first.EmittedClusters["cluster_svc_default"].Message.EdsClusterConfig.ServiceName.ShouldBe("k8s/default/svc/80");
        Addresses(first).ShouldBe(["10.0.0.1:8080", "10.0.0.2:8080"]);

        var second = half.Run(snapshot with { Endpoints = [SvcEndpoints("10.0.0.3")] });
        Addresses(second).ShouldBe(["10.0.0.3:8080"]);
        second.EmittedClusters["cluster_svc_default"].ShouldBeSameAs(first.EmittedClusters["cluster_svc_default"]);

        static IEnumerable<string> Addresses(CompilerContext context) =>
            context.Endpoints["k8s/default/svc/80"].Message.Endpoints.SelectMany(l => l.LbEndpoints)
                .Select(e => $"{e.Endpoint.Address.SocketAddress.Address}:{e.Endpoint.Address.SocketAddress.PortValue}");
    }

    [Fact]
    public void EndpointResolver_NoSuchService_HasAnEmptyAssignment()
    {
        var context = new MappingHalf().Run(Given.Snapshot(Given.Mapping("a", service: "gone.ns:8080", with: s => s with { Resolver = "endpoint" })));
        context.Endpoints["k8s/ns/gone/8080"].Message.Endpoints.ShouldBeEmpty();
    }

    [Fact]
    public void EndpointSlices_NotReady_AreLeftOut()
    {
        var slice = new EndpointSliceResource
        {
            Key = new ResourceKey(EndpointSliceResource.KindName, "default", "svc-1"),
            Labels = ValueMap.Of((EndpointSliceResource.ServiceNameLabel, "svc")),
            Ports = [new EndpointPort(null, 8080, null)],
            Endpoints = [new SliceEndpoint(["10.0.0.1"], true), new SliceEndpoint(["10.0.0.2"], false), new SliceEndpoint(["10.0.0.3"], null)],
        };
        var context = new MappingHalf().Run(Given.Snapshot(Given.Mapping("a")) with { Services = [Svc], EndpointSlices = [slice] });
        context.Endpoints["dns/svc/80"].Message.Endpoints[0].LbEndpoints.Select(e => e.Endpoint.Address.SocketAddress.Address)
            .ShouldBe(["10.0.0.1", "10.0.0.3"]);
    }

    private static ServiceResource Svc { get; } = new()
    {
        Key = new ResourceKey(ServiceResource.KindName, "default", "svc"),
        Ports = [new ServicePort(null, 80, 8080, null, null, null)],
    };

    private static EndpointsResource SvcEndpoints(params string[] addresses) => new()
    {
        Key = new ResourceKey(EndpointsResource.KindName, "default", "svc"),
        Subsets = [new EndpointSubset(addresses.ToValueList(), [], [new EndpointPort(null, 8080, "TCP")])],
    };

    private static string Address(ClusterV3.Cluster cluster)
    {
        var address = cluster.LoadAssignment.Endpoints[0].LbEndpoints[0].Endpoint.Address.SocketAddress;
        return $"{address.Address}:{address.PortValue}";
    }
}
