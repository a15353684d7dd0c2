using Google.Protobuf;
using Microsoft.Extensions.Logging;
using Nuncio.Grpc;
using Nuncio.Grpc.Server;

namespace Nuncio.XdsServer;

/// <summary>
/// Serves snapshots over ADS, state of the world and incremental, to Envoys and remote Nuncio proxies: gRPC
/// <c>envoy.service.discovery.v3.AggregatedDiscoveryService</c>. Before the first snapshot clients wait, and go on with what they have.
/// </summary>
public sealed class AdsServer : IXdsSnapshotSink
{
    private const string Service = "envoy.service.discovery.v3.AggregatedDiscoveryService";

    private readonly AdsServerParts _parts;
    private long _streams;
    private int _open;

    /// <summary>A server without a snapshot yet.</summary>
    public AdsServer(AdsServerOptions options, ILoggerFactory loggers, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(loggers);
        ArgumentNullException.ThrowIfNull(time);
        _parts = new AdsServerParts(
            options, new XdsSnapshotHub(), Acks, new EncodedResources(time), new ListenerRoutes(), time, loggers.CreateLogger("nuncio.ads"));
    }

    /// <summary>What the clients made of it.</summary>
    public AckTracker Acks { get; } = new();

    /// <summary>The newest snapshot; null before the first.</summary>
    public XdsSnapshot? Snapshot => _parts.Hub.Current.Snapshot;

    /// <summary>Adds the service to what a gRPC server serves.</summary>
    public GrpcServiceTable AddTo(GrpcServiceTable services)
    {
        ArgumentNullException.ThrowIfNull(services);
        return services
            .Duplex(new GrpcMethod<DiscoveryV3.DiscoveryRequest, DiscoveryV3.DiscoveryResponse>(Service, "StreamAggregatedResources"),
                (requests, responses, context) => RunAsync(new StateOfTheWorldStream(NextNumber(), _parts), requests, responses, context))
            .Duplex(new GrpcMethod<DiscoveryV3.DeltaDiscoveryRequest, DiscoveryV3.DeltaDiscoveryResponse>(Service, "DeltaAggregatedResources"),
                (requests, responses, context) => RunAsync(new DeltaStream(NextNumber(), _parts), requests, responses, context));
    }

    /// <summary>
    /// Offers the snapshot to all clients and returns at once: they are elsewhere and may be away. What they make of it is in <see cref="Acks"/>; the answer
    /// holds what they refuse so far.
    /// </summary>
    public ValueTask<XdsAck> ApplyAsync(XdsSnapshot snapshot, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        _parts.Hub.Publish(snapshot);
        return ValueTask.FromResult(new XdsAck(snapshot.Revision, Acks.Rejections));
    }

    private async Task RunAsync<TRequest, TResponse>(
        AdsStream<TRequest, TResponse> stream, GrpcRequestStream<TRequest> requests, GrpcResponseStream<TResponse> responses, GrpcServerContext context)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        if (Interlocked.Increment(ref _open) > _parts.Options.MaxStreams)
        {
            Interlocked.Decrement(ref _open);
            throw new GrpcStatusException(GrpcStatusCode.ResourceExhausted, "Too many streams.");
        }

        try
        {
            await stream.RunAsync(requests, responses, context);
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    private long NextNumber() => Interlocked.Increment(ref _streams);
}
