using System.Text.Json;

namespace Nuncio.EndToEndTests.Features.Observability;

/// <summary>JSON access logs, and probes on the ports of Listeners.</summary>
[Manifest(Common.Everywhere)]
[Manifest("""
    Module ambassador:
      config:
        envoy_log_type: json
        liveness_probe: { enabled: true, service: $(probe) }
        readiness_probe: { enabled: false }
        diagnostics: { enabled: false }
    Mapping all: { hostname: "*", prefix: /all/, service: $(a), stats_name: observed }
    """)]
public class JsonLogTests(GatewayOf<JsonLogTests> group) : IClassFixture<GatewayOf<JsonLogTests>>
{
    [SkippableTheory, DataPlanes, Feature("OBS-10")]
    public async Task AccessLog_AsJson_HasTheDefaultFields(DataPlane plane)
    {
        var gateway = await group.On(plane);
        await gateway.GetAsync("/all/json?q=1", "example.com", "user-agent: tester");

        var line = await gateway.WaitForLogAsync("/all/json");

        using var entry = JsonDocument.Parse(line);
        entry.RootElement.GetProperty("method").GetString().ShouldBe("GET");
        entry.RootElement.GetProperty("path").GetString().ShouldBe("/all/json?q=1");
        entry.RootElement.GetProperty("response_code").GetInt32().ShouldBe(200);
        entry.RootElement.GetProperty("requested_server_name").ValueKind.ShouldBe(JsonValueKind.Null);
        entry.RootElement.GetProperty("user_agent").GetString().ShouldBe("tester");
        entry.RootElement.GetProperty("authority").GetString().ShouldBe("example.com");
        entry.RootElement.GetProperty("upstream_host").GetString().ShouldBe(group.Upstreams.Address("a"));
        foreach (var name in new[] { "start_time", "protocol", "response_flags", "bytes_received", "bytes_sent", "duration", "request_id", "upstream_cluster" })
            entry.RootElement.TryGetProperty(name, out _).ShouldBeTrue(name);
    }

    [SkippableTheory, DataPlanes, Feature("OBS-03")]
    public async Task Probes_OnTheListener_AreThereUnlessDisabled(DataPlane plane)
    {
        var gateway = await group.On(plane);

        (await gateway.GetAsync("/ambassador/v0/check_alive")).ShouldSee("/ambassador/v0/check_alive");
        (await gateway.GetAsync("/ambassador/v0/check_ready")).ShouldNotBeRouted();
        (await gateway.GetAsync("/ambassador/v0/diag/")).ShouldNotBeRouted();
    }

    [SkippableTheory, DataPlanes, Feature("OBS-08")]
    public async Task Metrics_HaveEnvoysNames(DataPlane plane)
    {
        var gateway = await group.On(plane);
        (await gateway.GetAsync("/all/")).ShouldBeFrom("a");
        (await gateway.GetAsync("/all/", headers: "x-answer-status: 500")).Status.ShouldBe(500);

        await Metric("envoy_cluster_upstream_rq{envoy_response_code=\"500\",envoy_cluster_name=\"observed\"}");
        await Metric("envoy_cluster_upstream_rq_xx{envoy_response_code_class=\"5\",envoy_cluster_name=\"observed\"}");
        await Metric("envoy_http_downstream_rq_xx{envoy_response_code_class=\"2\",envoy_http_conn_manager_prefix=\"ingress_https\"}");
        await Metric("envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name=\"observed\"");
        await Metric("envoy_cluster_membership_healthy{envoy_cluster_name=\"observed\"}");
        await Metric("envoy_listener_downstream_cx_total{");
        if (plane == DataPlane.Embedded)
        {
            await Metric("ambassador_diagnostics_errors 0");
            await Metric("ambassador_diagnostics_info{");
        }

        Task<string> Metric(string start) => gateway.WaitForMetricAsync(line => line.StartsWith(start, StringComparison.Ordinal));
    }

    [SkippableFact, Feature("OBS-01", "OBS-02", "OBS-03")]
    public async Task Health_OfARunningGateway_IsSaidOnTheAdminPort()
    {
        var gateway = await group.On(DataPlane.Embedded);

        (await gateway.AdminTextAsync("/ambassador/v0/check_alive")).ShouldBe("Ambassador is alive and well\n");
        (await gateway.AdminTextAsync("/ambassador/v0/check_ready")).ShouldBe("Ambassador is ready and waiting\n");
    }
}

/// <summary>Typed JSON access logs with a format of their own.</summary>
[Manifest(Common.Everywhere)]
[Manifest("""
    Module ambassador:
      config:
        envoy_log_type: typed_json
        envoy_log_format: { code: "%RESPONSE_CODE%", path: "%REQ(:PATH)%", none: "%REQ(X-NONE)%", duration: "%DURATION%", both: "%REQ(:METHOD)% %PROTOCOL%" }
    Mapping all: { hostname: "*", prefix: /all/, service: $(a) }
    """)]
public class TypedJsonLogTests(GatewayOf<TypedJsonLogTests> group) : IClassFixture<GatewayOf<TypedJsonLogTests>>
{
    [SkippableTheory, DataPlanes, Feature("OBS-10")]
    public async Task AccessLog_AsTypedJson_KeepsNumbersAndNull(DataPlane plane)
    {
        var gateway = await group.On(plane);
        (await gateway.GetAsync("/nowhere/typed")).ShouldNotBeRouted();

        var line = await gateway.WaitForLogAsync("/nowhere/typed");

        using var entry = JsonDocument.Parse(line);
        entry.RootElement.GetProperty("code").GetInt32().ShouldBe(404);
        entry.RootElement.GetProperty("path").GetString().ShouldBe("/nowhere/typed");
        entry.RootElement.GetProperty("none").ValueKind.ShouldBe(JsonValueKind.Null);
        entry.RootElement.GetProperty("duration").ValueKind.ShouldBe(JsonValueKind.Number);
        entry.RootElement.GetProperty("both").GetString().ShouldBe("GET HTTP/1.1");
        entry.RootElement.EnumerateObject().Count().ShouldBe(5);
    }
}
