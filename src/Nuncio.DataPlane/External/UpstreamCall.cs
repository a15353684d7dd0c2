using System.Buffers;
using System.Buffers.Text;
using System.Runtime.CompilerServices;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Forwarding;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Time;
using Nuncio.DataPlane.Upstream;

namespace Nuncio.DataPlane.External;

/// <summary>
/// One request that the proxy makes itself, to a cluster of its own, with its whole answer in memory up to a limit. Rented from
/// <see cref="UpstreamCalls"/> and used over and over.
/// </summary>
/// <remarks>
/// A timer and the client's abort may end it from other threads: they set how it ends and reset the stream, and the flow itself goes on from there.
/// The stream goes back to its pool only when neither can touch it any more.
/// </remarks>
internal sealed class UpstreamCall : IStreamAbortHandler
{
    private readonly Lock _gate = new();
    private readonly PoolWaiter _waiter = new();
    private readonly Signal _quiet = new();
    private readonly TimerService _timers;
    private readonly CallTimer _timer;
    private byte[] _body = ArrayPool<byte>.Shared.Rent(1024);
    private int _bodyLength;
    private TaskCompletionSource? _endedEarly;

    // Guarded by the lock.
    private bool _active;
    private UpstreamCallEnd _end;
    private HttpClientStream? _stream;
    private int _interrupting;

    public UpstreamCall(TimerService timers)
    {
        _timers = timers;
        _timer = new CallTimer(this, timers);
    }

    /// <summary>The request's headers with pseudo-headers: to be filled before <see cref="SendAsync"/>.</summary>
    public HeaderMap RequestHeaders { get; } = new();

    /// <summary>The answer's headers.</summary>
    public HeaderMap ResponseHeaders { get; } = new();

    /// <summary>The answer's trailers.</summary>
    public HeaderMap ResponseTrailers { get; } = new();

    /// <summary>The answer's body, until the call is used again.</summary>
    public ReadOnlyMemory<byte> ResponseBody => _body.AsMemory(0, _bodyLength);

    /// <summary>Forgets all of the last use.</summary>
    public void Clear()
    {
        RequestHeaders.Clear();
        ResponseHeaders.Clear();
        ResponseTrailers.Clear();
        _bodyLength = 0;
    }

    /// <summary>Adds what Envoy's own requests have: that they are internal, and how long they may take.</summary>
    public void AddEnvoyHeaders(TimeSpan timeout, bool forwardedFor)
    {
        RequestHeaders.Set(KnownHeader.XEnvoyInternal, "true"u8);
        if (forwardedFor)
        {
            RequestHeaders.Add(KnownHeader.XForwardedFor, LocalAddress.Text);
        }

        if (timeout > TimeSpan.Zero)
        {
            Span<byte> digits = stackalloc byte[20];
            _ = Utf8Formatter.TryFormat((long)timeout.TotalMilliseconds, digits, out var length);
            RequestHeaders.Set(KnownHeader.XEnvoyExpectedRqTimeoutMs, digits[..length]);
        }
    }

    /// <summary>Sends the request and waits for the whole answer.</summary>
    /// <param name="cluster">Where to.</param>
    /// <param name="body">The request's body; may be empty.</param>
    /// <param name="timeout">For all of it; zero for none.</param>
    /// <param name="maxBodyBytes">The largest body that is taken.</param>
    /// <param name="client">The request it is made for: when its client goes away, so does the call. Null for none.</param>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<UpstreamCallEnd> SendAsync(
        ClusterState cluster, ReadOnlyMemory<byte> body, TimeSpan timeout, int maxBodyBytes, HttpServerStream? client)
    {
        var metrics = cluster.Metrics;
        Begin(timeout);
        client?.OnAborted(this);
        if (!cluster.IsWarm)
        {
            await WarmAsync(cluster);
        }

        if (HasEnded)
        {
            return Finished(await FinishAsync(UpstreamCallEnd.Failed, client), cluster, null, 0);
        }

        if (cluster.Choose(0, hasHash: false, 0) is not { } endpoint)
        {
            await FinishAsync(UpstreamCallEnd.Failed, client);
            metrics.ConnectionsNoneHealthy.Increment();
            metrics.Responses.Count(503);
            return UpstreamCallEnd.Failed;
        }

        var started = _timers.NowMilliseconds;
        var name = UpstreamName.Of(cluster.Model, RequestHeaders);
        var pool = endpoint.Pool(0, cluster.CodecFor(HttpProtocolVersion.Http11), name);
        var acquiring = pool.AcquireAsync(_waiter);
        if (!acquiring.IsCompleted && HasEnded)
        {
            _waiter.Cancel();
        }

        var lease = await acquiring;
        var end = UpstreamCallEnd.Failed;
        if (lease.Stream is { } stream)
        {
            cluster.Outlier?.OnConnected(endpoint);
            if (Adopt(stream))
            {
                end = await ExchangeAsync(stream, body, maxBodyBytes);
            }

            end = await FinishAsync(end, client);
            if (end == UpstreamCallEnd.TooLarge)
            {
                stream.Reset(StreamResetReason.LocalReset);
            }

            pool.Finish(stream);
        }
        else
        {
            end = await FinishAsync(end, client);
        }

        return Finished(end, cluster, endpoint, started);
    }

    private UpstreamCallEnd Finished(UpstreamCallEnd end, ClusterState cluster, EndpointState? endpoint, long started)
    {
        var metrics = cluster.Metrics;
        switch (end)
        {
            case UpstreamCallEnd.Answered:
                cluster.OnAnswered(endpoint!, ResponseHeaders.Status, ResponseHeaders);
                metrics.Responses.Count(ResponseHeaders.Status);
                metrics.InternalResponses.Count(ResponseHeaders.Status);
                metrics.RequestsTime.Record(_timers.NowMilliseconds - started);
                break;
            case UpstreamCallEnd.TimedOut:
                Blame(cluster, endpoint);
                metrics.RequestsTimeout.Increment();
                metrics.RequestsSentReset.Increment();
                metrics.Responses.Count(504);
                metrics.InternalResponses.Count(504);
                break;
            case UpstreamCallEnd.ClientGone:
                metrics.RequestsSentReset.Increment();
                break;
            default:
                Blame(cluster, endpoint);
                metrics.Responses.Count(503);
                metrics.InternalResponses.Count(503);
                break;
        }

        return end;
    }

    /// <summary>The client went away.</summary>
    public void OnStreamAborted(StreamResetReason reason) => Interrupt(UpstreamCallEnd.ClientGone, null);

    private static void Blame(ClusterState cluster, EndpointState? endpoint)
    {
        if (endpoint != null)
        {
            cluster.Outlier?.OnLocalFailure(endpoint);
        }
    }

    // Bounded by the connect timeout, and by whatever else ends the call: the time of the call and its client.
    private async ValueTask WarmAsync(ClusterState cluster)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref _endedEarly, ended);
        if (HasEnded)
        {
            return;
        }

        try
        {
            await Task.WhenAny(cluster.Warm, ended.Task).WaitAsync(cluster.Model.Connect.ConnectTimeout, cluster.Environment.Timers.Time);
        }
        catch (TimeoutException)
        {
            // It has no endpoints then, and says so.
        }

        Volatile.Write(ref _endedEarly, null);
    }

    private bool HasEnded
    {
        get
        {
            lock (_gate)
            {
                return _end != UpstreamCallEnd.Answered;
            }
        }
    }

    private void Begin(TimeSpan timeout)
    {
        lock (_gate)
        {
            _active = true;
            _end = UpstreamCallEnd.Answered;
            _stream = null;
        }

        _quiet.Clear();
        if (timeout > TimeSpan.Zero)
        {
            _timer.Start(timeout);
        }
    }

    private bool Adopt(HttpClientStream stream)
    {
        lock (_gate)
        {
            _stream = stream;
            return _end == UpstreamCallEnd.Answered;
        }
    }

    // After this nothing touches the stream but the caller.
    private async ValueTask<UpstreamCallEnd> FinishAsync(UpstreamCallEnd end, HttpServerStream? client)
    {
        _timer.Cancel();
        client?.OnAborted(null);
        bool interrupting;
        lock (_gate)
        {
            _active = false;
            _stream = null;
            interrupting = _interrupting > 0;
            end = _end != UpstreamCallEnd.Answered && end != UpstreamCallEnd.Answered ? _end : end;
        }

        if (interrupting)
        {
            await _quiet.WaitAsync();
        }

        return end;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<UpstreamCallEnd> ExchangeAsync(HttpClientStream stream, ReadOnlyMemory<byte> body, int maxBodyBytes)
    {
        // An error of writing is not the last word: the upstream may have answered before it closed.
        if (await stream.WriteHeadersAsync(RequestHeaders, body.IsEmpty) == StreamResetReason.None && !body.IsEmpty)
        {
            await stream.WriteBodyAsync(body, endStream: true);
        }

        await stream.FlushAsync();
        ClientHeadersRead head;
        do
        {
            head = await stream.ReadHeadersAsync();
        }
        while (head.Error == StreamResetReason.None && stream.ResponseHeaders.Status is >= 100 and < 200 and not 101);
        if (head.Error != StreamResetReason.None || stream.ResponseHeaders.Status < 200)
        {
            return UpstreamCallEnd.Failed;
        }

        ResponseHeaders.AddAll(stream.ResponseHeaders);
        var endStream = head.EndStream;
        while (!endStream)
        {
            var read = await stream.ReadBodyAsync();
            if (read.Error != StreamResetReason.None)
            {
                return UpstreamCallEnd.Failed;
            }

            if (_bodyLength + read.Data.Length > maxBodyBytes)
            {
                return UpstreamCallEnd.TooLarge;
            }

            Keep(read.Data.Span);
            endStream = read.EndStream;
        }

        if (stream.ResponseTrailers.Count > 0)
        {
            ResponseTrailers.AddAll(stream.ResponseTrailers);
        }

        return UpstreamCallEnd.Answered;
    }

    private void Keep(ReadOnlySpan<byte> data)
    {
        if (_bodyLength + data.Length > _body.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_body.Length * 2, _bodyLength + data.Length));
            _body.AsSpan(0, _bodyLength).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_body);
            _body = larger;
        }

        data.CopyTo(_body.AsSpan(_bodyLength));
        _bodyLength += data.Length;
    }

    private void Interrupt(UpstreamCallEnd end, int? timerVersion)
    {
        HttpClientStream? stream;
        lock (_gate)
        {
            if (!_active || _end != UpstreamCallEnd.Answered || (timerVersion is { } version && _timer.Version != version))
            {
                return;
            }

            _end = end;
            _interrupting++;
            stream = _stream;
        }

        // Not under the lock: the codecs have locks of their own under which they call here.
        _waiter.Cancel();
        Volatile.Read(ref _endedEarly)?.TrySetResult();
        stream?.Reset(StreamResetReason.LocalReset);
        lock (_gate)
        {
            if (--_interrupting == 0 && !_active)
            {
                _quiet.Raise();
            }
        }
    }

    private sealed class CallTimer(UpstreamCall owner, TimerService timers) : TimerEntry(timers)
    {
        protected override void OnTimer(int version) => owner.Interrupt(UpstreamCallEnd.TimedOut, version);
    }
}
