using System.Globalization;
using Nuncio.DataPlane.Http;

namespace Nuncio.DataPlane.Tracing;

/// <summary>Reports to Datadog's agent: MessagePack to <c>/v0.4/traces</c>.</summary>
internal sealed class DatadogFormat : TraceReportFormat
{
    /// <inheritdoc/>
    public override string StatName => "datadog";

    /// <summary>The agent's <c>:authority</c>.</summary>
    public required byte[] Host { get; init; }

    /// <summary>The proxy's name.</summary>
    public required string ServiceName { get; init; }

    /// <inheritdoc/>
    public override byte[] Write(IReadOnlyList<TraceSpan> spans, HeaderMap headers, bool tls)
    {
        var traces = new Dictionary<(ulong High, ulong Low), List<TraceSpan>>();
        for (var i = 0; i < spans.Count; i++)
        {
            var key = (spans[i].TraceIdHigh, spans[i].TraceId);
            if (!traces.TryGetValue(key, out var trace))
            {
                traces.Add(key, trace = []);
            }

            trace.Add(spans[i]);
        }

        var pack = new MessagePack();
        pack.Array(traces.Count);
        foreach (var trace in traces.Values)
        {
            pack.Array(trace.Count);
            foreach (var span in trace)
            {
                Write(pack, span);
            }
        }

        var body = pack.ToArray();
        headers.Set(KnownHeader.Method, "POST"u8);
        headers.Set(KnownHeader.Scheme, tls ? "https"u8 : "http"u8);
        headers.Set(KnownHeader.Path, "/v0.4/traces"u8);
        headers.Set(KnownHeader.Authority, Host);
        headers.Set(KnownHeader.ContentType, "application/msgpack"u8);
        headers.Set("datadog-meta-lang"u8, "dotnet"u8);
        headers.Set("datadog-client-computed-top-level"u8, "yes"u8);
        headers.Set("x-datadog-trace-count"u8, TraceIds.Bytes(traces.Count.ToString(CultureInfo.InvariantCulture)));
        headers.Set(KnownHeader.ContentLength, TraceIds.Bytes(body.Length.ToString(CultureInfo.InvariantCulture)));
        return body;
    }

    private void Write(MessagePack pack, TraceSpan span)
    {
        pack.Map(12);
        pack.Text("service");
        pack.Text(ServiceName);
        pack.Text("name");
        pack.Text("envoy.proxy");
        pack.Text("resource");
        pack.Text(span.Name);
        pack.Text("trace_id");
        pack.Number(span.TraceId);
        pack.Text("span_id");
        pack.Number(span.Id);
        pack.Text("parent_id");
        pack.Number(span.ParentId);
        pack.Text("start");
        pack.Signed((span.Start.UtcDateTime - DateTime.UnixEpoch).Ticks * 100);
        pack.Text("duration");
        pack.Signed(span.Duration.Ticks * 100);
        pack.Text("error");
        pack.Signed(span.IsError ? 1 : 0);
        pack.Text("type");
        pack.Text("web");
        pack.Text("meta");
        pack.Map(span.Tags.Count + 2);
        pack.Text("span.kind");
        pack.Text(span.Kind == TraceSpanKind.Server ? "server" : "client");
        pack.Text("_dd.p.tid");
        pack.Text(TraceIds.Text(span.TraceIdHigh));
        foreach (var (name, value) in span.Tags)
        {
            pack.Text(name);
            pack.Text(value);
        }

        pack.Text("metrics");
        pack.Map(1);
        pack.Text("_sampling_priority_v1");
        pack.Double(span.Priority);
    }
}
