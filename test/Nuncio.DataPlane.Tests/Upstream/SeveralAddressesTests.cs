using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Tests.Http.Http2;
using Nuncio.DataPlane.Transport;
using Nuncio.DataPlane.Upstream;

namespace Nuncio.DataPlane.Tests.Upstream;

/// <summary>
/// A name with several addresses: LOGICAL_DNS goes to the first one that can be connected to, and keeps what it knows; as measured with Envoy 1.40.
/// </summary>
public sealed class SeveralAddressesTests
{
    [Fact]
    public async Task FirstAddressRefuses_TheNextOneIsTakenAtOnce()
    {
        using var fixture = new Fixture("10.0.0.1", "10.0.0.2", "10.0.0.3");
        fixture.Connector.Refused.Add("10.0.0.1");
        (await fixture.AcquireAsync().WaitAsync(Until.Limit)).Stream.ShouldNotBeNull();
        fixture.Connector.Asked.ShouldBe(["10.0.0.1", "10.0.0.2"]);
        fixture.Cluster.Endpoints.ShouldHaveSingleItem().AddressText.ShouldBe("10.0.0.1:80");
    }

    [Fact]
    public async Task FirstAddressDoesNotAnswer_TheNextOneIsTriedBesideItSoon()
    {
        using var fixture = new Fixture("10.0.0.1", "10.0.0.2");
        var late = fixture.Connector.Held["10.0.0.1"] = new TaskCompletionSource();
        var acquiring = fixture.AcquireAsync();
        await Until.TrueAsync(() => fixture.Connector.Asked.Count == 1);
        fixture.Time.Advance(TimeSpan.FromMilliseconds(250));
        fixture.Connector.Asked.Count.ShouldBe(1);
        await fixture.PassUntilAsync(() => acquiring.IsCompleted);
        (await acquiring).Stream.ShouldNotBeNull();
        fixture.Connector.Asked.ShouldBe(["10.0.0.1", "10.0.0.2"]);

        // What comes about after that is closed.
        late.SetResult();
        await Until.TrueAsync(() => fixture.Connector.Made.GetValueOrDefault("10.0.0.1") is null or { IsAborted: true });
    }

    [Fact]
    public async Task AllRefuse_TheFailureIsTold()
    {
        using var fixture = new Fixture("10.0.0.1", "10.0.0.2");
        fixture.Connector.Refused.UnionWith(["10.0.0.1", "10.0.0.2"]);
        var lease = await fixture.AcquireAsync().WaitAsync(Until.Limit);
        lease.Stream.ShouldBeNull();
        lease.Error.ShouldBe(StreamResetReason.ConnectionFailure);
        fixture.Connector.Asked.ShouldBe(["10.0.0.1", "10.0.0.2"]);
    }

    [Fact]
    public async Task NoneAnswers_TheConnectTimeoutIsForAllOfThem()
    {
        using var fixture = new Fixture(1, "10.0.0.1", "10.0.0.2");
        fixture.Connector.Held["10.0.0.1"] = fixture.Connector.Held["10.0.0.2"] = new TaskCompletionSource();
        var acquiring = fixture.AcquireAsync();
        await fixture.PassUntilAsync(() => acquiring.IsCompleted);
        (await acquiring).Error.ShouldBe(StreamResetReason.ConnectionTimeout);
    }

    [Fact]
    public async Task AnswerWithoutAddresses_IsAFailureThatKeepsTheLastOne()
    {
        using var fixture = new Fixture("10.0.0.1");
        fixture.Resolver.Answer = [];
        await fixture.PassUntilAsync(() => fixture.Cluster.Metrics.UpdateFailure.Value > 1);
        fixture.Cluster.Endpoints.ShouldHaveSingleItem().AddressText.ShouldBe("10.0.0.1:80");
        fixture.Resolver.Answer = [IPAddress.Parse("10.0.0.9"), IPAddress.Parse("10.0.0.8")];
        await fixture.PassUntilAsync(() => fixture.Cluster.Endpoints[0].AddressText == "10.0.0.9:80");
        fixture.Connector.Refused.Add("10.0.0.9");
        (await fixture.AcquireAsync().WaitAsync(Until.Limit)).Stream.ShouldNotBeNull();
        fixture.Connector.Asked.ShouldBe(["10.0.0.9", "10.0.0.8"]);
    }

    private sealed class Fixture : IDisposable
    {
        private readonly Upstreams _upstreams;

        // The connect timeout is longer than a test lets time go by, but where that is wanted.
        public Fixture(params string[] addresses)
            : this(600, addresses)
        {
        }

        public Fixture(int connectSeconds, params string[] addresses)
        {
            Resolver.Answer = [.. addresses.Select(IPAddress.Parse)];
            _upstreams = new Upstreams(Time, Resolver, Connector);
            var message = Upstreams.Cluster("c", ("some.test", 80));
            message.Type = ClusterV3.Cluster.Types.DiscoveryType.LogicalDns;
            message.ConnectTimeout = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromSeconds(connectSeconds));
            _upstreams.Apply(message);
            _upstreams.Refused.ShouldBeEmpty();
        }

        public ManualTimeProvider Time { get; } = new();

        public ScriptedConnector Connector { get; } = new();

        public Answers Resolver { get; } = new();

        public ClusterState Cluster => _upstreams.Table.Find("c")!;

        public async Task<PoolLease> AcquireAsync()
        {
            await Cluster.Warm.WaitAsync(Until.Limit);
            return await Cluster.Choose(0, false, 0)!.Pool(0, UpstreamCodec.Http1).AcquireAsync(new PoolWaiter());
        }

        public Task PassUntilAsync(Func<bool> condition) => Until.TrueAsync(() =>
        {
            if (!condition()) Time.Advance(TimeSpan.FromMilliseconds(100));
            return condition();
        });

        public void Dispose() => _upstreams.Dispose();
    }

    private sealed class Answers : NameResolver
    {
        public IPAddress[] Answer { get; set; } = [];

        public override ValueTask<IPAddress[]?> ResolveAsync(string name, AddressFamily family, CancellationToken cancellationToken) => new(Answer);
    }

    private sealed class ScriptedConnector : TransportConnector
    {
        public HashSet<string> Refused { get; } = [];

        public Dictionary<string, TaskCompletionSource> Held { get; } = [];

        public ConcurrentDictionary<string, MemoryTransport> Made { get; } = [];

        public ConcurrentQueue<string> Asked { get; } = [];

        public override async ValueTask<TransportConnect> ConnectAsync(IPEndPoint remote, TransportConnectOptions options, CancellationToken cancellationToken)
        {
            var name = remote.Address.ToString();
            Asked.Enqueue(name);
            if (Refused.Contains(name)) return new TransportConnect(null, StreamResetReason.ConnectionFailure, "refused");
            if (Held.TryGetValue(name, out var held))
            {
                var given = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                await using var registration = cancellationToken.UnsafeRegister(static state => ((TaskCompletionSource)state!).TrySetResult(), given);
                if (await Task.WhenAny(held.Task, given.Task).WaitAsync(Until.Limit, CancellationToken.None) == given.Task)
                {
                    return new TransportConnect(null, StreamResetReason.LocalReset, "");
                }
            }

            var (ours, _) = MemoryTransport.CreatePair();
            Made[name] = ours;
            return TransportConnect.Of(ours);
        }
    }
}
