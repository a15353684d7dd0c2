using System.Buffers;
using System.Text;
using Nuncio.DataPlane.Telemetry;

namespace Nuncio.DataPlane.Tests.Telemetry;

public class PrometheusTextWriterTests
{
    [Fact]
    public void Write_AllKinds_IsInEnvoysForm()
    {
        var registry = new MetricsRegistry();
        var labels = MetricLabels.Of("envoy_cluster_name", "a\"b");
        registry.Counter("envoy_cluster_upstream_rq_total", labels).Add(3);
        registry.Gauge("envoy_cluster_upstream_cx_active", labels).Increment();
        registry.Histogram("envoy_cluster_upstream_rq_time", labels).Record(7);
        var text = Text(registry);
        text.ShouldStartWith("# TYPE envoy_cluster_upstream_rq_total counter\nenvoy_cluster_upstream_rq_total{envoy_cluster_name=\"a\\\"b\"} 3\n");
        text.ShouldContain("# TYPE envoy_cluster_upstream_cx_active gauge\n");
        text.ShouldContain("_bucket{envoy_cluster_name=\"a\\\"b\",le=\"5\"} 0\n");
        text.ShouldContain("_bucket{envoy_cluster_name=\"a\\\"b\",le=\"10\"} 1\n");
        text.ShouldContain("_bucket{envoy_cluster_name=\"a\\\"b\",le=\"+Inf\"} 1\n");
        text.ShouldContain("_sum{envoy_cluster_name=\"a\\\"b\"} 7\n");
    }

    [Fact]
    public void Counter_AskedForTwice_IsTheSame()
    {
        var registry = new MetricsRegistry();
        registry.Counter("x", MetricLabels.None).ShouldBeSameAs(registry.Counter("x", MetricLabels.None));
    }

    [Fact]
    public void Responses_ByClassAndCode_CarryEnvoysLabels()
    {
        var registry = new MetricsRegistry();
        new ClusterMetrics(registry, "c").Responses.Count(503);
        Text(registry).ShouldContain("envoy_cluster_upstream_rq_xx{envoy_response_code_class=\"5\",envoy_cluster_name=\"c\"} 1\n");
        Text(registry).ShouldContain("envoy_cluster_upstream_rq{envoy_response_code=\"503\",envoy_cluster_name=\"c\"} 1\n");
    }

    [Fact]
    public async Task Write_WhileSeriesAreMade_IsWhole()
    {
        var registry = new MetricsRegistry();
        var making = Task.Run(() =>
        {
            for (var i = 0; i < 20_000; i++) registry.Counter("envoy_cluster_upstream_rq", MetricLabels.Of("envoy_cluster_name", $"c{i}")).Increment();
        });
        while (!making.IsCompleted) Text(registry).ShouldNotBeNull();
        await making;

        Text(registry).Split('\n').Count(line => line.StartsWith("envoy_cluster_upstream_rq{", StringComparison.Ordinal)).ShouldBe(20_000);
    }

    private static string Text(MetricsRegistry registry)
    {
        var buffer = new ArrayBufferWriter<byte>();
        PrometheusTextWriter.Write(registry, buffer);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
