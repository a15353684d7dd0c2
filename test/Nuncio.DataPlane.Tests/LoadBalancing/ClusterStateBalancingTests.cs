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

    // As measured with Envoy 1.40: a locality has its weight times what of it is healthy, with the overprovisioning factor.
    [Theory]
    [InlineData("1:HU 1:HH", 10, "41 0 29 29")]
    [InlineData("1:HH 3:HH", 10, "12 12 37 37")]
    [InlineData("1:HUUU 1:HHHH", 10, "26 0 0 0 18 18 18 18")]
    [InlineData("9:HU 1:UU", 50, "25 25 25 25")]
    [InlineData("0:HH 1:H", 10, "0 0 100")]
    public void Choose_LocalityWeights_AreLoweredByWhatIsUnhealthy(string localities, int panic, string shares)
    {
        using var upstreams = new Upstreams();
        var message = Upstreams.Cluster("c");
        message.CommonLbConfig = new ClusterV3.Cluster.Types.CommonLbConfig
        {
            LocalityWeightedLbConfig = new(), HealthyPanicThreshold = new Envoy.Type.V3.Percent { Value = panic },
        };
        message.LoadAssignment.Endpoints.Clear();
        var number = 0;
        foreach (var locality in localities.Split(' '))
        {
            var group = new EndpointV3.LocalityLbEndpoints
            {
                Locality = new CoreV3.Locality { Zone = $"z{number}" }, LoadBalancingWeight = locality[0] == '0' ? null : (uint)(locality[0] - '0'),
            };
            foreach (var health in locality[2..])
            {
                var endpoint = Upstreams.Endpoint($"10.0.0.{++number}", 80);
                endpoint.HealthStatus = health == 'U' ? CoreV3.HealthStatus.Unhealthy : CoreV3.HealthStatus.Healthy;
                group.LbEndpoints.Add(endpoint);
            }

            message.LoadAssignment.Endpoints.Add(group);
        }

        upstreams.Apply(message);
        upstreams.Refused.ShouldBeEmpty();
        var counts = Count(upstreams.Table.Find("c")!, 10_000, _ => 0);
        string.Join(' ', Enumerable.Range(1, number).Select(i => (counts.GetValueOrDefault($"10.0.0.{i}:80") + 20) / 100)).ShouldBe(shares);
    }

    [Theory]
    [InlineData(50.9, 0)]
    [InlineData(51, 100)]
    public void Choose_PanicThreshold_IsInWholePercent(double threshold, long panicked)
    {
        using var upstreams = new Upstreams();
        var message = Upstreams.Cluster("c", Four);
        message.CommonLbConfig = new ClusterV3.Cluster.Types.CommonLbConfig { HealthyPanicThreshold = new Envoy.Type.V3.Percent { Value = threshold } };
        upstreams.Apply(message);
        var cluster = upstreams.Table.Find("c")!;
        cluster.Endpoints[0].SetFlag(EndpointHealthFlags.FailedActiveCheck, true);
        cluster.Endpoints[1].SetFlag(EndpointHealthFlags.FailedActiveCheck, true);
        cluster.OnHealthChanged();
        Count(cluster, 100, _ => 0);
        upstreams.Metric("envoy_cluster_lb_healthy_panic", "c").ShouldBe(panicked);
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
