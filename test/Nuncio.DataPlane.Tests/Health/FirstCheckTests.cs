using System.Net;
using Google.Protobuf.WellKnownTypes;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Tests.Upstream;
using Nuncio.DataPlane.Transport;

namespace Nuncio.DataPlane.Tests.Health;

/// <summary>When a cluster has waited long enough for the first round of its checks.</summary>
public sealed class FirstCheckTests
{
    [Fact]
    public async Task EndpointThatLeavesDuringItsFirstCheck_IsWaitedForNoLonger()
    {
        var time = new ManualTimeProvider();
        var resolver = new ScriptedResolver { Answer = [IPAddress.Parse("10.1.0.1"), IPAddress.Parse("10.1.0.2")] };
        var connector = new SilentSecond();
        using var upstreams = new Upstreams(time, resolver, connector);
        var message = Checked(Upstreams.Cluster("c", ("backend.test", 8080)));
        message.Type = ClusterV3.Cluster.Types.DiscoveryType.StrictDns;
        upstreams.Apply(message);
        var cluster = upstreams.Table.Find("c")!;
        await connector.Asked.Task.WaitAsync(Until.Limit);
        await Until.TrueAsync(() => upstreams.Metric("envoy_cluster_health_check_failure", "c") == 1);
        cluster.IsWarm.ShouldBeFalse();

        resolver.Answer = [IPAddress.Parse("10.1.0.1")];
        await Until.TrueAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(6));
            return cluster.Endpoints.Count == 1;
        });

        cluster.IsWarm.ShouldBeTrue();
    }

    [Fact]
    public void ClusterOfEndpointsThatAreNotChecked_NeedNotWait()
    {
        using var upstreams = new Upstreams(new ManualTimeProvider(), transports: new SilentSecond());
        var message = Checked(Upstreams.Cluster("c", ("10.1.0.2", 8080)));
        message.LoadAssignment.Endpoints[0].LbEndpoints[0].Endpoint.HealthCheckConfig =
            new EndpointV3.Endpoint.Types.HealthCheckConfig { DisableActiveHealthCheck = true };

        upstreams.Apply(message);

        var cluster = upstreams.Table.Find("c")!;
        cluster.IsWarm.ShouldBeTrue();
        cluster.Choose(0, false, 0).ShouldNotBeNull();
    }

    [Fact]
    public async Task WaitForAClusterThatDoesNotGetWarm_IsAsLongAsConnectingMayTake()
    {
        var time = new ManualTimeProvider();
        using var upstreams = new Upstreams(time, transports: new SilentSecond());
        var message = Checked(Upstreams.Cluster("c", ("10.1.0.2", 8080)));
        message.ConnectTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(3));
        upstreams.Apply(message);
        var cluster = upstreams.Table.Find("c")!;

        var waiting = cluster.WarmAsync().AsTask();
        time.Advance(TimeSpan.FromSeconds(2));
        waiting.IsCompleted.ShouldBeFalse();
        time.Advance(TimeSpan.FromSeconds(2));

        await waiting.WaitAsync(Until.Limit);
        cluster.IsWarm.ShouldBeFalse();
    }

    private static ClusterV3.Cluster Checked(ClusterV3.Cluster cluster)
    {
        cluster.HealthChecks.Add(new CoreV3.HealthCheck
        {
            Timeout = Duration.FromTimeSpan(TimeSpan.FromHours(1)),
            Interval = Duration.FromTimeSpan(TimeSpan.FromHours(1)),
            NoTrafficInterval = Duration.FromTimeSpan(TimeSpan.FromHours(1)),
            UnhealthyThreshold = 1,
            HealthyThreshold = 1,
            TcpHealthCheck = new CoreV3.HealthCheck.Types.TcpHealthCheck(),
        });
        return cluster;
    }

    // Refuses connections, but those to the second address, which it lets wait for ever.
    private sealed class SilentSecond : TransportConnector
    {
        public TaskCompletionSource Asked { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override async ValueTask<TransportConnect> ConnectAsync(IPEndPoint remote, TransportConnectOptions options, CancellationToken cancellationToken)
        {
            if (remote.Address.Equals(IPAddress.Parse("10.1.0.2")))
            {
                Asked.TrySetResult();
                var given = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                await using var up = cancellationToken.UnsafeRegister(static state => ((TaskCompletionSource)state!).TrySetResult(), given);
                await given.Task.WaitAsync(Until.Limit, CancellationToken.None);
            }

            return new TransportConnect(null, StreamResetReason.ConnectionFailure, "refused");
        }
    }
}
