using Nuncio.DataPlane.Telemetry;

namespace Nuncio.DataPlane.Tests.Telemetry;

public sealed class ClusterMetricsTests
{
    private readonly MetricsRegistry _registry = new();

    [Fact]
    public void Forget_SomeClusters_LeavesTheSeriesOfOthersAndMakesNoneAgain()
    {
        var gone = new ClusterMetrics(_registry, "gone");
        var kept = new ClusterMetrics(_registry, "gone,kept");
        gone.Responses.Count(200);
        kept.Responses.Count(200);

        gone.Retire();
        ClusterMetrics.Forget(_registry, ["gone"]);
        gone.Responses.Count(200);
        gone.Responses.Count(404);

        Series("gone").ShouldBeEmpty();
        _registry.Find("envoy_cluster_upstream_rq", Code("gone,kept", "200")).ShouldBe(1);
        _registry.Find("envoy_cluster_upstream_rq_xx", MetricLabels.Of("envoy_response_code_class", "2").AndAll(Name("gone,kept"))).ShouldBe(1);
        _registry.Find("envoy_cluster_upstream_rq_total", Name("gone,kept")).ShouldBe(0);
    }

    private IEnumerable<string> Series(string name) =>
        _registry.Families.SelectMany(family => family.Series.Keys, (family, labels) => $"{family.Name}{{{labels}}}")
            .Where(series => series.EndsWith(Name(name).Text + "}", StringComparison.Ordinal));

    private static MetricLabels Name(string name) => MetricLabels.Of("envoy_cluster_name", name);

    private static MetricLabels Code(string name, string code) => MetricLabels.Of("envoy_response_code", code).AndAll(Name(name));
}
