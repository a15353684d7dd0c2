using System.Text;
using Google.Protobuf.WellKnownTypes;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Upstream;
using Nuncio.Testing;
using Nuncio.Testing.Backends;

namespace Nuncio.DataPlane.Tests.Upstream;

public class EndpointPoolTests
{
    [Fact]
    public async Task Acquire_OneAfterTheOther_UsesOneConnection()
    {
        await using var backend = WireBackend.StartEcho();
        using var upstreams = new Upstreams();
        upstreams.Apply(Upstreams.Cluster("c", ("127.0.0.1", backend.Port)));
        for (var i = 0; i < 5; i++)
        {
            (await GetAsync(upstreams.Table.Find("c")!)).ShouldBe(200);
        }

        backend.Accepted.ShouldBe(1);
        upstreams.Metric("envoy_cluster_upstream_rq_total", "c").ShouldBe(5);
        upstreams.Metric("envoy_cluster_upstream_rq_active", "c").ShouldBe(0);
        upstreams.Metric("envoy_cluster_upstream_cx_active", "c").ShouldBe(1);
    }

    [Fact]
    public async Task Acquire_MaxRequestsPerConnection_ConnectsAnew()
    {
        await using var backend = WireBackend.StartEcho();
        using var upstreams = new Upstreams();
        var message = Upstreams.Cluster("c", ("127.0.0.1", backend.Port));
        message.MaxRequestsPerConnection = 2;
        upstreams.Apply(message);
        for (var i = 0; i < 4; i++)
        {
            (await GetAsync(upstreams.Table.Find("c")!)).ShouldBe(200);
        }

        backend.Accepted.ShouldBe(2);
        upstreams.Metric("envoy_cluster_upstream_cx_max_requests", "c").ShouldBe(2);
    }

    [Fact]
    public async Task Acquire_NobodyListens_FailsWithTheReason()
    {
        using var upstreams = new Upstreams();
        upstreams.Apply(Upstreams.Cluster("c", ("127.0.0.1", FreePort.Next())));
        var endpoint = upstreams.Table.Find("c")!.Choose(0, false, 0)!;
        var lease = await endpoint.Pool(0, UpstreamCodec.Http1).AcquireAsync(new PoolWaiter());
        lease.Stream.ShouldBeNull();
        lease.Error.ShouldBe(StreamResetReason.ConnectionFailure);
        upstreams.Metric("envoy_cluster_upstream_cx_connect_fail", "c").ShouldBe(1);
        upstreams.Metric("envoy_cluster_upstream_rq_pending_active", "c").ShouldBe(0);
    }

    [Fact]
    public async Task Acquire_NoPendingAllowed_Overflows()
    {
        using var upstreams = new Upstreams();
        var message = Upstreams.Cluster("c", ("127.0.0.1", 1));
        message.CircuitBreakers = new ClusterV3.CircuitBreakers { Thresholds = { new ClusterV3.CircuitBreakers.Types.Thresholds { MaxPendingRequests = 0 } } };
        upstreams.Apply(message);
        var endpoint = upstreams.Table.Find("c")!.Choose(0, false, 0)!;
        var lease = await endpoint.Pool(0, UpstreamCodec.Http1).AcquireAsync(new PoolWaiter());
        lease.Error.ShouldBe(StreamResetReason.Overflow);
        upstreams.Metric("envoy_cluster_upstream_rq_pending_overflow", "c").ShouldBe(1);
    }

    [Fact]
    public async Task Acquire_ConnectionLimitReached_WaitsForTheOneThatIsThere()
    {
        await using var backend = WireBackend.StartEcho();
        using var upstreams = new Upstreams();
        var message = Upstreams.Cluster("c", ("127.0.0.1", backend.Port));
        message.CircuitBreakers = new ClusterV3.CircuitBreakers { Thresholds = { new ClusterV3.CircuitBreakers.Types.Thresholds { MaxConnections = 1 } } };
        upstreams.Apply(message);
        var pool = upstreams.Table.Find("c")!.Choose(0, false, 0)!.Pool(0, UpstreamCodec.Http1);
        var first = await pool.AcquireAsync(new PoolWaiter());
        var second = pool.AcquireAsync(new PoolWaiter());
        second.IsCompleted.ShouldBeFalse();
        await ExchangeAsync(first.Stream!);
        pool.Finish(first.Stream!);
        var lease = await second;
        (await ExchangeAsync(lease.Stream!)).ShouldBe(200);
        pool.Finish(lease.Stream!);
        backend.Accepted.ShouldBe(1);
        upstreams.Metric("envoy_cluster_upstream_cx_overflow", "c").ShouldBe(1);
    }

    [Fact]
    public async Task Cancel_WhileWaiting_EndsTheWait()
    {
        using var upstreams = new Upstreams();
        var message = Upstreams.Cluster("c", ("192.0.2.1", 9));
        message.ConnectTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(30));
        upstreams.Apply(message);
        var waiter = new PoolWaiter();
        var wait = upstreams.Table.Find("c")!.Choose(0, false, 0)!.Pool(0, UpstreamCodec.Http1).AcquireAsync(waiter);
        if (!wait.IsCompleted)
        {
            waiter.Cancel();
            (await wait).Error.ShouldBe(StreamResetReason.LocalReset);
        }

        upstreams.Metric("envoy_cluster_upstream_rq_pending_active", "c").ShouldBe(0);
    }

    [Fact]
    public async Task Idle_LongerThanAllowed_Closes()
    {
        var time = new ManualTimeProvider();
        await using var backend = WireBackend.StartEcho();
        using var upstreams = new Upstreams(time);
        var message = Upstreams.Cluster("c", ("127.0.0.1", backend.Port));
        message.CommonHttpProtocolOptions = new CoreV3.HttpProtocolOptions { IdleTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(4)) };
        upstreams.Apply(message);
        (await GetAsync(upstreams.Table.Find("c")!)).ShouldBe(200);
        time.Advance(TimeSpan.FromSeconds(3));
        upstreams.Metric("envoy_cluster_upstream_cx_active", "c").ShouldBe(1);
        time.Advance(TimeSpan.FromSeconds(2));
        upstreams.Metric("envoy_cluster_upstream_cx_active", "c").ShouldBe(0);
        upstreams.Metric("envoy_cluster_upstream_cx_idle_timeout", "c").ShouldBe(1);
    }

    private static async Task<int> GetAsync(ClusterState cluster)
    {
        var pool = cluster.Choose(0, false, 0)!.Pool(0, UpstreamCodec.Http1);
        var lease = await pool.AcquireAsync(new PoolWaiter());
        var status = await ExchangeAsync(lease.Stream!);
        pool.Finish(lease.Stream!);
        return status;
    }

    private static async Task<int> ExchangeAsync(HttpClientStream stream)
    {
        var headers = new HeaderMap();
        headers.Add(KnownHeader.Method, "GET"u8);
        headers.Add(KnownHeader.Path, "/"u8);
        headers.Add(KnownHeader.Authority, Encoding.ASCII.GetBytes("a.test"));
        headers.Add(KnownHeader.Scheme, "http"u8);
        await stream.WriteHeadersAsync(headers, true);
        await stream.FlushAsync();
        var head = await stream.ReadHeadersAsync();
        head.Error.ShouldBe(StreamResetReason.None);
        while (!head.EndStream && !(await stream.ReadBodyAsync()).EndStream)
        {
        }

        return stream.ResponseHeaders.Status;
    }
}
