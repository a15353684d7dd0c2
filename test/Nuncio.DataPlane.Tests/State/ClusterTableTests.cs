using System.Net;
using System.Net.Sockets;
using Google.Protobuf.WellKnownTypes;
using Nuncio.DataPlane.Telemetry;
using Nuncio.DataPlane.Tests.Upstream;
using Nuncio.DataPlane.Upstream;
using Nuncio.Testing;
using Nuncio.Testing.Backends;

namespace Nuncio.DataPlane.Tests.State;

public class ClusterTableTests
{
    [Fact]
    public async Task Cluster_ThatIsGone_TakesItsStatisticsAlong()
    {
        await using var backend = WireBackend.StartEcho();
        using var upstreams = new Upstreams();
        var other = Upstreams.Cluster("other", ("127.0.0.1", backend.Port));
        upstreams.Apply(Upstreams.Cluster("c", ("127.0.0.1", backend.Port)), other);
        var state = upstreams.Table.Find("c")!;
        state.Metrics.Responses.Count(503);
        state.Metrics.RequestsTotal.Increment();
        Text().ShouldContain("envoy_response_code=\"503\",envoy_cluster_name=\"c\"");

        upstreams.Apply(other);

        Text().ShouldNotContain("envoy_cluster_name=\"c\"");
        upstreams.Metric("envoy_cluster_upstream_rq_total", "other").ShouldBe(0);
        upstreams.Apply(Upstreams.Cluster("c", ("127.0.0.1", backend.Port)), other);
        upstreams.Metric("envoy_cluster_upstream_rq_total", "c").ShouldBe(0);

        string Text()
        {
            var buffer = new System.Buffers.ArrayBufferWriter<byte>();
            PrometheusTextWriter.Write(upstreams.Environment.Metrics, buffer);
            return System.Text.Encoding.UTF8.GetString(buffer.WrittenSpan);
        }
    }

    [Fact]
    public void Commit_EndpointChange_KeepsTheClusterAndItsOtherEndpoints()
    {
        using var upstreams = new Upstreams();
        upstreams.Apply(Upstreams.Cluster("c", ("10.0.0.1", 80), ("10.0.0.2", 80)));
        var cluster = upstreams.Table.Find("c")!;
        var first = cluster.Endpoints[0];
        upstreams.Apply(Upstreams.Cluster("c", ("10.0.0.1", 80), ("10.0.0.3", 80)));
        upstreams.Table.Find("c").ShouldBeSameAs(cluster);
        cluster.Endpoints[0].ShouldBeSameAs(first);
        cluster.Endpoints.Select(e => e.AddressText).ShouldBe(["10.0.0.1:80", "10.0.0.3:80"]);
    }

    [Fact]
    public void Commit_OtherChange_MakesAnewClusterWithTheSameCounters()
    {
        using var upstreams = new Upstreams();
        upstreams.Apply(Upstreams.Cluster("c", ("10.0.0.1", 80)));
        var cluster = upstreams.Table.Find("c")!;
        cluster.Metrics.RequestsTotal.Add(7);
        var changed = Upstreams.Cluster("c", ("10.0.0.1", 80));
        changed.ConnectTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(1));
        upstreams.Apply(changed);
        upstreams.Table.Find("c").ShouldNotBeSameAs(cluster);
        upstreams.Table.Find("c")!.Metrics.RequestsTotal.Value.ShouldBe(7);
    }

    [Fact]
    public void Prepare_BadCluster_IsRefusedAndTheGoodOneBeforeStays()
    {
        using var upstreams = new Upstreams();
        upstreams.Apply(Upstreams.Cluster("c", ("10.0.0.1", 80)));
        var cluster = upstreams.Table.Find("c")!;
        var bad = Upstreams.Cluster("c", ("10.0.0.1", 80));
        bad.UseTcpForDnsLookups = true;
        upstreams.Apply(bad, Upstreams.Cluster("d", ("10.0.0.1", 80)));
        upstreams.Refused.ShouldHaveSingleItem().Name.ShouldBe("c");
        upstreams.Table.Find("c").ShouldBeSameAs(cluster);
        upstreams.Table.Find("d").ShouldNotBeNull();
    }

    [Fact]
    public async Task Trim_ClusterThatIsGone_ServesRequestsOfItsGenerationAndNoOthers()
    {
        using var upstreams = new Upstreams();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        upstreams.Apply(Upstreams.Cluster("c", ("127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port)));
        var generation = upstreams.Table.Current;

        upstreams.Apply(Upstreams.Cluster("d", ("10.0.0.1", 80)));

        upstreams.Table.Find("c").ShouldBeNull();
        upstreams.Table.Find("d").ShouldNotBeNull();
        var endpoint = generation.Find("c")!.Choose(0, false, 0)!;
        var lease = await endpoint.Pool(0, UpstreamCodec.Http1).AcquireAsync(new PoolWaiter());
        lease.Stream.ShouldNotBeNull();
        endpoint.Pool(0, UpstreamCodec.Http1).Finish(lease.Stream);
    }

    [Fact]
    public async Task StrictDns_AnswersChangeAndFail_FollowsAnswersAndKeepsTheLastGoodOne()
    {
        var time = new ManualTimeProvider();
        var resolver = new ScriptedResolver { Answer = [IPAddress.Parse("10.1.0.1"), IPAddress.Parse("10.1.0.2")] };
        using var upstreams = new Upstreams(time, resolver);
        var message = Upstreams.Cluster("c", ("backend.test", 8080));
        message.Type = ClusterV3.Cluster.Types.DiscoveryType.StrictDns;
        upstreams.Apply(message);
        var cluster = upstreams.Table.Find("c")!;
        await cluster.Warm.WaitAsync(Until.Limit);
        cluster.Endpoints.Select(e => e.AddressText).ShouldBe(["10.1.0.1:8080", "10.1.0.2:8080"]);
        cluster.Endpoints[0].Model.Hostname.ShouldBe("backend.test");

        resolver.Answer = null;
        await UntilAsync(() => cluster.Metrics.UpdateFailure.Value > 0);
        cluster.Endpoints.Count.ShouldBe(2);

        resolver.Answer = [IPAddress.Parse("10.1.0.2")];
        await UntilAsync(() => cluster.Endpoints.Select(e => e.AddressText).SequenceEqual(["10.1.0.2:8080"]));

        resolver.Answer = [];
        await UntilAsync(() => cluster.Endpoints.Count == 0);

        // An answer before may still be on its way when the next one is asked for.
        Task UntilAsync(Func<bool> condition, [System.Runtime.CompilerServices.CallerArgumentExpression(nameof(condition))] string what = "") =>
            Until.TrueAsync(
                () =>
                {
                    time.Advance(TimeSpan.FromSeconds(6));
                    return condition();
                },
                what: what);
    }

    [Fact]
    public async Task RespectDnsTtl_AsksAgainWhenTheTimeToLiveIsOver()
    {
        var time = new ManualTimeProvider();
        var resolver = new ScriptedResolver { Answer = [IPAddress.Loopback], TimeToLive = TimeSpan.FromSeconds(40) };
        using var upstreams = new Upstreams(time, resolver);
        var message = Upstreams.Cluster("c", ("some.name", 80));
        message.Type = ClusterV3.Cluster.Types.DiscoveryType.StrictDns;
        message.RespectDnsTtl = true;
        upstreams.Apply(message);
        await upstreams.Table.Find("c")!.Warm.WaitAsync(Until.Limit);
        await UntilAsync(1);

        time.Advance(TimeSpan.FromSeconds(39));
        resolver.Questions.ShouldBe(1);
        resolver.TimeToLive = TimeSpan.Zero;
        time.Advance(TimeSpan.FromSeconds(2));
        await UntilAsync(2);

        // A time to live of 0 is none: the refresh rate counts, 5 s by default.
        time.Advance(TimeSpan.FromSeconds(6));
        await UntilAsync(3);

        async Task UntilAsync(long answers)
        {
            await Until.TrueAsync(() => upstreams.Metric("envoy_cluster_update_success", "c") >= answers);
            // The timer of the next question is started before the answer is told.
            resolver.Questions.ShouldBe((int)answers);
        }
    }
}
