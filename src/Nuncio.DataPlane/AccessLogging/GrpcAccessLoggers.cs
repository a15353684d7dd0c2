using Google.Protobuf;
using Nuncio.DataPlane.External;
using Nuncio.DataPlane.Telemetry;

namespace Nuncio.DataPlane.AccessLogging;

/// <summary>
/// One logger per configuration, whatever listeners come and go: an unchanged one keeps its stream, and one that no listener has any more closes it when
/// what its last requests leave is sent.
/// </summary>
internal sealed class GrpcAccessLoggers(UpstreamCalls calls, MetricsRegistry metrics) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ByteString, GrpcAccessLogger> _loggers = [];

    // A request of an old configuration holds its logger; when none does, there is nothing left to end.
    private readonly List<WeakReference<GrpcAccessLogger>> _retired = [];

    /// <summary>How many configurations have a logger.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _loggers.Count;
            }
        }
    }

    /// <summary>The logger of a configuration.</summary>
    /// <param name="key">The configuration's bytes.</param>
    /// <param name="options">What they say.</param>
    public GrpcAccessLogger Get(ByteString key, GrpcAccessLoggerOptions options)
    {
        lock (_gate)
        {
            if (!_loggers.TryGetValue(key, out var logger))
            {
                _loggers.Add(key, logger = new GrpcAccessLogger(options, calls, metrics));
            }

            return logger;
        }
    }

    /// <summary>Retires the loggers that are not among <paramref name="used"/>.</summary>
    public void Trim(IReadOnlySet<GrpcAccessLogger> used)
    {
        lock (_gate)
        {
            _retired.RemoveAll(static reference => !reference.TryGetTarget(out _));
            foreach (var (key, logger) in _loggers)
            {
                if (!used.Contains(logger))
                {
                    // Allowed by Dictionary: removing does not end an enumeration.
                    _loggers.Remove(key);
                    _retired.Add(new WeakReference<GrpcAccessLogger>(logger));
                    logger.Retire();
                }
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        List<GrpcAccessLogger> left;
        lock (_gate)
        {
            left = [.. _loggers.Values];
            foreach (var reference in _retired)
            {
                if (reference.TryGetTarget(out var logger))
                {
                    left.Add(logger);
                }
            }

            _loggers.Clear();
            _retired.Clear();
        }

        foreach (var logger in left)
        {
            await logger.DisposeAsync();
        }
    }
}
