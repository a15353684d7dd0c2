using System.Text.Json;

namespace Nuncio.EndToEndTests.Features.External;

/// <summary>Spans to a Zipkin collector.</summary>
[Manifest(Common.Everywhere)]
[Manifest("""
    TracingService zipkin: { service: $(zipkin), driver: zipkin, custom_tags: [{ tag: tenant, request_header: { name: x-tenant, default_value: none } }] }
    Mapping traced: { hostname: "*", prefix: /traced/, service: $(a) }
    """)]
public class ZipkinTests(GatewayOf<ZipkinTests> group) : IClassFixture<GatewayOf<ZipkinTests>>
{
    [SkippableTheory, DataPlanes, Feature("EXT-18", "EXT-21")]
    public async Task Request_ThatIsTraced_IsASpanAndHasB3Headers(DataPlane plane)
    {
        var reply = await (await group.On(plane)).GetAsync("/traced/", headers: $"x-tenant: {plane}");
        var trace = reply.Seen("x-b3-traceid").ShouldNotBeNull(reply.ToString());
        reply.Seen("x-b3-sampled").ShouldBe("1");

        var report = await group.Upstreams.WaitForRequestAsync(
            "zipkin", request => request.Target == "/api/v2/spans" && request.BodyText.Contains(trace, StringComparison.Ordinal));

        using var spans = JsonDocument.Parse(report.BodyText);
        var span = spans.RootElement.EnumerateArray().First(span =>
            span.GetProperty("traceId").GetString() == trace && span.TryGetProperty("tags", out var tags) && tags.TryGetProperty("tenant", out _));
        span.GetProperty("tags").GetProperty("tenant").GetString().ShouldBe(plane.ToString());
    }
}

/// <summary>Spans over OTLP.</summary>
[Manifest(Common.Everywhere)]
[Manifest("""
    TracingService otel: { service: $(otlp:a), driver: opentelemetry, config: { service_name: gateway } }
    Mapping traced: { hostname: "*", prefix: /traced/, service: $(a) }
    """)]
public class OpenTelemetryTests(GatewayOf<OpenTelemetryTests> group) : IClassFixture<GatewayOf<OpenTelemetryTests>>
{
    [SkippableTheory, DataPlanes, Feature("EXT-20")]
    public async Task Request_ThatIsTraced_IsASpanOverOtlpAndHasItsContext(DataPlane plane)
    {
        var reply = await (await group.On(plane)).GetAsync("/traced/");
        var trace = reply.Seen("traceparent").ShouldNotBeNull(reply.ToString()).Split('-')[1];

        await group.Upstreams.WaitForMessageAsync("otlp:a", (path, message) => path.EndsWith("TraceService/Export", StringComparison.Ordinal) && message.All(1)
            .SelectMany(resource => resource.All(2)).SelectMany(scope => scope.All(2)).Any(span => TraceId(span) == trace));

        static string TraceId(ProtoFields span) => Convert.ToHexStringLower(span.Raw(1));
    }
}

/// <summary>Traces for Datadog's agent.</summary>
[Manifest(Common.Everywhere)]
[Manifest("""
    Module ambassador: { config: { envoy_log_type: json } }
    TracingService datadog: { service: $(datadog), driver: datadog, config: { service_name: gateway } }
    Mapping traced: { hostname: "*", prefix: /traced/, service: $(a) }
    """)]
public class DatadogTests(GatewayOf<DatadogTests> group) : IClassFixture<GatewayOf<DatadogTests>>
{
    [SkippableTheory, DataPlanes, Feature("EXT-19")]
    public async Task Request_ThatIsTraced_IsReportedToTheAgentAndNamedInTheLog(DataPlane plane)
    {
        var gateway = await group.On(plane);

        var reply = await gateway.GetAsync($"/traced/{plane}");
        var trace = reply.Seen("x-datadog-trace-id").ShouldNotBeNull(reply.ToString());
        reply.Seen("x-datadog-sampling-priority").ShouldBe("1");
        var line = await gateway.WaitForLogAsync($"/traced/{plane}");

        using var entry = JsonDocument.Parse(line);
        entry.RootElement.GetProperty("dd.trace_id").GetString().ShouldBe(trace);
        await group.Upstreams.WaitForRequestAsync("datadog", request => request.Target.EndsWith("/traces", StringComparison.Ordinal));
    }
}
