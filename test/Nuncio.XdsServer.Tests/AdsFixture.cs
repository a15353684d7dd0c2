using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Nuncio.Grpc;
using Nuncio.Grpc.Client;
using Nuncio.Grpc.Server;

namespace Nuncio.XdsServer.Tests;

/// <summary>A server on a port of its own, and clients that say exactly what a test wants.</summary>
public sealed class AdsFixture : IAsyncDisposable
{
    private const string Service = "envoy.service.discovery.v3.AggregatedDiscoveryService";
    private readonly GrpcServer _grpc;
    private readonly SocketGrpcTransport _transport;
    private readonly GrpcClient _client;

    private AdsFixture(AdsServer server, GrpcServer grpc)
    {
        Server = server;
        _grpc = grpc;
        _transport = new SocketGrpcTransport(new Uri($"http://127.0.0.1:{grpc.Port}"));
        _client = new GrpcClient(_transport);
    }

    public AdsServer Server { get; }

    internal static async Task<AdsFixture> StartAsync(AdsServerOptions? options = null, TimeProvider? time = null)
    {
        var server = new AdsServer(options ?? new AdsServerOptions { RemovalDelay = TimeSpan.Zero }, NullLoggerFactory.Instance, time ?? TimeProvider.System);
        var grpc = await GrpcServer.StartAsync(
            new GrpcServerOptions { Address = new IPEndPoint(IPAddress.Loopback, 0) }, server.AddTo(new GrpcServiceTable()), NullLoggerFactory.Instance);
        return new AdsFixture(server, grpc);
    }

    internal ValueTask<XdsAck> PublishAsync(Snapshots snapshot) => Server.ApplyAsync(snapshot.Build(), CancellationToken.None);

    internal async Task<DeltaPeer> DeltaAsync() => new(await _client.DuplexAsync(
        new GrpcMethod<DiscoveryV3.DeltaDiscoveryRequest, DiscoveryV3.DeltaDiscoveryResponse>(Service, "DeltaAggregatedResources"), GrpcCallOptions.Default));

    internal async Task<WorldPeer> WorldAsync() => new(await _client.DuplexAsync(
        new GrpcMethod<DiscoveryV3.DiscoveryRequest, DiscoveryV3.DiscoveryResponse>(Service, "StreamAggregatedResources"), GrpcCallOptions.Default));

    public async ValueTask DisposeAsync()
    {
        _transport.Dispose();
        await _grpc.DisposeAsync();
    }
}
