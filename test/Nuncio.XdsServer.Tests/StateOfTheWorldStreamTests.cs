using Envoy.Config.Cluster.V3;
using Envoy.Config.Listener.V3;
using Google.Protobuf.WellKnownTypes;
using Nuncio.Grpc;
using static Nuncio.XdsServer.Tests.Snapshots;

namespace Nuncio.XdsServer.Tests;

/// <summary>The state of the world, as a client sees it.</summary>
public sealed class StateOfTheWorldStreamTests
{
    [Fact]
    public async Task Subscription_ToMoreNamesThanAllowed_EndsTheStreamWithAStatus()
    {
        await using var fixture = await AdsFixture.StartAsync(new AdsServerOptions { MaxNames = 2 });
        await using var peer = await fixture.WorldAsync();

        await peer.SubscribeAsync(RouteType, "r", "s", "t");

        (await Should.ThrowAsync<GrpcStatusException>(peer.ReadAsync)).Status.Code.ShouldBe(GrpcStatusCode.ResourceExhausted);
    }

    [Fact]
    public async Task Change_OfOneCluster_SendsAll()
    {
        await using var fixture = await AdsFixture.StartAsync();
        await fixture.PublishAsync(new Snapshots { Clusters = { ["a"] = 1, ["b"] = 1 } });
        await using var peer = await fixture.WorldAsync();
        await peer.SubscribeAsync(ClusterType);
        var first = await peer.TakeAsync();

        await fixture.PublishAsync(new Snapshots { Revision = 2, Clusters = { ["a"] = 1, ["b"] = 2 } });

        var second = await peer.TakeAsync();
        Clusters(second).ShouldBe(["a", "b"]);
        second.VersionInfo.ShouldNotBe(first.VersionInfo);
    }

    [Fact]
    public async Task Cluster_ThatIsGone_StaysUntilTheRestIsAccepted()
    {
        await using var fixture = await AdsFixture.StartAsync();
        await fixture.PublishAsync(new Snapshots { Clusters = { ["a"] = 1 }, Routes = { ["r"] = 1 } });
        await using var peer = await fixture.WorldAsync();
        await peer.SubscribeAsync(ClusterType);
        await peer.TakeAsync();
        await peer.SubscribeAsync(RouteType, "r");
        await peer.TakeAsync("r");

        await fixture.PublishAsync(new Snapshots { Revision = 2, Clusters = { ["b"] = 1 }, Routes = { ["r"] = 2 } });

        Clusters(await peer.TakeAsync()).ShouldBe(["a", "b"]);
        (await peer.TakeAsync("r")).TypeUrl.ShouldBe(RouteType);
        Clusters(await peer.TakeAsync()).ShouldBe(["b"]);
    }

    [Fact]
    public async Task Routes_AreSentOneByOne_AsTheyChange()
    {
        await using var fixture = await AdsFixture.StartAsync();
        await fixture.PublishAsync(new Snapshots { Routes = { ["r"] = 1, ["s"] = 1 } });
        await using var peer = await fixture.WorldAsync();
        await peer.SubscribeAsync(RouteType, "r");
        (await peer.TakeAsync("r", "s")).Resources.Count.ShouldBe(1);
        (await peer.TakeAsync("r", "s")).Resources.Count.ShouldBe(1);

        await fixture.PublishAsync(new Snapshots { Revision = 2, Routes = { ["r"] = 1, ["s"] = 2 } });

        (await peer.TakeAsync("r", "s")).Resources.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Refusal_OfOneListener_KeepsItsLastGoodContentInTheResponse()
    {
        await using var fixture = await AdsFixture.StartAsync();
        await fixture.PublishAsync(new Snapshots { Listeners = { ["a"] = 1, ["b"] = 1 } });
        await using var peer = await fixture.WorldAsync();
        await peer.SubscribeAsync(ListenerType);
        await peer.TakeAsync();

        await fixture.PublishAsync(new Snapshots { Revision = 2, Listeners = { ["a"] = 2, ["b"] = 2 } });
        var last = await peer.ReadAsync();
        for (var i = 0; i < 10 && !IsSettled(last); i++)
        {
            if (Listeners(last)["b"] == 2) await peer.NackAsync(last, "not b");
            else await peer.AckAsync(last);
            last = await peer.ReadAsync();
        }

        await peer.AckAsync(last);
        Listeners(last).ShouldBe(new Dictionary<string, uint> { ["a"] = 2, ["b"] = 1 });

        static bool IsSettled(DiscoveryV3.DiscoveryResponse response) => Listeners(response) is var all && all["a"] == 2 && all["b"] == 1;
    }

    [Fact]
    public async Task Answer_ToAnOldNonce_SaysNothing()
    {
        await using var fixture = await AdsFixture.StartAsync();
        await fixture.PublishAsync(new Snapshots { Clusters = { ["a"] = 1 } });
        await using var peer = await fixture.WorldAsync();
        await peer.SubscribeAsync(ClusterType);
        var first = await peer.TakeAsync();
        await fixture.PublishAsync(new Snapshots { Revision = 2, Clusters = { ["a"] = 2 } });
        var second = await peer.ReadAsync();

        await peer.NackAsync(first, "late");
        await peer.AckAsync(second);
        await fixture.PublishAsync(new Snapshots { Revision = 3, Clusters = { ["a"] = 3 } });

        Clusters(await peer.TakeAsync()).ShouldBe(["a"]);
        fixture.Server.Acks.Rejections.ShouldBeEmpty();
    }

    private static string[] Clusters(DiscoveryV3.DiscoveryResponse response) => [.. response.Resources.Select(any => any.Unpack<Cluster>().Name)];

    private static Dictionary<string, uint> Listeners(DiscoveryV3.DiscoveryResponse response) =>
        response.Resources.Select(any => any.Unpack<Listener>()).ToDictionary(
            listener => listener.Name, listener => listener.PerConnectionBufferLimitBytes ?? 0);
}
