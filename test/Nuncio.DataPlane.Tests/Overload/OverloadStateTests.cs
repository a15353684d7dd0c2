using Nuncio.DataPlane.Overload;
using Nuncio.DataPlane.Telemetry;

namespace Nuncio.DataPlane.Tests.Overload;

public class OverloadStateTests
{
    private readonly MetricsRegistry _metrics = new();

    [Theory]
    [InlineData(0.5, 0, 0, false, false, false)]
    [InlineData(0.92, 0, 0, true, false, false)]
    [InlineData(0.95, 0, 0, true, true, false)]
    [InlineData(0.98, 0, 0, true, true, true)]
    [InlineData(0, 0, 0.96, true, true, false)]
    [InlineData(0, 1, 0, true, false, false)] // the limit itself refuses connections; those that there are may go on asking
    public void Pressure_AboveAThreshold_RefusesWhatThatSays(double memory, double connections, double injected, bool keepAlive, bool requests, bool rejects)
    {
        var state = new OverloadState(OverloadOptions.Default, new OverloadMetrics(_metrics));

        state.Apply(new ResourcePressures(memory, connections, injected));

        (state.DisablesKeepAlive, state.RefusesRequests, state.RejectsConnections).ShouldBe((keepAlive, requests, rejects));
        _metrics.Find("envoy_overload_envoy_overload_actions_stop_accepting_requests_active", MetricLabels.None).ShouldBe(requests ? 1 : 0);
        _metrics.Find("envoy_overload_envoy_resource_monitors_cgroup_memory_pressure", MetricLabels.None).ShouldBe((long)(memory * 100));
    }

    [Fact]
    public void TryKeep_OfBodies_EndsLongBeforeTheMemory()
    {
        const long Limit = 256L * 1024 * 1024;
        var state = new OverloadState(OverloadOptions.Default with { MemoryLimit = Limit });
        state.TryKeep(Limit / 4).ShouldBeTrue();
        state.TryKeep(Limit / 4).ShouldBeFalse();
        state.TryKeep(Limit / 16).ShouldBeTrue();

        state.Release(Limit / 4);

        state.TryKeep(Limit / 4).ShouldBeTrue();
    }

    [Fact]
    public void Pressure_ThatEnds_RefusesNothingMore()
    {
        var state = new OverloadState(OverloadOptions.Default);
        state.Apply(new ResourcePressures(1, 0, 0));

        state.Apply(new ResourcePressures(0.3, 0, 0));

        (state.DisablesKeepAlive || state.RefusesRequests || state.RejectsConnections).ShouldBeFalse();
    }
}
