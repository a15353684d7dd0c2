using System.Collections.Frozen;
using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Network.TcpProxy.V3;
using Google.Protobuf.WellKnownTypes;
using Nuncio.XdsServer.Clients;
using static Nuncio.XdsServer.Tests.Snapshots;

namespace Nuncio.XdsServer.Tests;

/// <summary>What a client is decides what it is sent, and what is said of it.</summary>
public sealed class ClientVersionTests
{
    [Fact]
    public void Table_NamesFieldsOfTheContract()
    {
        foreach (var (message, field) in EnvoyFields.All)
        {
            var descriptor = XdsTypeRegistry.Find(message).ShouldNotBeNull(message);
            descriptor.FindFieldByName(field).ShouldNotBeNull($"{message}.{field}");
        }
    }

    [Fact]
    public async Task FieldsThatAreTooYoung_AreLeftOut_AndReported()
    {
        await using var fixture = await AdsFixture.StartAsync();
        await fixture.Server.ApplyAsync(Snapshot(), CancellationToken.None);
        await using var peer = await fixture.DeltaAsync();

        await peer.SubscribeAsync(ListenerType, version: "1.36");
        var listener = Listener.Parser.ParseFrom((await peer.TakeAsync()).Resources[0].Resource_.Value);
        await peer.SubscribeAsync(RouteType, ["r"]);
        var routes = RouteConfiguration.Parser.ParseFrom((await peer.TakeAsync()).Resources[0].Resource_.Value);

        listener.TcpKeepalive.ShouldBeNull();
        listener.StatPrefix.ShouldBe("kept");
        var proxy = listener.FilterChains[0].Filters[0].TypedConfig.Unpack<TcpProxy>();
        proxy.MaxEarlyDataBytes.ShouldBeNull();
        proxy.StatPrefix.ShouldBe("kept");
        routes.VirtualHosts[0].Routes[1].Tracing.Operation.ShouldBeEmpty();
        await Until.TrueAsync(() => fixture.Server.Acks.Rejections.Length == 3);
        fixture.Server.Acks.Rejections.ShouldAllBe(rejection => rejection.IsPartial);
        fixture.Server.Acks.Rejections.Select(rejection => rejection.FieldPath).Order().ShouldBe(
            ["filter_chains[0].filters[0].typed_config.max_early_data_bytes", "tcp_keepalive", "virtual_hosts[0].routes[1].tracing.operation"]);
    }

    [Fact]
    public async Task RouteThatLosesACondition_AnswersAnError()
    {
        await using var fixture = await AdsFixture.StartAsync();
        var match = new RouteMatch { Prefix = "/", Cookies = { new CookieMatcher { Name = "session" } } };
        var message = new RouteConfiguration { Name = "r", VirtualHosts = { new VirtualHost { Name = "h", Routes = { new Route { Match = match, Route_ = new RouteAction { Cluster = "c" } } } } } };
        await fixture.Server.ApplyAsync(
            new XdsSnapshot { Revision = 1, RouteConfigurations = new[] { XdsResource<RouteConfiguration>.Create("r", message) }.ToFrozenDictionary(resource => resource.Name) },
            CancellationToken.None);
        await using var peer = await fixture.DeltaAsync();

        await peer.SubscribeAsync(RouteType, ["r"], version: "1.36");

        var route = RouteConfiguration.Parser.ParseFrom((await peer.TakeAsync()).Resources[0].Resource_.Value).VirtualHosts[0].Routes[0];
        route.Match.Cookies.ShouldBeEmpty();
        route.DirectResponse.Status.ShouldBe(500u);
    }

    [Fact]
    public async Task NewEnvoy_GetsThem()
    {
        await using var fixture = await AdsFixture.StartAsync();
        await fixture.Server.ApplyAsync(Snapshot(), CancellationToken.None);
        await using var peer = await fixture.DeltaAsync();

        await peer.SubscribeAsync(ListenerType, version: "1.40");

        Listener.Parser.ParseFrom((await peer.TakeAsync()).Resources[0].Resource_.Value).TcpKeepalive.ShouldNotBeNull();
        fixture.Server.Acks.Rejections.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("1.36", false)]
    [InlineData("1.41", false)]
    [InlineData("1.35", true)]
    [InlineData(null, true)]
    public async Task Client_ThatIsOldOrUnknown_IsReported(string? version, bool isReported)
    {
        await using var fixture = await AdsFixture.StartAsync();
        await fixture.PublishAsync(new Snapshots { Clusters = { ["a"] = 1 } });
        await using var peer = await fixture.DeltaAsync();

        await peer.SubscribeAsync(ClusterType, version: version);
        await peer.TakeAsync();

        await Until.TrueAsync(() => fixture.Server.Acks.Clients.Count == 1);
        var rejections = fixture.Server.Acks.Rejections;
        rejections.Length.ShouldBe(isReported ? 1 : 0);
        if (isReported) rejections[0].ShouldSatisfyAllConditions(it => it.Name.ShouldBe("peer"), it => it.TypeUrl.ShouldEndWith(".Node"), it => it.IsPartial.ShouldBeTrue());
    }

    private static XdsSnapshot Snapshot()
    {
        var listener = new Listener
        {
            Name = "l",
            StatPrefix = "kept",
            TcpKeepalive = new Envoy.Config.Core.V3.TcpKeepalive { KeepaliveTime = 5 },
            FilterChains =
            {
                new FilterChain { Filters = { new Filter { Name = "tcp", TypedConfig = Any.Pack(new TcpProxy { StatPrefix = "kept", MaxEarlyDataBytes = 7 }) } } },
            },
        };
        var routes = new RouteConfiguration
        {
            Name = "r",
            VirtualHosts = { new VirtualHost { Name = "h", Routes = { new Route { Name = "0" }, new Route { Name = "1", Tracing = new Tracing { Operation = "x" } } } } },
        };
        return new XdsSnapshot
        {
            Revision = 1,
            Listeners = new[] { XdsResource<Listener>.Create("l", listener) }.ToFrozenDictionary(resource => resource.Name),
            RouteConfigurations = new[] { XdsResource<RouteConfiguration>.Create("r", routes) }.ToFrozenDictionary(resource => resource.Name),
        };
    }
}
