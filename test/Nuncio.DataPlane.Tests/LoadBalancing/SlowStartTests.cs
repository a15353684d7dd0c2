using Google.Protobuf.WellKnownTypes;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Tests.Upstream;
using Nuncio.Testing;
using LbPolicy = Envoy.Config.Cluster.V3.Cluster.Types.LbPolicy;

namespace Nuncio.DataPlane.Tests.LoadBalancing;

public class SlowStartTests
{
    [Theory]
    [InlineData(LbPolicy.RoundRobin, 1.0, 10.0, 0, 0.1)]
    [InlineData(LbPolicy.RoundRobin, 1.0, 10.0, 5, 0.5)]
    [InlineData(LbPolicy.RoundRobin, 2.0, 10.0, 1, 0.316)]
    [InlineData(LbPolicy.RoundRobin, 0.5, 10.0, 5, 0.25)]
    [InlineData(LbPolicy.RoundRobin, 1.0, 70.0, 5, 0.7)]
    [InlineData(LbPolicy.LeastRequest, 1.0, 10.0, 5, 0.5)]
    [InlineData(LbPolicy.RoundRobin, 1.0, 10.0, 10, 1)]
    public void Choose_NewEndpoint_HasThePartOfItsWeightThatEnvoyComputes(LbPolicy policy, double aggression, double minimum, int seconds, double part)
    {
        var time = new ManualTimeProvider();
        using var upstreams = new Upstreams(time);
        upstreams.Apply(Cluster(policy, aggression, minimum, "10.0.0.1"));
        var cluster = upstreams.Table.Find("c")!;
        time.Advance(TimeSpan.FromSeconds(20));
        upstreams.Apply(Cluster(policy, aggression, minimum, "10.0.0.1", "10.0.0.2"));
        upstreams.Table.Find("c").ShouldBeSameAs(cluster);
        time.Advance(TimeSpan.FromSeconds(seconds));

        var share = part / (1 + part);
        Count(cluster, "10.0.0.2:80").ShouldBeInRange((int)(share * 1000) - 5, (int)(share * 1000) + 5);
    }

    [Fact]
    public void Choose_AllEndpointsNew_KeepsTheirShares()
    {
        using var upstreams = new Upstreams(new ManualTimeProvider());
        upstreams.Apply(Cluster(LbPolicy.RoundRobin, 1, 10, "10.0.0.1", "10.0.0.2"));
        Count(upstreams.Table.Find("c")!, "10.0.0.2:80").ShouldBeInRange(499, 501);
    }

    [Fact]
    public void Choose_EndpointThatPassesItsChecksAgain_StartsAnew()
    {
        var time = new ManualTimeProvider();
        using var upstreams = new Upstreams(time);
        upstreams.Apply(Cluster(LbPolicy.RoundRobin, 1, 10, "10.0.0.1", "10.0.0.2"));
        var cluster = upstreams.Table.Find("c")!;
        var second = cluster.Endpoints.Single(e => e.AddressText == "10.0.0.2:80");
        time.Advance(TimeSpan.FromSeconds(20));
        Count(cluster, "10.0.0.2:80").ShouldBeInRange(499, 501);

        second.SetFlag(EndpointHealthFlags.FailedActiveCheck, true);
        cluster.OnHealthChanged();
        second.SetFlag(EndpointHealthFlags.FailedActiveCheck, false);
        cluster.OnHealthChanged();
        Count(cluster, "10.0.0.2:80").ShouldBeInRange(86, 96);

        // Ejections by passive checks do not begin it anew, as in Envoy.
        time.Advance(TimeSpan.FromSeconds(20));
        second.SetFlag(EndpointHealthFlags.FailedOutlierCheck, true);
        cluster.OnHealthChanged();
        second.SetFlag(EndpointHealthFlags.FailedOutlierCheck, false);
        cluster.OnHealthChanged();
        Count(cluster, "10.0.0.2:80").ShouldBeInRange(499, 501);
    }

    private static int Count(ClusterState cluster, string address) =>
        Enumerable.Range(0, 1000).Count(_ => cluster.Choose(0, false, 0)!.AddressText == address);

    private static ClusterV3.Cluster Cluster(LbPolicy policy, double aggression, double minimum, params string[] hosts)
    {
        var slowStart = new ClusterV3.Cluster.Types.SlowStartConfig
        {
            SlowStartWindow = Duration.FromTimeSpan(TimeSpan.FromSeconds(10)),
            Aggression = new() { DefaultValue = aggression },
            MinWeightPercent = new() { Value = minimum },
        };
        var cluster = Upstreams.Cluster("c", [.. hosts.Select(static host => (host, 80))]);
        cluster.LbPolicy = policy;
        if (policy == LbPolicy.LeastRequest)
        {
            cluster.LeastRequestLbConfig = new() { SlowStartConfig = slowStart };
        }
        else
        {
            cluster.RoundRobinLbConfig = new() { SlowStartConfig = slowStart };
        }

        return cluster;
    }
}
