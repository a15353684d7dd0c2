using System.Net;
using System.Text.Json;
using System.Threading.Channels;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Tests.Http.Http2;
using Nuncio.DataPlane.Tests.Upstream;
using Nuncio.DataPlane.Transport;
using Nuncio.Xds;

namespace Nuncio.DataPlane.Tests.Health;

/// <summary>A cluster of one endpoint with active checks, whose connections come to the test, under a clock that the test moves.</summary>
internal sealed class HealthFixture : IDisposable
{
    private readonly Connector _connector = new();
    private readonly Upstreams _upstreams;

    /// <param name="check">Fields of the check, as JSON.</param>
    /// <param name="fields">Further fields of the cluster, each with a comma behind.</param>
    public HealthFixture(string check, string fields = "")
    {
        _upstreams = new Upstreams(Time, transports: _connector);
        using var json = JsonDocument.Parse($$"""
            {"name":"c","type":"STATIC","common_lb_config":{"healthy_panic_threshold":{"value":0} },{{fields}}"health_checks":[ { {{check}} } ],
             "load_assignment":{"cluster_name":"c","endpoints":[{"lb_endpoints":[{"endpoint":{"address":{"socket_address":{"address":"127.0.0.1","port_value":1} } } }] }] } }
            """);
        XdsJson.TryParse<ClusterV3.Cluster>(json.RootElement, out var message, out var error).ShouldBeTrue(error?.ToString());
        _upstreams.Apply(message!);
        _upstreams.Refused.ShouldBeEmpty();
    }

    public ManualTimeProvider Time { get; } = new();

    public ClusterState Cluster => _upstreams.Table.Find("c")!;

    /// <summary>Nobody listens.</summary>
    public bool Refuses
    {
        set => _connector.Refuses = value;
    }

    /// <summary>Connecting takes for ever.</summary>
    public bool Hangs
    {
        set => _connector.Hangs = value;
    }

    /// <summary>A counter or gauge, the words after <c>envoy_cluster_</c>.</summary>
    public long Count(string name) => _upstreams.Metric("envoy_cluster_" + name, "c") ?? 0;

    /// <summary>How many checks have a result.</summary>
    public long Results => Count("health_check_success") + Count("health_check_failure");

    /// <summary>The next connection, as time goes by.</summary>
    public async Task<MemoryTransport> AcceptAsync()
    {
        var accepting = _connector.Accepted.ReadAsync().AsTask();
        await PassUntilAsync(() => accepting.IsCompleted);
        return await accepting;
    }

    /// <summary>Lets time go by, 50 ms a step, until something is so.</summary>
    public Task PassUntilAsync(Func<bool> condition) => Until.TrueAsync(() =>
    {
        if (condition())
        {
            return true;
        }

        Time.Advance(TimeSpan.FromMilliseconds(50));
        return condition();
    });

    public void Dispose() => _upstreams.Dispose();

    private sealed class Connector : TransportConnector
    {
        private readonly Channel<MemoryTransport> _accepted = Channel.CreateUnbounded<MemoryTransport>();

        public ChannelReader<MemoryTransport> Accepted => _accepted.Reader;

        public bool Refuses { get; set; }

        public bool Hangs { get; set; }

        public override async ValueTask<TransportConnect> ConnectAsync(IPEndPoint remote, TransportConnectOptions options, CancellationToken cancellationToken)
        {
            if (Hangs)
            {
                var given = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                await using (cancellationToken.UnsafeRegister(static state => ((TaskCompletionSource)state!).SetResult(), given))
                {
                    await given.Task.WaitAsync(Until.Limit, CancellationToken.None);
                }

                return new TransportConnect(null, Nuncio.DataPlane.Http.StreamResetReason.LocalReset, "");
            }

            if (Refuses)
            {
                return new TransportConnect(null, Nuncio.DataPlane.Http.StreamResetReason.ConnectionFailure, "refused");
            }

            var (ours, theirs) = MemoryTransport.CreatePair();
            _accepted.Writer.TryWrite(theirs);
            return TransportConnect.Of(ours);
        }
    }
}
