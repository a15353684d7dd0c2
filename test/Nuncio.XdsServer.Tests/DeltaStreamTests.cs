using System.Collections.Frozen;
using Nuncio.Grpc;
using Nuncio.XdsServer.Clients;
using static Nuncio.XdsServer.Tests.Snapshots;

namespace Nuncio.XdsServer.Tests;

/// <summary>The incremental protocol, as a client sees it.</summary>
public sealed class DeltaStreamTests
{
    [Fact]
    public async Task Client_BeforeTheFirstSnapshot_Waits()
    {
        await using var fixture = await AdsFixture.StartAsync();
        await using var peer = await fixture.DeltaAsync();
        await peer.SubscribeAsync(ClusterType);

        await peer.ShouldBeQuietAsync();
        await fixture.PublishAsync(new Snapshots { Clusters = { ["a"] = 1 } });

        Names(await peer.ReadAsync()).ShouldBe(["a"]);
    }

    [Fact]
    public async Task Subscription_ToMoreNamesThanAllowed_EndsTheStreamWithAStatus()
    {
        await using var fixture = await AdsFixture.StartAsync(new AdsServerOptions { MaxNames = 2 });
        await fixture.PublishAsync(new Snapshots { Routes = { ["r"] = 1 } });
        await using var peer = await fixture.DeltaAsync();
        await peer.SubscribeAsync(RouteType, ["r", "s"]);
        Names(await peer.TakeAsync()).ShouldBe(["r"]);
        await peer.SubscribeAsync(RouteType, ["r"]);
        Names(await peer.TakeAsync()).ShouldBe(["r"]);

        await peer.SubscribeAsync(RouteType, ["t"]);

        (await Should.ThrowAsync<GrpcStatusException>(peer.ReadAsync)).Status.Code.ShouldBe(GrpcStatusCode.ResourceExhausted);
    }

    [Fact]
    public async Task Wildcard_WithNothingInIt_IsAnswered()
    {
        await using var fixture = await AdsFixture.StartAsync();
        await fixture.PublishAsync(new Snapshots());
        await using var peer = await fixture.DeltaAsync();

        await peer.SubscribeAsync(ListenerType);

        (await peer.TakeAsync()).Resources.ShouldBeEmpty();
        await peer.ShouldBeQuietAsync();
    }

    [Fact]
    public async Task Change_OfOneCluster_SendsThatOneAlone()
    {
        await using var fixture = await AdsFixture.StartAsync();
        await fixture.PublishAsync(new Snapshots { Clusters = { ["a"] = 1, ["b"] = 1, ["c"] = 1 } });
        await using var peer = await fixture.DeltaAsync();
        await peer.SubscribeAsync(ClusterType);
        Names(await peer.TakeAsync()).ShouldBe(["a", "b", "c"]);

        await fixture.PublishAsync(new Snapshots { Revision = 2, Clusters = { ["a"] = 1, ["b"] = 2, ["c"] = 1 } });

        Names(await peer.TakeAsync()).ShouldBe(["b"]);
        await peer.ShouldBeQuietAsync();
    }

    [Fact]
    public async Task Change_OfClusterAndRoute_SendsTheRouteAfterTheClusterIsAccepted()
    {
        await using var fixture = await AdsFixture.StartAsync();
        await fixture.PublishAsync(new Snapshots { Clusters = { ["a"] = 1 }, Listeners = { ["l"] = 1 }, Routes = { ["r"] = 1 } });
        await using var peer = await fixture.DeltaAsync();
        await SubscribeAllAsync(peer, "r");

        await fixture.PublishAsync(new Snapshots { Revision = 2, Clusters = { ["a"] = 1, ["b"] = 1 }, Listeners = { ["l"] = 1 }, Routes = { ["r"] = 2 } });

        var clusters = await peer.ReadAsync();
        clusters.TypeUrl.ShouldBe(ClusterType);
        await peer.ShouldBeQuietAsync();
        await peer.AckAsync(clusters);
        (await peer.TakeAsync()).TypeUrl.ShouldBe(RouteType);
    }

    [Fact]
    public async Task Cluster_ThatIsGone_IsTakenAwayAfterTheRouteThatNamedIt()
    {
        await using var fixture = await AdsFixture.StartAsync();
        await fixture.PublishAsync(new Snapshots { Clusters = { ["a"] = 1 }, Listeners = { ["l"] = 1 }, Routes = { ["r"] = 1 } });
        await using var peer = await fixture.DeltaAsync();
        await SubscribeAllAsync(peer, "r");

        await fixture.PublishAsync(new Snapshots { Revision = 2, Clusters = { ["b"] = 1 }, Listeners = { ["l"] = 1 }, Routes = { ["r"] = 2 } });

        var made = await peer.TakeAsync();
        Names(made).ShouldBe(["b"]);
        made.RemovedResources.ShouldBeEmpty();
        (await peer.TakeAsync()).TypeUrl.ShouldBe(RouteType);
        (await peer.TakeAsync()).RemovedResources.ShouldBe(["a"]);
    }

    [Fact]
    public async Task Listener_ThatTakesAnAddressOver_ComesTogetherWithTheRemoval()
    {
        await using var fixture = await AdsFixture.StartAsync();
        await fixture.PublishAsync(new Snapshots { Listeners = { ["old"] = 1 } });
        await using var peer = await fixture.DeltaAsync();
        await peer.SubscribeAsync(ListenerType);
        await peer.TakeAsync();

        await fixture.PublishAsync(new Snapshots { Revision = 2, Listeners = { ["new"] = 1 } });

        var response = await peer.TakeAsync();
        Names(response).ShouldBe(["new"]);
        response.RemovedResources.ShouldBe(["old"]);
    }

    [Fact]
    public async Task Name_ThatIsNot_IsAnsweredAsRemoved_AndSentWhenItComes()
    {
        await using var fixture = await AdsFixture.StartAsync();
        await fixture.PublishAsync(new Snapshots());
        await using var peer = await fixture.DeltaAsync();
        await peer.SubscribeAsync(RouteType, ["r"]);

        (await peer.TakeAsync()).RemovedResources.ShouldBe(["r"]);
        await fixture.PublishAsync(new Snapshots { Revision = 2, Routes = { ["r"] = 1 } });

        Names(await peer.TakeAsync()).ShouldBe(["r"]);
    }

    [Fact]
    public async Task Reconnect_WithVersions_SendsOnlyWhatChangedMeanwhile()
    {
        await using var fixture = await AdsFixture.StartAsync();
        await fixture.PublishAsync(new Snapshots { Clusters = { ["a"] = 1, ["b"] = 1, ["gone"] = 1 } });
        Dictionary<string, string> known;
        await using (var first = await fixture.DeltaAsync())
        {
            await first.SubscribeAsync(ClusterType);
            known = (await first.TakeAsync()).Resources.ToDictionary(resource => resource.Name, resource => resource.Version);
        }

        await fixture.PublishAsync(new Snapshots { Revision = 2, Clusters = { ["a"] = 1, ["b"] = 2 } });
        await using var again = await fixture.DeltaAsync();
        await again.SubscribeAsync(ClusterType, known: known);

        Names(await again.TakeAsync()).ShouldBe(["b"]);
        (await again.TakeAsync()).RemovedResources.ShouldBe(["gone"]);
    }

    [Fact]
    public async Task Refusal_OfOneAmongMany_LeavesThatOneOutAndTakesTheRest()
    {
        await using var fixture = await AdsFixture.StartAsync();
        await fixture.PublishAsync(new Snapshots { Clusters = Enumerable.Range(0, 20).ToDictionary(i => $"c{i:00}", _ => 1) });
        await using var peer = await fixture.DeltaAsync();
        await peer.SubscribeAsync(ClusterType);
        var taken = new HashSet<string>();

        var alone = await TakeWithoutAsync(peer, "c13", taken, "no such thing");

        alone.ShouldBeTrue();
        taken.Count.ShouldBe(19);
        await UntilAsync(fixture, acks => acks.Rejections.Length == 1);
        var rejection = fixture.Server.Acks.Rejections.ShouldHaveSingleItem();
        rejection.ShouldBe(new XdsRejection(ClusterType, "c13", "", "no such thing"));
        await peer.ShouldBeQuietAsync();
    }

    [Fact]
    public async Task Refusal_OfRoutes_LeavesTheFaultyOnesOutAndTakesTheRest()
    {
        await using var fixture = await AdsFixture.StartAsync();
        await fixture.Server.ApplyAsync(RoutesSnapshot(1, Enumerable.Range(0, 10)), CancellationToken.None);
        await using var peer = await fixture.DeltaAsync();
        await peer.SubscribeAsync(RouteType, ["r"]);
        (await peer.TakeAsync()).Resources.Count.ShouldBe(1);

        await fixture.Server.ApplyAsync(RoutesSnapshot(2, Enumerable.Range(0, 40)), CancellationToken.None);
        Envoy.Config.Route.V3.VirtualHost last = new();
        while (await peer.ReadUnlessAsync(() => fixture.Server.Acks.Rejections.Length == 2 && last.Routes.Count == 39) is { } next)
        {
            var host = Envoy.Config.Route.V3.RouteConfiguration.Parser.ParseFrom(next.Resources[0].Resource_.Value).VirtualHosts[0];
            host.Routes.Count(route => route.DirectResponse is null && int.Parse(route.Name, null) < 10).ShouldBe(10);
            if (host.Routes.Any(route => route.Name is "13" && route.DirectResponse is null) || host.Routes.Any(route => route.Name is "31"))
            {
                await peer.NackAsync(next, "no such route");
            }
            else
            {
                last = host;
                await peer.AckAsync(next);
            }
        }

        // 13 can answer at least; of 31 not even the condition is taken.
        last.Routes.Select(route => route.Name).ShouldBe(Enumerable.Range(0, 40).Where(i => i != 31).Select(i => i.ToString(null as IFormatProvider)));
        last.Routes[13].DirectResponse.Status.ShouldBe(500u);
        fixture.Server.Acks.Rejections.Select(rejection => rejection.FieldPath).Order().ShouldBe(["virtual_hosts[0].routes[13]", "virtual_hosts[0].routes[31]"]);
    }

    [Fact]
    public async Task Refusal_OfAResource_EndsWhenItChanges()
    {
        await using var fixture = await AdsFixture.StartAsync();
        await fixture.PublishAsync(new Snapshots { Clusters = { ["a"] = 1 } });
        await using var peer = await fixture.DeltaAsync();
        await peer.SubscribeAsync(ClusterType);
        await peer.NackAsync(await peer.ReadAsync(), "no");
        await UntilAsync(fixture, acks => acks.Rejections.Length == 1);

        await fixture.PublishAsync(new Snapshots { Revision = 2, Clusters = { ["a"] = 2 } });

        Names(await peer.TakeAsync()).ShouldBe(["a"]);
        await UntilAsync(fixture, acks => acks.Rejections.IsEmpty);
    }

    [Fact]
    public async Task Refusal_OfAListener_IsOfferedAgainLater()
    {
        await using var fixture = await AdsFixture.StartAsync(new AdsServerOptions { OfferAgainAfter = TimeSpan.FromMilliseconds(50) });
        await fixture.PublishAsync(new Snapshots { Listeners = { ["l"] = 1 } });
        await using var peer = await fixture.DeltaAsync();
        await peer.SubscribeAsync(ClusterType);
        await peer.TakeAsync();
        await peer.SubscribeAsync(ListenerType);

        await peer.NackAsync(await peer.ReadAsync(), "cannot bind: address in use");

        Names(await peer.TakeAsync()).ShouldBe(["l"]);
        await UntilAsync(fixture, acks => acks.Rejections.IsEmpty && acks.HasAccepted(1));
    }

    [Fact]
    public async Task Cluster_ThatIsReplaced_GetsItsEndpointsAgain()
    {
        await using var fixture = await AdsFixture.StartAsync();
        await fixture.PublishAsync(new Snapshots { Clusters = { ["a"] = 1 }, Endpoints = { ["a"] = 1 } });
        await using var peer = await fixture.DeltaAsync();
        await peer.SubscribeAsync(ClusterType);
        await peer.TakeAsync();
        await peer.SubscribeAsync(EndpointType, ["a"]);
        await peer.TakeAsync();

        await fixture.PublishAsync(new Snapshots { Revision = 2, Clusters = { ["a"] = 2 }, Endpoints = { ["a"] = 1 } });

        (await peer.TakeAsync()).TypeUrl.ShouldBe(ClusterType);
        var endpoints = await peer.TakeAsync();
        endpoints.TypeUrl.ShouldBe(EndpointType);
        Names(endpoints).ShouldBe(["a"]);
    }

    [Fact]
    public async Task Revision_IsAccepted_OnlyWhenTheRoutesAreToo()
    {
        await using var fixture = await AdsFixture.StartAsync();
        await fixture.PublishAsync(new Snapshots { Revision = 7, Clusters = { ["a"] = 1 }, Listeners = { ["l"] = 1 }, Routes = { ["r"] = 1 } });
        await using var peer = await fixture.DeltaAsync();
        await peer.SubscribeAsync(ClusterType);
        await peer.TakeAsync();
        await peer.SubscribeAsync(ListenerType);
        await peer.TakeAsync();
        await peer.ShouldBeQuietAsync();
        fixture.Server.Acks.HasAccepted(7).ShouldBeFalse();

        await peer.SubscribeAsync(RouteType, ["r"]);
        await peer.TakeAsync();

        await UntilAsync(fixture, acks => acks.HasAccepted(7));
        fixture.Server.Acks.HasAccepted(8).ShouldBeFalse();
    }

    [Fact]
    public async Task SlowClient_MissesWhatWasReplacedMeanwhile()
    {
        await using var fixture = await AdsFixture.StartAsync();
        await fixture.PublishAsync(new Snapshots { Clusters = { ["a"] = 1 } });
        await using var peer = await fixture.DeltaAsync();
        await peer.SubscribeAsync(ClusterType);
        var first = await peer.ReadAsync();
        for (var i = 2; i < 50; i++) await fixture.PublishAsync(new Snapshots { Revision = i, Clusters = { ["a"] = i } });

        await peer.AckAsync(first);

        var next = await peer.TakeAsync();
        Envoy.Config.Cluster.V3.Cluster.Parser.ParseFrom(next.Resources[0].Resource_.Value).ConnectTimeout.Seconds.ShouldBe(49);
        await peer.ShouldBeQuietAsync();
    }

    [Fact]
    public async Task LargeTable_IsSentInParts()
    {
        await using var fixture = await AdsFixture.StartAsync(new AdsServerOptions { MaxResponseLength = 2000 });
        await fixture.PublishAsync(new Snapshots { Clusters = Enumerable.Range(0, 40).ToDictionary(i => $"c{i:00}", _ => 1) });
        await using var peer = await fixture.DeltaAsync();
        await peer.SubscribeAsync(ClusterType);
        var names = new List<string>();
        var responses = 0;

        for (; names.Count < 40; responses++) names.AddRange(Names(await peer.TakeAsync()));

        names.ShouldBe(Enumerable.Range(0, 40).Select(i => $"c{i:00}"));
        responses.ShouldBeGreaterThan(3);
        await peer.ShouldBeQuietAsync();
    }

    [Fact]
    public async Task Unsubscribed_Name_IsNotSentAnyMore()
    {
        await using var fixture = await AdsFixture.StartAsync();
        await fixture.PublishAsync(new Snapshots { Routes = { ["r"] = 1 } });
        await using var peer = await fixture.DeltaAsync();
        await peer.SubscribeAsync(RouteType, ["r"]);
        await peer.TakeAsync();

        await peer.UnsubscribeAsync(RouteType, "r");
        await peer.ShouldBeQuietAsync();
        await fixture.PublishAsync(new Snapshots { Revision = 2, Routes = { ["r"] = 2 } });

        await peer.ShouldBeQuietAsync();
    }

    [Fact]
    public async Task Runtime_IsServed_EvenWhereTheSnapshotHasNone()
    {
        await using var fixture = await AdsFixture.StartAsync();
        await fixture.PublishAsync(new Snapshots());
        await using var peer = await fixture.DeltaAsync();

        await peer.SubscribeAsync(RuntimeType, ["nuncio"]);

        Names(await peer.ReadAsync()).ShouldBe(["nuncio"]);
    }

    private static XdsSnapshot RoutesSnapshot(long revision, IEnumerable<int> routes)
    {
        var message = new Envoy.Config.Route.V3.RouteConfiguration { Name = "r", VirtualHosts = { new Envoy.Config.Route.V3.VirtualHost { Name = "*", Domains = { "*" } } } };
        message.VirtualHosts[0].Routes.AddRange(routes.Select(route => new Envoy.Config.Route.V3.Route { Name = $"{route}" }));
        return new XdsSnapshot
        {
            Revision = revision,
            RouteConfigurations = new[] { XdsResource<Envoy.Config.Route.V3.RouteConfiguration>.Create("r", message) }.ToFrozenDictionary(resource => resource.Name),
        };
    }

    private static async Task SubscribeAllAsync(DeltaPeer peer, params string[] routes)
    {
        await peer.SubscribeAsync(ClusterType);
        await peer.TakeAsync();
        await peer.SubscribeAsync(ListenerType);
        await peer.TakeAsync();
        await peer.SubscribeAsync(RouteType, routes);
        await peer.TakeAsync();
    }

    /// <summary>Refuses every response that holds one name, takes the others, until the name was refused alone and the others are there.</summary>
    private static async Task<bool> TakeWithoutAsync(DeltaPeer peer, string bad, HashSet<string> taken, string reason)
    {
        var alone = false;
        while (taken.Count < 19 || !alone)
        {
            var response = await peer.ReadAsync();
            if (Names(response).Contains(bad))
            {
                alone |= response.Resources.Count == 1;
                await peer.NackAsync(response, reason);
            }
            else
            {
                taken.UnionWith(Names(response));
                await peer.AckAsync(response);
            }
        }

        return alone;
    }

    private static Task UntilAsync(AdsFixture fixture, Func<AckTracker, bool> condition) => Until.TrueAsync(() => condition(fixture.Server.Acks));

    private static string[] Names(DiscoveryV3.DeltaDiscoveryResponse response) => [.. response.Resources.Select(resource => resource.Name)];
}
