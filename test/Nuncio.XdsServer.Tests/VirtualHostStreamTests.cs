using System.Collections.Frozen;
using Envoy.Config.Route.V3;
using static Nuncio.XdsServer.Tests.Snapshots;

namespace Nuncio.XdsServer.Tests;

/// <summary>Virtual hosts one by one (VHDS), to a client that takes them over ADS.</summary>
public sealed class VirtualHostStreamTests
{
    private const string HostType = "type.googleapis.com/envoy.config.route.v3.VirtualHost";

    [Fact]
    public async Task Routes_GoWithoutVirtualHosts_WhichFollowOnceTheyAreTaken()
    {
        await using var fixture = await AdsFixture.StartAsync();
        await fixture.Server.ApplyAsync(Snapshot(1, ("a", 1), ("b", 1)), CancellationToken.None);
        await using var peer = await fixture.DeltaAsync();
        await peer.SubscribeAsync(RouteType, ["x/*/r"], version: "1.40");
        var shell = await peer.ReadAsync();
        await peer.SubscribeAsync(HostType);
        await peer.ShouldBeQuietAsync();

        var routes = RouteConfiguration.Parser.ParseFrom(shell.Resources[0].Resource_.Value);
        routes.VirtualHosts.ShouldBeEmpty();
        routes.Vhds.ConfigSource.Ads.ShouldNotBeNull();
        await peer.AckAsync(shell);

        var hosts = await peer.TakeAsync();
        Names(hosts).ShouldBe(["x/*/r/a", "x/*/r/b"]);

        // Envoy takes a virtual host away by this name.
        hosts.Resources.Select(resource => VirtualHost.Parser.ParseFrom(resource.Resource_.Value).Name).ShouldBe(["x/*/r/a", "x/*/r/b"]);
        await peer.ShouldBeQuietAsync();
    }

    [Theory]
    [InlineData("1.36")]
    [InlineData("1.39")]
    [InlineData(null)]
    public async Task Routes_GoWhole_ToOthers(string? version)
    {
        await using var fixture = await AdsFixture.StartAsync();
        await fixture.Server.ApplyAsync(Snapshot(1, ("a", 1), ("b", 1)), CancellationToken.None);
        await using var peer = await fixture.DeltaAsync();

        await peer.SubscribeAsync(RouteType, ["x/*/r"], version: version);

        RouteConfiguration.Parser.ParseFrom((await peer.TakeAsync()).Resources[0].Resource_.Value).VirtualHosts.Count.ShouldBe(2);
    }

    [Fact]
    public async Task ChangedRoute_SendsItsVirtualHostAlone()
    {
        await using var fixture = await AdsFixture.StartAsync();
        await fixture.Server.ApplyAsync(Snapshot(1, ("a", 1), ("b", 1), ("c", 1)), CancellationToken.None);
        await using var peer = await ConnectAsync(fixture);

        await fixture.Server.ApplyAsync(Snapshot(2, ("a", 1), ("b", 2), ("c", 1)), CancellationToken.None);

        var response = await peer.TakeAsync();
        Names(response).ShouldBe(["x/*/r/b"]);
        response.RemovedResources.ShouldBeEmpty();
        await Until.TrueAsync(() => fixture.Server.Acks.Clients.Single().Revision == 2);
        await peer.ShouldBeQuietAsync();
    }

    [Fact]
    public async Task VirtualHostThatIsGone_AndTheOneThatTakesItsDomain_ComeTogether()
    {
        await using var fixture = await AdsFixture.StartAsync();
        await fixture.Server.ApplyAsync(Snapshot(1, ("a", 1), ("old", 1)), CancellationToken.None);
        await using var peer = await ConnectAsync(fixture);

        await fixture.Server.ApplyAsync(Snapshot(2, ("a", 1), ("new", 1)), CancellationToken.None);

        var response = await peer.TakeAsync();
        Names(response).ShouldBe(["x/*/r/new"]);
        response.RemovedResources.ShouldBe(["x/*/r/old"]);
    }

    [Fact]
    public async Task RoutesWithoutAnyVirtualHost_AreAnswered()
    {
        await using var fixture = await AdsFixture.StartAsync();
        await fixture.Server.ApplyAsync(Snapshot(1), CancellationToken.None);
        await using var peer = await fixture.DeltaAsync();
        await peer.SubscribeAsync(RouteType, ["x/*/r"], version: "1.40");
        await peer.TakeAsync();

        await peer.SubscribeAsync(HostType);

        (await peer.TakeAsync()).RemovedResources.ShouldBe(["x/*/r/none"]);
        await peer.ShouldBeQuietAsync();
    }

    [Fact]
    public async Task Reconnect_SendsWhatChangedMeanwhile()
    {
        await using var fixture = await AdsFixture.StartAsync();
        await fixture.Server.ApplyAsync(Snapshot(1, ("a", 1), ("b", 1), ("gone", 1)), CancellationToken.None);
        var known = new Dictionary<string, Dictionary<string, string>>();
        await using (await ConnectAsync(fixture, known: known))
        {
        }

        await fixture.Server.ApplyAsync(Snapshot(2, ("a", 1), ("b", 2)), CancellationToken.None);
        await using var again = await fixture.DeltaAsync();
        await again.SubscribeAsync(RouteType, ["x/*/r"], known[RouteType], "1.40");
        await again.SubscribeAsync(HostType, known: known[HostType]);

        var response = await again.TakeAsync();
        Names(response).ShouldBe(["x/*/r/b"]);
        response.RemovedResources.ShouldBe(["x/*/r/gone"]);
        await again.ShouldBeQuietAsync();
    }

    [Fact]
    public async Task Reconnect_OfAClientThatHasTheRoutesWhole_LeavesThemWhole()
    {
        await using var fixture = await AdsFixture.StartAsync();
        await fixture.Server.ApplyAsync(Snapshot(1, ("a", 1)), CancellationToken.None);
        Dictionary<string, string> known;
        await using (var first = await fixture.DeltaAsync())
        {
            await first.SubscribeAsync(RouteType, ["x/*/r"], version: "1.36");
            known = (await first.TakeAsync()).Resources.ToDictionary(resource => resource.Name, resource => resource.Version);
        }

        await using var again = await fixture.DeltaAsync();
        await again.SubscribeAsync(RouteType, ["x/*/r"], known, "1.40");
        await again.ShouldBeQuietAsync();
        await fixture.Server.ApplyAsync(Snapshot(2, ("a", 2)), CancellationToken.None);

        RouteConfiguration.Parser.ParseFrom((await again.TakeAsync()).Resources[0].Resource_.Value).VirtualHosts.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task RoutesAskedForAnew_BringAllVirtualHostsAgain()
    {
        await using var fixture = await AdsFixture.StartAsync();
        await fixture.Server.ApplyAsync(Snapshot(1, ("a", 1), ("b", 1)), CancellationToken.None);
        await using var peer = await ConnectAsync(fixture);
        await peer.UnsubscribeAsync(RouteType, "x/*/r");
        await peer.ShouldBeQuietAsync();

        await peer.SubscribeAsync(RouteType, ["x/*/r"], version: "1.40");

        (await peer.TakeAsync()).TypeUrl.ShouldBe(RouteType);
        Names(await peer.TakeAsync()).ShouldBe(["x/*/r/a", "x/*/r/b"]);
    }

    [Fact]
    public async Task Refusal_FindsTheRoute_AndTheRestTakesEffect()
    {
        await using var fixture = await AdsFixture.StartAsync();
        await fixture.Server.ApplyAsync(Snapshot(1, ("a", 1), ("b", 1)), CancellationToken.None);
        await using var peer = await ConnectAsync(fixture);
        await fixture.Server.ApplyAsync(Snapshot(2, ("a", 13), ("b", 2), ("c", 3)), CancellationToken.None);
        var taken = new Dictionary<string, string>();

        bool IsDone() => !fixture.Server.Acks.Rejections.IsEmpty && taken.Count == 3 && taken["x/*/r/a"] == "13 answers 500";
        while (await peer.ReadUnlessAsync(IsDone) is { } response)
        {
            response.TypeUrl.ShouldBe(HostType);
            var routes = response.Resources.Select(resource => (resource.Name, Route: VirtualHost.Parser.ParseFrom(resource.Resource_.Value).Routes.SingleOrDefault())).ToList();
            if (routes.Any(host => host.Route is { Name: "13", DirectResponse: null }))
            {
                await peer.NackAsync(response, "no such route");
                continue;
            }

            foreach (var (name, route) in routes) taken[name] = route is null ? "" : route.Name + (route.DirectResponse is null ? "" : " answers " + route.DirectResponse.Status);
            await peer.AckAsync(response);
        }

        taken.ShouldBe(new Dictionary<string, string> { ["x/*/r/a"] = "13 answers 500", ["x/*/r/b"] = "2", ["x/*/r/c"] = "3" }, ignoreOrder: true);
        fixture.Server.Acks.Rejections.ShouldHaveSingleItem().ShouldBe(new XdsRejection(RouteType, "x/*/r", "virtual_hosts[0].routes[0]", "no such route"));
    }

    [Fact]
    public async Task SlashInAName_IsNoEndOfTheRouteConfiguration()
    {
        await using var fixture = await AdsFixture.StartAsync();
        await fixture.Server.ApplyAsync(Snapshot(1, ("a/b", 1)), CancellationToken.None);

        await using var peer = await ConnectAsync(fixture, names: ["x/*/r/a%2Fb"]);
    }

    [Fact]
    public async Task FiftyClients_GetEveryChange_WhileAnotherReadsNothing()
    {
        await using var fixture = await AdsFixture.StartAsync();
        await fixture.Server.ApplyAsync(Snapshot(1, [.. Enumerable.Range(0, 40).Select(i => ($"h{i}", 1))]), CancellationToken.None);
        await using var silent = await fixture.DeltaAsync();
        await silent.SubscribeAsync(RouteType, ["x/*/r"], version: "1.40");
        var peers = new List<DeltaPeer>();
        for (var i = 0; i < 50; i++) peers.Add(await ConnectAsync(fixture));

        var following = peers.Select(async peer =>
        {
            var route = "";
            while (route != "20") route = VirtualHost.Parser.ParseFrom((await peer.TakeAsync()).Resources.Last().Resource_.Value).Routes[0].Name;
        }).ToList();
        for (var change = 2; change <= 20; change++)
            await fixture.Server.ApplyAsync(Snapshot(change, [.. Enumerable.Range(0, 40).Select(i => ($"h{i}", i == 39 ? change : 1))]), CancellationToken.None);

        await Task.WhenAll(following);
        await Until.TrueAsync(() => fixture.Server.Acks.Clients.Count(client => client.Revision == 20) == 50);
        await Until.TrueAsync(() => fixture.Server.Acks.Clients.Count == 51);
        foreach (var peer in peers) await peer.DisposeAsync();
    }

    private static async Task<DeltaPeer> ConnectAsync(AdsFixture fixture, string[]? names = null, Dictionary<string, Dictionary<string, string>>? known = null)
    {
        var peer = await fixture.DeltaAsync();
        await peer.SubscribeAsync(ClusterType, version: "1.40");
        await peer.TakeAsync();
        await peer.SubscribeAsync(ListenerType);
        await peer.TakeAsync();
        await peer.SubscribeAsync(RouteType, ["x/*/r"]);
        var shell = await peer.ReadAsync();
        await peer.SubscribeAsync(HostType);
        await peer.AckAsync(shell);
        var hosts = await peer.TakeAsync();
        if (names is not null) Names(hosts).ShouldBe(names);
        foreach (var response in (DiscoveryV3.DeltaDiscoveryResponse[])[shell, hosts])
            known?.Add(response.TypeUrl, response.Resources.ToDictionary(resource => resource.Name, resource => resource.Version));
        return peer;
    }

    private static XdsSnapshot Snapshot(long revision, params (string Name, int Route)[] hosts)
    {
        var message = new RouteConfiguration { Name = "x/*/r" };
        foreach (var (name, route) in hosts)
            message.VirtualHosts.Add(new VirtualHost { Name = name, Domains = { name }, Routes = { new Route { Name = $"{route}", Match = new RouteMatch { Prefix = "/" } } } });
        return new XdsSnapshot
        {
            Revision = revision,
            RouteConfigurations = new[] { XdsResource<RouteConfiguration>.Create("x/*/r", message) }.ToFrozenDictionary(resource => resource.Name),
        };
    }

    private static string[] Names(DiscoveryV3.DeltaDiscoveryResponse response) => [.. response.Resources.Select(resource => resource.Name)];
}
