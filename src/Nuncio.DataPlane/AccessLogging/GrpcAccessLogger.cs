using System.Threading.Channels;
using Envoy.Service.Accesslog.V3;
using Google.Protobuf;
using Nuncio.DataPlane.External;
using Nuncio.DataPlane.Pipeline;
using Nuncio.DataPlane.Telemetry;
using Nuncio.DataPlane.Time;
using Nuncio.Grpc;
using Nuncio.Grpc.Client;

namespace Nuncio.DataPlane.AccessLogging;

/// <summary>
/// Sends entries to one log service over a stream that is kept open (envoy.service.accesslog.v3). Entries are gathered up to a size or for a time; where the
/// service is away or slow a bounded number of batches waits, and what is more is dropped and counted rather than requests held up. The stream begins with the
/// first batch; that of a retired logger ends when everything is sent, and begins again for what a request adds that was open all the time.
/// </summary>
internal sealed class GrpcAccessLogger : IAsyncDisposable
{
    private const int MaxWaitingBatches = 64;

    // For a service to end a stream whose end it was told.
    private static readonly TimeSpan LastAnswer = TimeSpan.FromSeconds(1);

    private static readonly GrpcMethod<StreamAccessLogsMessage, StreamAccessLogsResponse> StreamAccessLogs =
        new("envoy.service.accesslog.v3.AccessLogService", "StreamAccessLogs");

    private readonly GrpcAccessLoggerOptions _options;
    private readonly TimerService _timers;
    private readonly Lock _gate = new();
    private readonly Channel<Batch> _batches = Channel.CreateBounded<Batch>(new BoundedChannelOptions(MaxWaitingBatches) { SingleReader = true });
    private readonly CancellationTokenSource _end = new();
    private readonly CallbackTimer _flush;
    private readonly GrpcClient _client;
    private readonly MetricCounter _written;
    private readonly MetricCounter _dropped;
    private readonly TaskCompletionSource _retirement = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _running = Task.CompletedTask;
    private bool _isRunning;
    private bool _ended;
    private StreamAccessLogsMessage? _current;
    private long _currentBytes;
    private int _currentCount;
    private Batch? _underWay;

    public GrpcAccessLogger(GrpcAccessLoggerOptions options, UpstreamCalls calls, MetricsRegistry metrics)
    {
        _options = options;
        _timers = calls.Timers;
        _client = new GrpcClient(new ClusterGrpcTransport(calls, options.Service), new GrpcClientOptions { Time = calls.Timers.Time, UserAgent = "" });
        _flush = calls.Timers.Create(Flush);
        _written = metrics.Counter("envoy_access_logs_grpc_access_log_logs_written", MetricLabels.None);
        _dropped = metrics.Counter("envoy_access_logs_grpc_access_log_logs_dropped", MetricLabels.None);
    }

    /// <summary>No configuration has it any more.</summary>
    public void Retire()
    {
        Flush();
        _retirement.TrySetResult();
    }

    /// <summary>Takes a request that has ended.</summary>
    public void Add(GrpcAccessLogEntries entries, HttpExchange exchange)
    {
        if (entries.IsTcp || exchange.IsConnection)
        {
            var entry = GrpcAccessLogEntries.Tcp(exchange);
            Add(entry, static (message, e) => (message.TcpLogs ??= new()).LogEntry.Add(e));
        }
        else
        {
            var entry = entries.Http(exchange);
            Add(entry, static (message, e) => (message.HttpLogs ??= new()).LogEntry.Add(e));
        }
    }

    /// <summary>Sends what is there, for a moment, and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        _flush.Cancel();
        Flush();
        Task running;
        lock (_gate)
        {
            _ended = true;
            running = _running;
        }

        _batches.Writer.TryComplete();
        _end.CancelAfter(TimeSpan.FromSeconds(1));
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        DropAll();
        _end.Dispose();
    }

    private void Add<T>(T entry, Action<StreamAccessLogsMessage, T> add)
        where T : IMessage
    {
        bool full;
        lock (_gate)
        {
            if (_current is null)
            {
                _current = new StreamAccessLogsMessage();
                _flush.Start(_options.FlushInterval);
            }

            add(_current, entry);
            _currentBytes += entry.CalculateSize();
            _currentCount++;
            full = _currentBytes >= _options.BufferBytes;
        }

        if (full)
        {
            Flush();
        }
    }

    private void Flush()
    {
        lock (_gate)
        {
            if (_current is null)
            {
                return;
            }

            if (!_batches.Writer.TryWrite(new Batch(_current, _currentCount)))
            {
                _dropped.Add(_currentCount);
            }

            _current = null;
            _currentBytes = _currentCount = 0;
            if (!_isRunning && !_ended)
            {
                _isRunning = true;
                _running = RunAsync();
            }
        }
    }

    private async Task RunAsync()
    {
        // Not on the request's thread.
        await Task.Yield();
        var backOff = new GrpcBackOff();
        while (await HasBatchAsync())
        {
            try
            {
                var call = await _client.DuplexAsync(StreamAccessLogs, GrpcCallOptions.Default, _end.Token);
                await using (call)
                {
                    await SendAsync(call, backOff);
                }
            }
            catch (GrpcStatusException) when (_retirement.Task.IsCompleted)
            {
                // Its cluster may be gone for good.
                DropAll();
            }
            catch (GrpcStatusException)
            {
                // Tried again after a while; what waits meanwhile is bounded.
            }

            if (!_retirement.Task.IsCompleted && (_underWay is not null || !_batches.Reader.Completion.IsCompleted))
            {
                await Task.WhenAny(Task.Delay(backOff.Next(), _timers.Time, _end.Token), _retirement.Task);
            }
        }
    }

    // False: it is over, or retired with nothing left to send; who adds something then begins again.
    private async ValueTask<bool> HasBatchAsync()
    {
        while (_underWay is null)
        {
            lock (_gate)
            {
                if (_batches.Reader.TryRead(out _underWay))
                {
                    break;
                }

                if (_ended || _retirement.Task.IsCompleted)
                {
                    _isRunning = false;
                    return false;
                }
            }

            await Task.WhenAny(_batches.Reader.WaitToReadAsync(_end.Token).AsTask(), _retirement.Task);
        }

        return !_end.IsCancellationRequested;
    }

    private async Task SendAsync(GrpcDuplexCall<StreamAccessLogsMessage, StreamAccessLogsResponse> call, GrpcBackOff backOff)
    {
        // The service says nothing until it ends the stream.
        var ended = call.ReadAsync(_end.Token).AsTask();
        var isFirst = true;
        while (true)
        {
            if (_underWay is { } batch)
            {
                if (isFirst)
                {
                    batch.Message.Identifier = new StreamAccessLogsMessage.Types.Identifier
                    {
                        Node = new CoreV3.Node { Id = _options.Node, Cluster = _options.Node },
                        LogName = _options.LogName,
                    };
                    isFirst = false;
                }
                else
                {
                    batch.Message.Identifier = null;
                }

                // A batch that cannot be written is the first of the next stream.
                await call.WriteAsync(batch.Message, _end.Token);
                _underWay = null;
                _written.Add(batch.Count);
                backOff.Reset();
            }

            if (_batches.Reader.TryRead(out var next))
            {
                _underWay = next;
                continue;
            }

            var waiting = _batches.Reader.WaitToReadAsync(_end.Token).AsTask();
            var first = await Task.WhenAny(waiting, ended, _retirement.Task);
            if (first == ended)
            {
                await ended;
                return;
            }

            if (first == waiting ? !await waiting : _batches.Reader.Count == 0)
            {
                await call.CompleteAsync(_end.Token);
                await ((Task)ended).WaitAsync(LastAnswer, _timers.Time, _end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                return;
            }
        }
    }

    private void DropAll()
    {
        _dropped.Add(_underWay?.Count ?? 0);
        _underWay = null;
        while (_batches.Reader.TryRead(out var left))
        {
            _dropped.Add(left.Count);
        }
    }

    private sealed record Batch(StreamAccessLogsMessage Message, int Count);
}

/// <summary>Where entries go and how they are gathered.</summary>
internal sealed record GrpcAccessLoggerOptions
{
    /// <summary>The log service.</summary>
    public required GrpcServiceModel Service { get; init; }

    /// <summary>The log's name, told to the service.</summary>
    public required string LogName { get; init; }

    /// <summary>The proxy's name, told to the service.</summary>
    public string Node { get; init; } = "ambassador-default";

    /// <summary>How long entries are gathered; a second.</summary>
    public TimeSpan FlushInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How much is gathered, in bytes; 16 KiB. With 0 each entry goes at once.</summary>
    public long BufferBytes { get; init; } = 16_384;
}
