using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Tests.Upstream;
using LbPolicy = Envoy.Config.Cluster.V3.Cluster.Types.LbPolicy;

namespace Nuncio.DataPlane.Tests.LoadBalancing;

public class ClusterStateBalancingTests
{
    private static readonly (string, int)[] Four = [("10.0.0.1", 80), ("10.0.0.2", 80), ("10.0.0.3", 80), ("10.0.0.4", 80)];

    [Fact]
    public void Choose_RoundRobin_TakesEachInTurn()
    {
        using var upstreams = new Upstreams();
        upstreams.Apply(Upstreams.Cluster("c", Four));
        var cluster = upstreams.Table.Find("c")!;
        var chosen = Enumerable.Range(0, 8).Select(_ => cluster.Choose(0, false, 0)!).ToList();
        chosen.Take(4).Distinct().Count().ShouldBe(4);
        chosen.Skip(4).ShouldBe(chosen.Take(4));
    }

    [Fact]
    public void Choose_WeightedRoundRobin_KeepsTheSharesInEveryRound()
    {
        using var upstreams = new Upstreams();
        var message = Upstreams.Cluster("c");
        message.LoadAssignment.Endpoints[0].LbEndpoints.Add(Upstreams.Endpoint("10.0.0.1", 80, 3));
        message.LoadAssignment.Endpoints[0].LbEndpoints.Add(Upstreams.Endpoint("10.0.0.2", 80, 1));
        upstreams.Apply(message);
        var cluster = upstreams.Table.Find("c")!;
        var counts = Count(cluster, 400, i => 0);
        counts["10.0.0.1:80"].ShouldBeInRange(299, 301);
    }

    [Theory]
    [InlineData(LbPolicy.RingHash)]
    [InlineData(LbPolicy.Maglev)]
    public void Choose_ByHash_MovesOnlyTheKeysOfTheEndpointThatLeft(LbPolicy policy)
    {
        using var upstreams = new Upstreams();
        var before = Upstreams.Cluster("c", Four);
        before.LbPolicy = policy;
        upstreams.Apply(before);
        var cluster = upstreams.Table.Find("c")!;
        var owners = Keys().ToDictionary(k => k, k => cluster.Choose(k, true, 0)!.AddressText);
        owners.Values.Distinct().Count().ShouldBe(4);

        var after = Upstreams.Cluster("c", Four[..3]);
        after.LbPolicy = policy;
        upstreams.Apply(after);
        upstreams.Table.Find("c").ShouldBeSameAs(cluster);
        var moved = Keys().Count(k => owners[k] != "10.0.0.4:80" && cluster.Choose(k, true, 0)!.AddressText != owners[k]);

        // The ring of three has more points per endpoint than the ring of four (Envoy sizes it so), which moves some more.
        moved.ShouldBeLessThan(policy == LbPolicy.RingHash ? 700 : 100);
    }

    [Fact]
    public void Choose_LeastRequest_AvoidsTheBusyOne()
    {
        using var upstreams = new Upstreams();
        var message = Upstreams.Cluster("c", Four[..2]);
        message.LbPolicy = LbPolicy.LeastRequest;
        message.LeastRequestLbConfig = new ClusterV3.Cluster.Types.LeastRequestLbConfig { ChoiceCount = 50 };
        upstreams.Apply(message);
        var cluster = upstreams.Table.Find("c")!;
        cluster.Endpoints[0].OnRequestStarted();
        Count(cluster, 20, _ => 0).Keys.ShouldBe([cluster.Endpoints[1].AddressText]);
    }

    [Fact]
    public void Choose_UnhealthyEndpoint_IsLeftOutUntilTooManyAre()
    {
        using var upstreams = new Upstreams();
        upstreams.Apply(Upstreams.Cluster("c", Four));
        var cluster = upstreams.Table.Find("c")!;
        cluster.Endpoints[0].SetFlag(EndpointHealthFlags.FailedActiveCheck, true);
        cluster.OnHealthChanged();
        Count(cluster, 100, _ => 0).Count.ShouldBe(3);
        foreach (var endpoint in cluster.Endpoints.Skip(1).Take(2))
        {
            endpoint.SetFlag(EndpointHealthFlags.FailedActiveCheck, true);
        }

        cluster.OnHealthChanged();
        Count(cluster, 100, _ => 0).Count.ShouldBe(4);
        upstreams.Metric("envoy_cluster_lb_healthy_panic", "c").ShouldBe(100);
    }

    [Fact]
    public void Choose_NoEndpoints_IsNull()
    {
        using var upstreams = new Upstreams();
        upstreams.Apply(Upstreams.Cluster("c"));
        upstreams.Table.Find("c")!.Choose(0, false, 0).ShouldBeNull();
    }

    private static IEnumerable<ulong> Keys() => Enumerable.Range(0, 2000).Select(i => Nuncio.DataPlane.LoadBalancing.XxHash64.Hash(BitConverter.GetBytes(i)));

    private static Dictionary<string, int> Count(ClusterState cluster, int times, Func<int, ulong> hash) =>
        Enumerable.Range(0, times).Select(i => cluster.Choose(hash(i), false, 0)!.AddressText).GroupBy(a => a).ToDictionary(g => g.Key, g => g.Count());
}
