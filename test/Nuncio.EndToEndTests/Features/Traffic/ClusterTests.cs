namespace Nuncio.EndToEndTests.Features.Traffic;

[Collection(nameof(PlainGroup))]
public class ClusterTests(GatewayOf<PlainGroup> group)
{
    [SkippableTheory, DataPlanes, Feature("TRF-34")]
    [Manifest("""
        Mapping stats: { hostname: "*", prefix: /stats/, stats_name: my_service, service: $(stats) }
        """)]
    public async Task StatsName_IsTheClustersNameInMetrics(DataPlane plane)
    {
        var gateway = await group.On(plane);
        await gateway.GetAsync("/stats/");

        var metric = await gateway.WaitForMetricAsync(
            line => line.StartsWith("envoy_cluster_upstream_rq_total{envoy_cluster_name=\"my_service\"}", StringComparison.Ordinal));

        metric.ShouldEndWith(" 1");
    }

    [SkippableTheory, DataPlanes, Feature("TRF-35")]
    [Manifest("""
        Mapping tag-1: { hostname: "*", prefix: /tag-1/, cluster_tag: one, stats_name: tag_one, connect_timeout_ms: 1000, service: $(tagged) }
        Mapping tag-2: { hostname: "*", prefix: /tag-2/, cluster_tag: two, stats_name: tag_two, connect_timeout_ms: 2000, service: $(tagged) }
        """)]
    public async Task ClusterTag_MakesTwoClustersOfOneService(DataPlane plane)
    {
        var gateway = await group.On(plane);
        (await gateway.GetAsync("/tag-1/")).ShouldBeFrom("tagged");
        (await gateway.GetAsync("/tag-2/")).ShouldBeFrom("tagged");

        foreach (var name in new[] { "tag_one", "tag_two" })
        {
            (await gateway.WaitForMetricAsync(
                line => line.StartsWith($"envoy_cluster_upstream_rq_total{{envoy_cluster_name=\"{name}\"}}", StringComparison.Ordinal)))
                .ShouldEndWith(" 1");
        }
    }

    [SkippableTheory, DataPlanes, Feature("TRF-21")]
    [Manifest("""
        Mapping kept-alive: { hostname: "*", prefix: /kept-alive/, service: $(kept-alive), keepalive: { idle_time: 55, interval: 7, probes: 3 } }
        Mapping not-kept-alive: { hostname: "*", prefix: /not-kept-alive/, service: $(not-kept-alive) }
        """)]
    public async Task Keepalive_OfAMapping_IsSetOnItsConnections(DataPlane plane)
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "the timers of sockets are read as Linux shows them");
        var gateway = await group.On(plane);
        (await gateway.GetAsync("/kept-alive/")).ShouldBeFrom("kept-alive");
        (await gateway.GetAsync("/not-kept-alive/")).ShouldBeFrom("not-kept-alive");

        SocketTimers.KeepaliveSeconds(group.Upstreams.Port("kept-alive")).ShouldAllBe(seconds => seconds > 0 && seconds <= 55);
        SocketTimers.KeepaliveSeconds(group.Upstreams.Port("kept-alive")).ShouldNotBeEmpty();
        SocketTimers.KeepaliveSeconds(group.Upstreams.Port("not-kept-alive")).ShouldBeEmpty();
    }

    [SkippableTheory, DataPlanes, Feature("TRF-32")]
    [Manifest("""
        Mapping family-4: { hostname: "*", prefix: /family-4/, service: "localhost:$(a.port)", enable_ipv4: true, enable_ipv6: false }
        Mapping family-6: { hostname: "*", prefix: /family-6/, service: "localhost:$(a.port)", enable_ipv4: false, enable_ipv6: true }
        Mapping logical: { hostname: "*", prefix: /logical/, service: "localhost:$(a.port)", dns_type: logical_dns, respect_dns_ttl: true }
        """)]
    public async Task NamesOfServices_AreLookedUpInTheWantedFamilyAndWay(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("/family-4/")).ShouldBeFrom("a");
        (await gateway.GetAsync("/logical/")).ShouldBeFrom("a");
        // The server listens on 127.0.0.1 alone.
        (await gateway.GetAsync("/family-6/")).ShouldBeAnswered(503);
    }
}
