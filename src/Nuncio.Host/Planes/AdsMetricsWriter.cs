using System.Globalization;
using System.Text;
using Nuncio.DataPlane.Telemetry;
using Nuncio.XdsServer.Clients;

namespace Nuncio.Host.Planes;

/// <summary>What is known of ADS clients, in Prometheus' text form.</summary>
internal static class AdsMetricsWriter
{
    public static ReadOnlyMemory<byte> Write(AckTracker acks)
    {
        var clients = acks.Clients;
        var text = new StringBuilder();
        Metric("nuncio_ads_clients", "gauge", clients.Count);
        Metric("nuncio_ads_refused_resources", "gauge", acks.Rejections.Count(rejection => !rejection.IsPartial));
        Metric("nuncio_ads_refused_responses_total", "counter", acks.RefusedResponses);
        Each("nuncio_ads_accepted_revision", client => client.Revision);
        Each("nuncio_ads_resources_sent", client => client.ResourcesSent);
        Each("nuncio_ads_bytes_sent", client => client.BytesSent);
        return Encoding.UTF8.GetBytes(text.ToString());

        void Metric(string name, string type, long value) => text.Append(CultureInfo.InvariantCulture, $"# TYPE {name} {type}\n{name} {value}\n");

        void Each(string name, Func<XdsClientState, long> value)
        {
            text.Append(CultureInfo.InvariantCulture, $"# TYPE {name} gauge\n");
            foreach (var client in clients)
                text.Append(CultureInfo.InvariantCulture, $"{name}{{{Labels(client).Text}}} {value(client)}\n");
        }

        static MetricLabels Labels(XdsClientState client) =>
            MetricLabels.Of("node", client.Node).And("stream", client.Stream.ToString(CultureInfo.InvariantCulture));
    }
}
