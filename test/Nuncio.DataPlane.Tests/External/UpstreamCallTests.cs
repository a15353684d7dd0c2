using System.Net;
using System.Net.Sockets;
using Nuncio.DataPlane.External;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Tests.Upstream;
using Nuncio.DataPlane.Upstream;
using Nuncio.Testing;

namespace Nuncio.DataPlane.Tests.External;

public sealed class UpstreamCallTests
{
    [Fact]
    public async Task ClusterWhoseNameIsNotResolved_TakesNoLongerThanTheCall()
    {
        var time = new ManualTimeProvider();
        using var upstreams = new Upstreams(time, new SilentResolver());
        var call = Begin(upstreams);
        var end = call.SendAsync(upstreams.Table.Find("c")!, default, TimeSpan.FromSeconds(2), 100, null).AsTask();
        end.IsCompleted.ShouldBeFalse();
        time.Advance(TimeSpan.FromSeconds(3));
        (await end.WaitAsync(Until.Limit)).ShouldBe(UpstreamCallEnd.TimedOut);
        upstreams.Metric("envoy_cluster_upstream_rq_timeout", "c").ShouldBe(1);
    }

    [Fact]
    public async Task ClientThatGoesAway_EndsTheWaitForAName()
    {
        using var upstreams = new Upstreams(new ManualTimeProvider(), new SilentResolver());
        var call = Begin(upstreams);
        var end = call.SendAsync(upstreams.Table.Find("c")!, default, TimeSpan.Zero, 100, null).AsTask();
        call.OnStreamAborted(StreamResetReason.ConnectionTermination);
        (await end.WaitAsync(Until.Limit)).ShouldBe(UpstreamCallEnd.ClientGone);
    }

    private static UpstreamCall Begin(Upstreams upstreams)
    {
        var message = Upstreams.Cluster("c", ("some.name", 80));
        message.Type = ClusterV3.Cluster.Types.DiscoveryType.StrictDns;
        upstreams.Apply(message);
        return new UpstreamCall(upstreams.Environment.Timers);
    }

    private sealed class SilentResolver : NameResolver
    {
        public override ValueTask<IPAddress[]?> ResolveAsync(string name, AddressFamily family, CancellationToken cancellationToken) =>
            new(new TaskCompletionSource<IPAddress[]?>().Task);
    }
}
