using System.Buffers;
using System.Globalization;
using System.Text;

namespace Nuncio.DataPlane.Telemetry;

/// <summary>Writes a registry in the text format of Prometheus (version 0.0.4), as Envoy's <c>/stats/prometheus</c> does.</summary>
public static class PrometheusTextWriter
{
    /// <summary>The media type of the text.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>Writes every family: counters, gauges, then histograms, each in order of names and labels.</summary>
    public static void Write(MetricsRegistry registry, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(registry);
        ArgumentNullException.ThrowIfNull(output);
        registry.Collect();
        var text = new StringBuilder();
        foreach (var family in registry.Families.OrderBy(f => f.Kind).ThenBy(f => f.Name, StringComparer.Ordinal))
        {
            text.Append("# TYPE ").Append(family.Name).Append(' ').Append(family.Kind switch
            {
                MetricKind.Counter => "counter",
                MetricKind.Gauge => "gauge",
                _ => "histogram",
            }).Append('\n');
            // Series are made while this reads: the dictionary's own ToArray takes them all at one moment, which sorting it does not.
            foreach (var (labels, series) in family.Series.ToArray().OrderBy(s => s.Key, StringComparer.Ordinal))
            {
                WriteSeries(text, family.Name, labels, series);
            }

            if (text.Length > 16384)
            {
                Drain(text, output);
            }
        }

        Drain(text, output);
    }

    private static void WriteSeries(StringBuilder text, string name, string labels, object series)
    {
        switch (series)
        {
            case MetricCounter counter:
                text.Append(name).Append('{').Append(labels).Append("} ").Append(counter.Value).Append('\n');
                break;
            case MetricGauge gauge:
                text.Append(name).Append('{').Append(labels).Append("} ").Append(gauge.Value).Append('\n');
                break;
            case MetricHistogram histogram:
                WriteHistogram(text, name, labels, histogram);
                break;
        }
    }

    private static void WriteHistogram(StringBuilder text, string name, string labels, MetricHistogram histogram)
    {
        long total = 0;
        var comma = labels.Length == 0 ? "" : ",";
        for (var bucket = 0; bucket <= MetricHistogram.Bounds.Length; bucket++)
        {
            total += histogram.CountIn(bucket);
            var bound = bucket == MetricHistogram.Bounds.Length ? "+Inf" : MetricHistogram.Bounds[bucket].ToString(CultureInfo.InvariantCulture);
            text.Append(name).Append("_bucket{").Append(labels).Append(comma).Append("le=\"").Append(bound).Append("\"} ").Append(total).Append('\n');
        }

        text.Append(name).Append("_sum{").Append(labels).Append("} ").Append(histogram.Sum).Append('\n');
        text.Append(name).Append("_count{").Append(labels).Append("} ").Append(total).Append('\n');
    }

    private static void Drain(StringBuilder text, IBufferWriter<byte> output)
    {
        foreach (var chunk in text.GetChunks())
        {
            Encoding.UTF8.GetBytes(chunk.Span, output);
        }

        text.Clear();
    }
}
