using System.Buffers.Text;
using System.Runtime.CompilerServices;
using System.Text;
using Nuncio.DataPlane.Async;
using Nuncio.DataPlane.Errors;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.LoadBalancing;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Pipeline;
using Nuncio.DataPlane.Routing;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Time;
using Nuncio.DataPlane.Upstream;

namespace Nuncio.DataPlane.Forwarding;

/// <summary>
/// One request on its way to an upstream: tries, timeouts, both bodies. Belongs to an exchange and is used again with it, so a request makes no garbage.
/// </summary>
/// <remarks>
/// Up to four parties meet here: the main flow (<see cref="RunAsync"/>), the pump of the request body, timers, and the client's abort. The lock guards
/// who holds which stream; nothing is awaited under it. Timers and aborts do no work of their own: they set <see cref="_end"/> and make the main
/// flow's wait end.
/// </remarks>
internal sealed partial class ForwardState : IStreamAbortHandler
{
    private static readonly HeaderMap DeadlineExceeded = GrpcStatus("4"u8);

    private readonly Lock _gate = new();
    private readonly TimerService _timers;
    private readonly RetryState _retry = new();
    private readonly PoolWaiter _waiter = new();
    private readonly Signal _pause = new();
    private readonly Signal _quiet = new();
    private readonly ForwardTimer _global;
    private readonly ForwardTimer _perTry;
    private readonly ForwardTimer _idle;
    private readonly ForwardTimer _duration;
    private readonly ForwardTimer _streamDuration;
    private readonly ForwardTimer _perTryIdle;
    private readonly ForwardTimer _arrival;
    private readonly ForwardTimer _backOff;

    private RouterFilter _router = null!;
    private HttpExchange _exchange = null!;
    private ForwardModel _forward = null!;
    private ClusterState _cluster = null!;
    private ResourceState _resources = null!;
    private ForwardTimeouts _timeouts;
    private TimeSpan _idleTimeout;
    private TimeSpan _perTryIdleTimeout;
    private bool _retriesTimeout;
    private UpstreamAttempt? _spare;
    private ulong _hash;
    private bool _hasHash;
    private UpstreamName? _name;
    private string? _cookie;
    private int _attempts;
    private int _selections;
    private bool _alternativeTimeoutResponse;
    private bool _isInternal;
    private bool _hostRewritten;

    // Guarded by the lock.
    private bool _active;
    private volatile ForwardEnd _end;
    private StreamResetReason _endReason;
    private UpstreamAttempt? _current;
    private bool _responseStarted;
    private int _interrupting;

    public ForwardState(TimerService timers)
    {
        _timers = timers;
        _global = new ForwardTimer(this, ForwardEnd.Timeout, timers);
        _perTry = new ForwardTimer(this, ForwardEnd.PerTryTimeout, timers);
        _idle = new ForwardTimer(this, ForwardEnd.IdleTimeout, timers);
        _duration = new ForwardTimer(this, ForwardEnd.MaxDuration, timers);
        _streamDuration = new ForwardTimer(this, ForwardEnd.StreamDuration, timers);
        _perTryIdle = new ForwardTimer(this, ForwardEnd.PerTryIdleTimeout, timers);
        _arrival = new ForwardTimer(this, ForwardEnd.RequestTimeout, timers);
        _backOff = new ForwardTimer(this, ForwardEnd.None, timers);
    }

    /// <summary>The state was made for this router's timers.</summary>
    public bool Fits(RouterFilter router) => router.Timers == _timers;

    /// <summary>Forwards one request; always answers it.</summary>
    [AsyncMethodBuilder(typeof(PooledBuilder<>))]
    public async ValueTask<FilterOutcome> RunAsync(RouterFilter router, HttpExchange exchange)
    {
        var forward = exchange.Forward ?? throw new InvalidOperationException("The router was asked without a route that forwards.");
        exchange.Upstream.VirtualCluster = exchange.VirtualCluster?.Name ?? "";
        var cluster = exchange.FindCluster(exchange.ClusterName, router.Clusters);
        if (cluster == null)
        {
            exchange.Flags |= ResponseFlags.NoClusterFound;
            return await exchange.RespondAsync(forward.ClusterNotFoundStatus, default, "cluster_not_found");
        }

        if (!cluster.IsWarm)
        {
            await cluster.WarmAsync();
        }

        Begin(router, exchange, forward, cluster);
        try
        {
            if (_hedging)
            {
                return await RunHedgedAsync();
            }

            while (true)
            {
                var endpoint = Choose();
                if (endpoint == null)
                {
                    return await NoEndpointAsync();
                }

                var pool = endpoint.Pool((int)_forward.Priority, IsTunnelEnd ? UpstreamCodec.Tunnel : cluster.CodecFor(exchange.Downstream.Version), _name);
                var acquiring = pool.AcquireAsync(_waiter);
                if (!acquiring.IsCompleted)
                {
                    StartPump();
                    if (_end != ForwardEnd.None)
                    {
                        _waiter.Cancel();
                    }
                }

                var lease = await acquiring;
                TryResult result;
                if (lease.Stream == null)
                {
                    exchange.Upstream.TransportFailureReason = lease.Message;
                    if (lease.IsQueueFull)
                    {
                        // It was chosen, but there is no connection that the request could have been sent on.
                        exchange.Upstream.Host = null;
                        exchange.Upstream.HostName = "";
                    }

                    result = TryResult.Failed(lease.Error);
                }
                else
                {
                    result = await TryAsync(Adopt(lease.Stream, pool, endpoint));
                }

                if (result.IsDone)
                {
                    return FilterOutcome.Responded;
                }

                if (!await AgainAsync(result, endpoint))
                {
                    return FilterOutcome.Responded;
                }
            }
        }
        finally
        {
            await EndAsync();
        }
    }

    /// <summary>The client went away.</summary>
    public void OnStreamAborted(StreamResetReason reason) => Interrupt(ForwardEnd.ClientGone, reason, null, 0);

    /// <summary>A timer fired.</summary>
    internal void OnTimer(ForwardTimer timer, int version, ForwardEnd end)
    {
        if (end != ForwardEnd.None)
        {
            Interrupt(end, StreamResetReason.Timeout, timer, version);
            return;
        }

        lock (_gate)
        {
            if (_active && timer.Version == version)
            {
                _retryDue = _hedging;
                _pause.Raise();
                _progress.Raise();
            }
        }
    }

    /// <summary>An attempt's object is free again.</summary>
    internal void Recycle(UpstreamAttempt attempt) => Volatile.Write(ref _spare, attempt);

    // CONNECT ends here, and its bytes go to the upstream as they are (connect_config).
    private bool IsTunnelEnd => _forward.Tunnel is { } tunnel
        && (_exchange.RequestHeaders.Get(KnownHeader.Method) is var method
            && (method.SequenceEqual("CONNECT"u8) || (tunnel.AllowPost && method.SequenceEqual("POST"u8))));

    private void Begin(RouterFilter router, HttpExchange exchange, ForwardModel forward, ClusterState cluster)
    {
        _router = router;
        _exchange = exchange;
        _forward = forward;
        _cluster = cluster;
        _resources = cluster.Resources((int)forward.Priority);
        _attempts = _selections = 0;
        _cookie = null;
        _hostRewritten = _retriesTimeout = false;
        _end = ForwardEnd.None;
        _responseStarted = false;
        _pause.Clear();
        _quiet.Clear();
        BeginBody();
        exchange.Upstream.Cluster = cluster.Model.StatName;

        var headers = exchange.RequestHeaders;
        _isInternal = headers.Get(KnownHeader.XEnvoyInternal).SequenceEqual("true"u8);
        _alternativeTimeoutResponse = headers.Remove(KnownHeader.XEnvoyUpstreamRqTimeoutAltResponse);
        headers.Remove(KnownHeader.XEnvoyUpstreamAltStatName);
        _timeouts = ForwardTimeouts.Take(exchange, forward, router.Options);
        _timeouts.WriteExpected(exchange, forward, router.Options, TimeSpan.Zero);
        if (exchange.VirtualHost is { IncludeRequestAttemptCount: true })
        {
            headers.Set(KnownHeader.XEnvoyAttemptCount, "1"u8);
        }

        _hasHash = cluster.Model.LoadBalancing.UsesHash && RequestHash.TryCompute(exchange, forward.HashPolicies, out _hash, out _cookie);
        var over = UpstreamName.Override(cluster.Model, headers);
        exchange.FinalizeRequestHeaders();
        _name = UpstreamName.Of(cluster.Model, headers, over);
        _hedging = WantsHedging(exchange);
        _retry.Begin(exchange.RetryPolicy, exchange);
        _hedging &= _retry.IsPossible && !exchange.IsUpgrade && !IsTunnelEnd;
        if (_hedging)
        {
            _progress.Clear();
        }

        _idleTimeout = forward.IdleTimeout ?? exchange.ConnectionManager.StreamIdleTimeout;
        lock (_gate)
        {
            _active = true;
        }

        exchange.Downstream.OnAborted(this);
        if (_idleTimeout > TimeSpan.Zero)
        {
            _idle.Start(_idleTimeout);
        }

        _perTryIdleTimeout = exchange.RetryPolicy?.PerTryIdleTimeout ?? TimeSpan.Zero;
        StartLeft(_streamDuration, ForwardTimeouts.StreamDuration(exchange, forward));
        if (_requestEnded)
        {
            OnRequestEnded();
        }
        else
        {
            StartLeft(_arrival, exchange.ConnectionManager.RequestTimeout);
        }
    }

    // Filters before the router have taken some of the time.
    private void StartLeft(ForwardTimer timer, TimeSpan limit)
    {
        if (limit > TimeSpan.Zero)
        {
            var left = limit - TimeSpan.FromMilliseconds(_exchange.ElapsedMilliseconds);
            timer.Start(left > TimeSpan.Zero ? left : TimeSpan.FromMilliseconds(1));
        }
    }

    private async ValueTask EndAsync()
    {
        UpstreamAttempt? attempt;
        bool interrupting;
        lock (_gate)
        {
            _active = false;
            interrupting = _interrupting > 0;
            attempt = _current;
            _current = _target = null;
        }

        if (interrupting)
        {
            await _quiet.WaitAsync();
        }

        _global.Cancel();
        _perTry.Cancel();
        _idle.Cancel();
        _duration.Cancel();
        _streamDuration.Cancel();
        _perTryIdle.Cancel();
        _arrival.Cancel();
        _backOff.Cancel();
        _exchange.Downstream.OnAborted(null);
        LeaveMirrors();
        if (_pumpStarted && !_pump.IsCompleted)
        {
            attempt?.Stream.Reset(StreamResetReason.LocalReset);
            _exchange.Downstream.StopReading();
            _attached.Raise();
        }

        attempt?.Release();
        if (_hedging)
        {
            await EndTriesAsync();
        }

        await EndBodyAsync();
        _retry.End();
        _exchange = null!;
        _forward = null!;
        _cluster = null!;
    }

    private EndpointState? Choose()
    {
        EndpointState? endpoint = null;
        if (_exchange.WantedEndpoint is { } wanted)
        {
            endpoint = _cluster.FindUsable(wanted.Address);
            if (endpoint == null && wanted.Strict)
            {
                return null;
            }
        }

        var selections = 0;
        while (endpoint == null)
        {
            endpoint = _cluster.Choose(_hash, _hasHash, _selections++);
            if (endpoint != null && _retry.Avoids(endpoint, selections++))
            {
                endpoint = null;
                continue;
            }

            break;
        }

        if (endpoint == null)
        {
            return null;
        }

        if (++_attempts == 1 && _exchange.MirrorPolicies.Count > 0)
        {
            BeginMirrors();
        }

        var record = _exchange.Upstream;
        record.Host = endpoint.Address;
        record.HostName = endpoint.Model.Hostname;
        record.Attempts = _attempts;
        record.TransportFailureReason = record.TlsVersion = record.TlsCipher = "";
        record.LocalAddress = null;
        _retry.OnTried(endpoint);
        return endpoint;
    }

    private async ValueTask<FilterOutcome> NoEndpointAsync()
    {
        _cluster.Metrics.ConnectionsNoneHealthy.Increment();
        _exchange.Upstream.Attempts = _attempts + 1;
        CountResponse(503);
        _exchange.Flags |= ResponseFlags.NoHealthyUpstream;
        return await _exchange.RespondAsync(503, UpstreamFailure.NoHealthyUpstream, "no_healthy_upstream");
    }

    private UpstreamAttempt Adopt(HttpClientStream stream, EndpointPool pool, EndpointState endpoint)
    {
        var attempt = Interlocked.Exchange(ref _spare, null) ?? new UpstreamAttempt(this);
        attempt.Begin(stream, pool, endpoint);
        _cluster.Outlier?.OnConnected(endpoint);
        _exchange.VirtualCluster?.Metrics.RequestsTotal.Increment();
        lock (_gate)
        {
            _current = attempt;
        }

        return attempt;
    }

    // Where there is a connection.
    private EndpointState? CurrentEndpoint
    {
        get
        {
            lock (_gate)
            {
                return _current?.Endpoint;
            }
        }
    }

    private void DropCurrent()
    {
        UpstreamAttempt? attempt;
        lock (_gate)
        {
            attempt = _current;
            _current = _target = null;
        }

        if (_pumpStarted && !_pump.IsCompleted)
        {
            // The pump may be held up by an upstream that has answered and reads no more.
            attempt?.Stream.Reset(StreamResetReason.LocalReset);
        }

        attempt?.Release();
    }

    // Sends the request and reads the response's head; with that, either the response is passed on or there is a reason to try again.
    [AsyncMethodBuilder(typeof(PooledBuilder<>))]
    private async ValueTask<TryResult> TryAsync(UpstreamAttempt attempt)
    {
        if (_end != ForwardEnd.None)
        {
            return TryResult.Interrupted;
        }

        var stream = attempt.Stream;
        PrepareAttempt(attempt);
        if (_hasBody)
        {
            // An error of writing is not the last word: the upstream may have answered before it closed.
            if (await stream.WriteHeadersAsync(_exchange.RequestHeaders, false) == StreamResetReason.None
                && await ReplayAsync(attempt) == StreamResetReason.None)
            {
                StartPump();
            }
        }
        else
        {
            await stream.WriteHeadersAsync(_exchange.RequestHeaders, true);
            await stream.FlushAsync();
            _exchange.Upstream.RequestEnded = _exchange.Clock.GetTimestamp();
        }

        while (true)
        {
            var head = await stream.ReadHeadersAsync();
            if (_end != ForwardEnd.None)
            {
                return TryResult.Interrupted;
            }

            if (head.Error != StreamResetReason.None)
            {
                return TryResult.Failed(head.Error);
            }

            var status = stream.ResponseHeaders.Status;
            if (status >= 200 || status == 101)
            {
                return OnHead(attempt, status) == RetryDecision.Yes ? TryResult.RetryDecided : await RespondAsync(attempt, head.EndStream);
            }

            CountResponse(status);
            if (_exchange.ConnectionManager.Proxy100Continue)
            {
                await _exchange.WriteResponseHeadersAsync(stream.ResponseHeaders, false);
                await _exchange.ResponseBody.FlushAsync();
            }
        }
    }

    private void PrepareAttempt(UpstreamAttempt attempt)
    {
        var exchange = _exchange;
        RecordConnection(attempt);
        exchange.Upstream.RequestStarted = exchange.Clock.GetTimestamp();
        if (_forward.AutoHostRewrite && attempt.Endpoint.Hostname.Length > 0)
        {
            if (_hostRewritten)
            {
                exchange.RequestHeaders.Set(KnownHeader.Authority, attempt.Endpoint.Hostname);
            }
            else
            {
                _hostRewritten = true;
                PathRewrites.SetHost(exchange.RequestHeaders, attempt.Endpoint.Hostname, _forward.AppendXForwardedHost, !_router.Options.SuppressEnvoyHeaders);
            }
        }

        if (_attempts > 1)
        {
            _timeouts.WriteExpected(exchange, _forward, _router.Options, TimeSpan.FromMilliseconds(exchange.ElapsedMilliseconds));
            if (exchange.VirtualHost is { IncludeRequestAttemptCount: true })
            {
                SetNumber(exchange.RequestHeaders, KnownHeader.XEnvoyAttemptCount, _attempts);
            }

            if (exchange.VirtualHost is { IncludeIsTimeoutRetryHeader: true })
            {
                exchange.RequestHeaders.Set("x-envoy-is-timeout-retry"u8, _retriesTimeout ? "true"u8 : "false"u8);
            }
        }

        exchange.Trace?.StartTry(exchange, exchange.Upstream.Cluster);
        StartPerTry();
        if (_cluster.Model.MaxStreamDuration is { } limit && !(_hedging && _duration.IsRunning))
        {
            _duration.Start(limit);
        }

        if (_perTryIdleTimeout > TimeSpan.Zero)
        {
            _perTryIdle.Start(_perTryIdleTimeout);
        }
    }

    private void RecordConnection(UpstreamAttempt attempt)
    {
        var record = _exchange.Upstream;
        var transport = attempt.Stream.Transport;
        var encrypted = transport as Tls.TlsTransportConnection;
        record.Protocol = attempt.Stream.Version;
        record.LocalAddress = transport?.LocalEndPoint;
        record.TlsVersion = encrypted?.Version ?? "";
        record.TlsCipher = encrypted?.Cipher ?? "";
    }

    private void StartPerTry()
    {
        if (_requestEnded && _timeouts.PerTry > TimeSpan.Zero)
        {
            _perTry.Start(_timeouts.PerTry);
        }
    }

    private RetryDecision OnHead(UpstreamAttempt attempt, int status)
    {
        _exchange.Upstream.ResponseStarted = _exchange.Clock.GetTimestamp();
        _cluster.OnAnswered(attempt.Endpoint, status, attempt.Stream.ResponseHeaders, _exchange.IsGrpc);
        var decision = _retry.OnResponse(attempt.Stream.ResponseHeaders, _resources, _cluster);
        if (decision == RetryDecision.Yes)
        {
            _cluster.Metrics.RetriedResponses.Count(status);
        }
        else
        {
            CountResponse(status);
        }

        AddRetryFlag(decision);
        return decision;
    }

    private void AddRetryFlag(RetryDecision decision) => _exchange.Flags |= decision switch
    {
        RetryDecision.LimitExceeded => ResponseFlags.UpstreamRetryLimitExceeded,
        RetryDecision.Overflow => ResponseFlags.UpstreamOverflow,
        _ => ResponseFlags.None,
    };

    private void CountResponse(int status)
    {
        var metrics = _cluster.Metrics;
        metrics.Responses.Count(status);
        (_isInternal ? metrics.InternalResponses : metrics.ExternalResponses).Count(status);
        _exchange.VirtualCluster?.Metrics.Responses.Count(status);
    }

    [AsyncMethodBuilder(typeof(PooledBuilder<>))]
    private async ValueTask<TryResult> RespondAsync(UpstreamAttempt attempt, bool endStream)
    {
        var exchange = _exchange;
        var stream = attempt.Stream;
        lock (_gate)
        {
            if (_end != ForwardEnd.None)
            {
                return TryResult.Interrupted;
            }

            _responseStarted = true;
            DropKept(canReuse: true);
        }

        _perTry.Cancel();
        FinalizeResponse(stream.ResponseHeaders);
        await exchange.WriteResponseHeadersAsync(stream.ResponseHeaders, endStream);
        if (HasClientLeft())
        {
            RecordBytes(stream);
            await FinishInterruptedAsync();
            return TryResult.Done;
        }

        while (!endStream)
        {
            var reading = stream.ReadBodyAsync();
            if (!reading.IsCompleted)
            {
                // Nothing more is there now: what we have must not wait for it.
                await exchange.ResponseBody.FlushAsync();
                Touch();
                if (_pumpStarted && exchange.KeepsBody && _pump.IsCompleted)
                {
                    // The request has gone out, and is not needed again.
                    exchange.DropBody();
                }
            }

            var read = await reading;
            if (read.Error != StreamResetReason.None)
            {
                RecordBytes(stream);
                return await CutShortAsync(read);
            }

            endStream = read.EndStream;
            if (endStream && stream.ResponseTrailers.Count > 0)
            {
                if (read.Data.Length > 0)
                {
                    await PassAsync(read.Data, false);
                }

                await exchange.WriteResponseTrailersAsync(stream.ResponseTrailers);
            }
            else
            {
                await PassAsync(read.Data, endStream);
            }
        }

        if (HasClientLeft())
        {
            await FinishInterruptedAsync();
            return TryResult.Done;
        }

        OnResponseEnded(stream);
        return TryResult.Done;
    }

    // Where a filter held the response back, what it waited for has heard of the client until now.
    private bool HasClientLeft()
    {
        if (!_exchange.IsResponseHeld)
        {
            return false;
        }

        _exchange.Downstream.OnAborted(this);
        return _end == ForwardEnd.ClientGone;
    }

    private ValueTask PassAsync(ReadOnlyMemory<byte> data, bool endStream)
    {
        var write = _exchange.ResponseBody.WriteBodyAsync(data, endStream);
        return write.IsCompletedSuccessfully ? default : PassSlowlyAsync(write);
    }

    // The client takes no more for now, so the upstream is not read either.
    [AsyncMethodBuilder(typeof(PooledBuilder))]
    private async ValueTask PassSlowlyAsync(ValueTask write)
    {
        _cluster.Metrics.FlowControlPausedReading.Increment();
        await write;
        _cluster.Metrics.FlowControlResumedReading.Increment();
    }

    private void FinalizeResponse(HeaderMap headers)
    {
        var exchange = _exchange;
        exchange.ResponseCodeDetails = "via_upstream";
        if (!_router.Options.SuppressEnvoyHeaders && _requestEnded)
        {
            SetNumber(headers, KnownHeader.XEnvoyUpstreamServiceTime, _timers.NowMilliseconds - _requestEndedAt);
        }

        if (exchange.VirtualHost is { IncludeAttemptCountInResponse: true })
        {
            SetNumber(headers, KnownHeader.XEnvoyAttemptCount, _attempts);
        }

        if (_cookie != null)
        {
            headers.Add(KnownHeader.SetCookie, Encoding.Latin1.GetBytes(_cookie));
        }

        exchange.FinalizeResponseHeaders(headers);
    }

    private void OnResponseEnded(HttpClientStream stream)
    {
        _exchange.Upstream.ResponseEnded = _exchange.Clock.GetTimestamp();
        RecordBytes(stream);
        if (_requestEnded)
        {
            _cluster.Metrics.RequestsTime.Record(_timers.NowMilliseconds - _requestEndedAt);
            (_isInternal ? _cluster.Metrics.InternalRequestsTime : _cluster.Metrics.ExternalRequestsTime).Record(_timers.NowMilliseconds - _requestEndedAt);
            _exchange.VirtualCluster?.Metrics.RequestsTime.Record(_timers.NowMilliseconds - _requestEndedAt);
        }
    }

    private void RecordBytes(HttpClientStream stream)
    {
        _exchange.Upstream.WireBytesSent = stream.BytesSent;
        _exchange.Upstream.WireBytesReceived = stream.BytesReceived;
    }

    // The response broke off, or something of ours ended it.
    private async ValueTask<TryResult> CutShortAsync(BodyRead read)
    {
        var exchange = _exchange;
        if (_end != ForwardEnd.None)
        {
            if (_end == ForwardEnd.PerTryIdleTimeout)
            {
                _cluster.Metrics.RequestsPerTryIdleTimeout.Increment();
                CountReset(StreamResetReason.LocalReset);
            }

            await FinishInterruptedAsync();
            return TryResult.Done;
        }

        // A body that HTTP/1.1 announced and that does not come is a fault in the message for Envoy, not the end of a connection.
        var reason = read.Error == StreamResetReason.ConnectionTermination && exchange.Upstream.Protocol < HttpProtocolVersion.Http2
            ? StreamResetReason.ProtocolError
            : read.Error;
        if (_cluster.Outlier is { } outlier && CurrentEndpoint is { } endpoint)
        {
            outlier.OnLocalFailure(endpoint);
        }

        exchange.Flags |= UpstreamFailure.Flag(reason);
        exchange.ResponseCodeDetails = UpstreamFailure.Details(reason, "", started: true);
        CountReset(read.Error);
        CountCutShort();
        if (read.Data.Length > 0)
        {
            await exchange.ResponseBody.WriteBodyAsync(read.Data, false);
        }

        // What came is passed on before the client learns that it is not all.
        await exchange.ResponseBody.FlushAsync();
        exchange.Downstream.Reset(
            exchange.Downstream.Version < HttpProtocolVersion.Http2 ? StreamResetReason.ConnectionTermination : StreamResetReason.LocalReset);
        return TryResult.Done;
    }

    // A try without a response: true to try again, false when the request has been answered.
    private async ValueTask<bool> AgainAsync(TryResult result, EndpointState endpoint)
    {
        var requestStarted = _exchange.Upstream.RequestStarted != 0;
        var isConnected = CurrentEndpoint != null;
        DropCurrent();
        if (!result.IsRetryDecided)
        {
            var decision = _end switch
            {
                ForwardEnd.None => OnFailed(result.Error, endpoint, requestStarted),
                ForwardEnd.PerTryTimeout or ForwardEnd.PerTryIdleTimeout => OnPerTryTimeout(endpoint),
                ForwardEnd.MaxDuration when isConnected => OnMaxDuration(),
                _ => RetryDecision.No,
            };
            if (decision != RetryDecision.Yes)
            {
                if (_end == ForwardEnd.Timeout && isConnected)
                {
                    _cluster.Outlier?.OnLocalFailure(endpoint);
                }

                AddRetryFlag(decision);
                await (_end == ForwardEnd.None ? RespondFailedAsync(result.Error) : FinishInterruptedAsync());
                return false;
            }
        }

        lock (_gate)
        {
            // Only the try's own timeouts are undone by trying again.
            _retriesTimeout = _end is ForwardEnd.PerTryTimeout or ForwardEnd.PerTryIdleTimeout;
            if (_retriesTimeout || _end == ForwardEnd.MaxDuration)
            {
                _end = ForwardEnd.None;
            }
        }

        _perTry.Cancel();
        _perTryIdle.Cancel();
        _duration.Cancel();
        _pause.Clear();
        _backOff.Start(_retry.NextPause());
        if (_end == ForwardEnd.None)
        {
            await _pause.WaitAsync();
        }

        _backOff.Cancel();
        if (_end != ForwardEnd.None)
        {
            await FinishInterruptedAsync();
            return false;
        }

        return true;
    }

    private RetryDecision OnFailed(StreamResetReason reason, EndpointState endpoint, bool requestStarted)
    {
        if (reason != StreamResetReason.Overflow)
        {
            _cluster.Outlier?.OnLocalFailure(endpoint);
        }

        if (requestStarted)
        {
            CountReset(reason);
        }

        if (reason == StreamResetReason.ProtocolError)
        {
            _cluster.Metrics.ConnectionsProtocolError.Increment();
        }

        return _retry.OnReset(reason, requestStarted, _resources, _cluster);
    }

    // As in Envoy only of gRPC, where the answer may have begun well and be none in the end.
    private void CountCutShort()
    {
        if (_exchange.IsGrpc && _exchange.ResponseStatus == 200)
        {
            _exchange.Statistics?.RequestsResetAfterDownstreamResponseStarted.Increment();
        }
    }

    // Streams are reset over HTTP/2 alone; over HTTP/1.1 a connection ends, which is counted as such.
    private void CountReset(StreamResetReason reason)
    {
        if (_exchange.Upstream.Protocol is null or < HttpProtocolVersion.Http2)
        {
            return;
        }

        var metrics = _cluster.Metrics;
        switch (reason)
        {
            case StreamResetReason.RemoteReset:
                metrics.RequestsReceivedReset.Increment();
                break;
            case StreamResetReason.ConnectionTermination:
                metrics.RequestsPendingFailureEject.Increment();
                break;
            case StreamResetReason.LocalReset or StreamResetReason.ProtocolError or StreamResetReason.RemoteProtocolError:
                metrics.RequestsSentReset.Increment();
                break;
        }
    }

    // The longest duration of a stream to an upstream is one try's; who is not tried again is counted with his answer.
    private RetryDecision OnMaxDuration()
    {
        var decision = _retry.OnReset(StreamResetReason.LocalReset, true, _resources, _cluster);
        if (decision == RetryDecision.Yes)
        {
            _cluster.Metrics.RequestsMaxDurationReached.Increment();
            CountReset(StreamResetReason.LocalReset);
        }

        return decision;
    }

    private RetryDecision OnPerTryTimeout(EndpointState endpoint)
    {
        (_end == ForwardEnd.PerTryTimeout ? _cluster.Metrics.RequestsPerTryTimeout : _cluster.Metrics.RequestsPerTryIdleTimeout).Increment();
        CountReset(StreamResetReason.LocalReset);
        _cluster.Outlier?.OnLocalFailure(endpoint);
        return _retry.OnReset(StreamResetReason.LocalReset, true, _resources, _cluster);
    }

    private async ValueTask RespondFailedAsync(StreamResetReason reason)
    {
        var status = UpstreamFailure.Status(reason);
        var exchange = _exchange;
        exchange.Flags |= UpstreamFailure.Flag(reason);
        CountResponse(status);
        HeaderMap? extra = null;
        if (reason == StreamResetReason.Overflow && !_router.Options.SuppressEnvoyHeaders)
        {
            extra = new HeaderMap();
            extra.Add(KnownHeader.XEnvoyOverloaded, "true"u8);
        }

        var details = UpstreamFailure.Details(reason, exchange.Upstream.TransportFailureReason, started: false);
        await exchange.RespondAsync(status, UpstreamFailure.Body(reason, _attempts > 1), details, extra);
    }

    private async ValueTask FinishInterruptedAsync()
    {
        var exchange = _exchange;
        switch (_end)
        {
            case ForwardEnd.ClientGone when _endReason == StreamResetReason.ProtocolError && exchange.Downstream.Version >= HttpProtocolVersion.Http2:
                exchange.Flags |= ResponseFlags.DownstreamProtocolError;
                exchange.ResponseCodeDetails = LocalReplies.Http2MessagingDetails;
                CountReset(StreamResetReason.LocalReset);
                return;
            case ForwardEnd.ClientGone:
                var reset = exchange.Downstream.Version >= HttpProtocolVersion.Http2
                    && _endReason is StreamResetReason.RemoteReset or StreamResetReason.RemoteRefusedStream or StreamResetReason.RemoteProtocolError;
                exchange.Flags |= reset ? ResponseFlags.DownstreamRemoteReset : ResponseFlags.DownstreamConnectionTermination;
                exchange.ResponseCodeDetails = reset ? "http2.remote_reset" : "downstream_remote_disconnect";
                CountReset(StreamResetReason.LocalReset);
                return;
            case ForwardEnd.IdleTimeout:
                exchange.Flags |= ResponseFlags.StreamIdleTimeout;
                await EndByManagerAsync(_requestEnded ? 504 : 408, UpstreamFailure.StreamTimeout, "stream_idle_timeout");
                return;
            case ForwardEnd.MaxDuration:
                exchange.Flags |= ResponseFlags.UpstreamMaxStreamDurationReached;
                _cluster.Metrics.RequestsMaxDurationReached.Increment();
                await EndByManagerAsync(_requestEnded ? 504 : 408, UpstreamFailure.MaxDuration, "upstream_max_stream_duration_reached");
                return;
            case ForwardEnd.StreamDuration:
                exchange.Flags |= LocalReplies.MaxStreamDuration.Flags;
                await EndByManagerAsync(
                    _requestEnded ? 504 : 408, LocalReplies.MaxStreamDuration.Body, LocalReplies.MaxStreamDuration.Details,
                    exchange.IsGrpc ? DeadlineExceeded : null);
                return;
            case ForwardEnd.RequestTimeout:
                await EndByManagerAsync(LocalReplies.RequestTimeout);
                return;
            case ForwardEnd.BadBody:
                await EndByManagerAsync(LocalReplies.BadRequestBody);
                return;
            case ForwardEnd.PerTryTimeout:
                exchange.Flags |= ResponseFlags.UpstreamRequestTimeout;
                await EndWithAsync(_alternativeTimeoutResponse ? 204 : 504, UpstreamFailure.RequestTimeout, "upstream_per_try_timeout");
                return;
            case ForwardEnd.PerTryIdleTimeout:
                exchange.Flags |= ResponseFlags.UpstreamRequestTimeout;
                await EndWithAsync(_alternativeTimeoutResponse ? 204 : 504, UpstreamFailure.RequestTimeout, "upstream_per_try_idle_timeout");
                return;
            default:
                exchange.Flags |= ResponseFlags.UpstreamRequestTimeout;

                // Each try that still waits has timed out; those of a hedged request are reset, and counted, one by one.
                _cluster.Metrics.RequestsTimeout.Add(Math.Max(1, _tries.Count));
                exchange.VirtualCluster?.Metrics.RequestsTimeout.Add(Math.Max(1, _tries.Count));
                if (_hedging)
                {
                    BlameTries();
                }
                else
                {
                    CountReset(StreamResetReason.LocalReset);
                }

                await EndWithAsync(_alternativeTimeoutResponse ? 204 : 504, UpstreamFailure.RequestTimeout, "response_timeout");
                return;
        }
    }

    private ValueTask EndByManagerAsync(LocalReply reply)
    {
        _exchange.Flags |= reply.Flags;
        return EndByManagerAsync(reply.Status, reply.Body, reply.Details);
    }

    // Limits and checks of the connection manager: its answer, and none of the cluster's.
    private async ValueTask EndByManagerAsync(int status, ReadOnlyMemory<byte> body, string details, HeaderMap? headers = null)
    {
        if (_responseStarted)
        {
            _exchange.ResponseCodeDetails = details;
            return;
        }

        await _exchange.RespondAsync(status, body, details, headers);
    }

    private ValueTask EndWithAsync(int status, ReadOnlyMemory<byte> body, string details)
    {
        if (!_responseStarted)
        {
            CountResponse(status);
        }
        else
        {
            CountCutShort();
        }

        return EndByManagerAsync(status, status == 204 ? default : body, details);
    }

    private void Interrupt(ForwardEnd end, StreamResetReason reason, ForwardTimer? timer, int version)
    {
        UpstreamAttempt? attempt;
        bool cut;
        lock (_gate)
        {
            if (!_active || _end != ForwardEnd.None || (timer != null && timer.Version != version) || (end == ForwardEnd.PerTryTimeout && _responseStarted))
            {
                return;
            }

            if (_hedging && end == ForwardEnd.PerTryTimeout)
            {
                _perTryOver = true;
                _progress.Raise();
                return;
            }

            _end = end;
            _endReason = reason;
            _interrupting++;
            cut = _responseStarted && end != ForwardEnd.ClientGone;
            attempt = _current;
            attempt?.AddReference();
        }

        // Not under the lock, since the codecs have locks of their own under which they call here; the request does not end before this is done.
        _waiter.Cancel();
        _pause.Raise();
        _progress.Raise();
        _attached.Raise();
        attempt?.Stream.Reset(StreamResetReason.LocalReset);
        attempt?.Release();
        if (cut)
        {
            _exchange.Downstream.Reset(StreamResetReason.LocalReset);
        }

        lock (_gate)
        {
            if (--_interrupting == 0 && !_active)
            {
                _quiet.Raise();
            }
        }
    }

    private void Touch()
    {
        if (_idleTimeout > TimeSpan.Zero)
        {
            _idle.Start(_idleTimeout);
        }

        if (_perTryIdle.IsRunning)
        {
            _perTryIdle.Start(_perTryIdleTimeout);
        }
    }

    private void OnRequestEnded()
    {
        _arrival.Cancel();
        _requestEndedAt = _timers.NowMilliseconds;
        if (_timeouts.Global > TimeSpan.Zero)
        {
            _global.Start(_timeouts.Global);
        }
    }

    private static HeaderMap GrpcStatus(ReadOnlySpan<byte> status)
    {
        var headers = new HeaderMap();
        headers.Add(KnownHeader.GrpcStatus, status);
        return headers;
    }

    private static void SetNumber(HeaderMap headers, KnownHeader header, long number)
    {
        Span<byte> digits = stackalloc byte[20];
        Utf8Formatter.TryFormat(number, digits, out var length);
        headers.Set(header, digits[..length]);
    }

    private readonly record struct TryResult(bool IsDone, bool IsRetryDecided, StreamResetReason Error)
    {
        public static TryResult Done => new(true, false, StreamResetReason.None);

        public static TryResult RetryDecided => new(false, true, StreamResetReason.None);

        public static TryResult Interrupted => new(false, false, StreamResetReason.LocalReset);

        public static TryResult Failed(StreamResetReason error) => new(false, false, error);
    }
}
