using System.Text;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Upstream;
using Nuncio.Grpc;
using Nuncio.Grpc.Client;

namespace Nuncio.DataPlane.External;

/// <summary>Opens gRPC streams over the proxy's own clusters: load balancing, TLS, limits and statistics are those of any request.</summary>
internal sealed class ClusterGrpcTransport(UpstreamCalls calls, GrpcServiceModel service) : GrpcTransport
{
    /// <inheritdoc/>
    public override async ValueTask<GrpcTransportStream> OpenAsync(GrpcRequestHead head, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(head);
        if (calls.Clusters.Find(service.Cluster) is not { } cluster || cluster.Choose(0, hasHash: false, 0) is not { } endpoint)
        {
            throw new GrpcStatusException(GrpcStatusCode.Unavailable, $"The cluster {service.Cluster} has no endpoint.");
        }

        var headers = new HeaderMap();
        GrpcUnary.WriteHead(headers, service, Encoding.ASCII.GetBytes(head.Path), TimeSpan.Zero, cluster.Model.Transport is { IsTls: true });
        for (var i = 0; i < head.Headers.Count; i++)
        {
            var (name, value) = head.Headers[i];
            if (name is not ("te" or "content-type" or "user-agent"))
            {
                headers.Add(Encoding.ASCII.GetBytes(name), Encoding.Latin1.GetBytes(value));
            }
        }

        if (!service.SkipEnvoyHeaders)
        {
            headers.Set(KnownHeader.XEnvoyInternal, "true"u8);
            headers.Add(KnownHeader.XForwardedFor, LocalAddress.Text);
        }

        var upstreamName = UpstreamName.Of(cluster.Model, headers);
        var pool = endpoint.Pool(0, cluster.CodecFor(HttpProtocolVersion.Http2), upstreamName);
        var waiter = new PoolWaiter();
        var acquiring = pool.AcquireAsync(waiter);
        PoolLease lease;
        await using (cancellation.UnsafeRegister(static state => ((PoolWaiter)state!).Cancel(), waiter))
        {
            lease = await acquiring;
        }

        if (lease.Stream is not { } stream)
        {
            cancellation.ThrowIfCancellationRequested();
            throw new GrpcStatusException(GrpcStatusCode.Unavailable, $"There is no connection to the cluster {service.Cluster}. {lease.Message}");
        }

        var opened = new ClusterGrpcStream(stream, pool);
        if (await stream.WriteHeadersAsync(headers, endStream: false) != StreamResetReason.None || await stream.FlushAsync() != StreamResetReason.None)
        {
            await opened.DisposeAsync();
            throw new GrpcStatusException(GrpcStatusCode.Unavailable, $"The connection to the cluster {service.Cluster} broke.");
        }

        return opened;
    }
}
