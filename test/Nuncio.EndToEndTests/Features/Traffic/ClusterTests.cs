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

        var metric = await gateway.WaitForMetricAsync(line => line.StartsWith("envoy_cluster_upstream_rq_total{envoy_cluster_name=\"my_service\"}", StringComparison.Ordinal));

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
            (await gateway.WaitForMetricAsync(line => line.StartsWith($"envoy_cluster_upstream_rq_total{{envoy_cluster_name=\"{name}\"}}", StringComparison.Ordinal)))
                .ShouldEndWith(" 1");
        }
    }
}
