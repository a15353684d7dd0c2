using Nuncio.DataPlane.External;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Telemetry;
using Nuncio.DataPlane.Time;

namespace Nuncio.DataPlane.Tracing;

/// <summary>
/// Gathers spans and sends them in reports, every few spans or seconds. One report is under way at a time; what a slow or absent service leaves waiting
/// is bounded, and what is more is dropped and counted.
/// </summary>
internal sealed class TraceReporter : IAsyncDisposable
{
    private const int MaxWaiting = 2048;
    private const int MaxAnswerBytes = 64 * 1024;

    private readonly TraceReportFormat _format;
    private readonly UpstreamCalls _calls;
    private readonly Lock _gate = new();
    private readonly CallbackTimer _timer;
    private readonly MetricCounter _sent;
    private readonly MetricCounter _dropped;
    private List<TraceSpan> _waiting = [];
    private Task _sending = Task.CompletedTask;
    private bool _ended;

    /// <summary>Of a format.</summary>
    public TraceReporter(TraceReportFormat format, UpstreamCalls calls, MetricsRegistry metrics)
    {
        _format = format;
        _calls = calls;
        _timer = calls.Timers.Create(Flush);
        _sent = metrics.Counter($"envoy_tracing_{format.StatName}_spans_sent", MetricLabels.None);
        _dropped = metrics.Counter($"envoy_tracing_{format.StatName}_spans_dropped", MetricLabels.None);
    }

    /// <summary>Takes a span.</summary>
    public void Add(TraceSpan span)
    {
        bool full;
        lock (_gate)
        {
            if (_ended || _waiting.Count >= MaxWaiting)
            {
                _dropped.Increment();
                return;
            }

            _waiting.Add(span);
            if (_waiting.Count == 1)
            {
                _timer.Start(_format.FlushInterval);
            }

            full = _waiting.Count >= _format.FlushCount && _sending.IsCompleted;
        }

        if (full)
        {
            Flush();
        }
    }

    /// <summary>Sends what is there, for a moment, and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        Flush();
        Task sending;
        lock (_gate)
        {
            _ended = true;
            sending = _sending;
        }

        _timer.Cancel();
        await sending.WaitAsync(TimeSpan.FromSeconds(1), _calls.Timers.Time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void Flush()
    {
        lock (_gate)
        {
            if (_waiting.Count == 0)
            {
                return;
            }

            if (!_sending.IsCompleted)
            {
                _timer.Start(_format.FlushInterval);
                return;
            }

            var spans = _waiting;
            _waiting = [];
            _sending = SendAsync(spans);
        }
    }

    private async Task SendAsync(List<TraceSpan> spans)
    {
        // Not on the request's thread.
        await Task.Yield();
        if (await TrySendAsync(spans))
        {
            _sent.Add(spans.Count);
        }
        else
        {
            _dropped.Add(spans.Count);
        }
    }

    private async ValueTask<bool> TrySendAsync(List<TraceSpan> spans)
    {
        if (_calls.Clusters.Find(_format.Cluster) is not { } cluster)
        {
            return false;
        }

        var call = _calls.Rent();
        try
        {
            var body = _format.Write(spans, call.RequestHeaders, cluster.Model.Transport is { IsTls: true });
            call.AddEnvoyHeaders(_format.Timeout, forwardedFor: true);
            return await call.SendAsync(cluster, body, _format.Timeout, MaxAnswerBytes, client: null) == UpstreamCallEnd.Answered
                && call.ResponseHeaders.Status is >= 200 and < 300;
        }
        finally
        {
            _calls.Return(call);
        }
    }
}

/// <summary>How spans are reported to one kind of service.</summary>
internal abstract class TraceReportFormat
{
    /// <summary>The service's cluster.</summary>
    public required string Cluster { get; init; }

    /// <summary>Its part in names of statistics.</summary>
    public abstract string StatName { get; }

    /// <summary>A report is sent when there are so many spans.</summary>
    public int FlushCount { get; init; } = 5;

    /// <summary>Or when so much time has passed.</summary>
    public TimeSpan FlushInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Of one report.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Makes a report: its head into <paramref name="headers"/>, and its body.</summary>
    public abstract byte[] Write(IReadOnlyList<TraceSpan> spans, HeaderMap headers, bool tls);
}
