using Nuncio.DataPlane.Http;

namespace Nuncio.DataPlane.Upstream;

/// <summary>A stream to send one request on, or why there is none. Given back with <see cref="EndpointPool.Finish"/>.</summary>
/// <param name="Stream">Null when there is none.</param>
/// <param name="Error">Overflow, ConnectionFailure, ConnectionTimeout or LocalReset when there is none.</param>
/// <param name="Message">Envoy's transport failure reason; empty for none.</param>
internal readonly record struct PoolLease(HttpClientStream? Stream, StreamResetReason Error, string Message)
{
    /// <summary>Too many requests wait for connections.</summary>
    public bool IsQueueFull { get; init; }

    public static PoolLease Failed(StreamResetReason error, string message = "") => new(null, error, message);
}
