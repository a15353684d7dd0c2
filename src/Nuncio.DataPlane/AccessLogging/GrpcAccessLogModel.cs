using Nuncio.DataPlane.Pipeline;

namespace Nuncio.DataPlane.AccessLogging;

/// <summary>Entries sent to a log service over gRPC (envoy.access_loggers.http_grpc and tcp_grpc).</summary>
internal sealed class GrpcAccessLogModel(GrpcAccessLogger logger, GrpcAccessLogEntries entries) : AccessLogModel
{
    /// <summary>Sends them.</summary>
    public GrpcAccessLogger Logger => logger;

    /// <inheritdoc/>
    public override void Write(HttpExchange exchange) => logger.Add(entries, exchange);
}
