using System.Collections.Concurrent;
using Google.Protobuf;
using Nuncio.DataPlane.External;
using Nuncio.DataPlane.Telemetry;

namespace Nuncio.DataPlane.AccessLogging;

/// <summary>One logger per configuration, whatever listeners come and go: an unchanged one keeps its stream.</summary>
internal sealed class GrpcAccessLoggers(UpstreamCalls calls, MetricsRegistry metrics) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<ByteString, Lazy<GrpcAccessLogger>> _loggers = new();

    /// <summary>The logger of a configuration.</summary>
    /// <param name="key">The configuration's bytes.</param>
    /// <param name="options">What they say.</param>
    public GrpcAccessLogger Get(ByteString key, GrpcAccessLoggerOptions options) =>
        _loggers.GetOrAdd(key, _ => new Lazy<GrpcAccessLogger>(() => new GrpcAccessLogger(options, calls, metrics))).Value;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var logger in _loggers.Values)
        {
            await logger.Value.DisposeAsync();
        }
    }
}
