using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Pipeline;
using Nuncio.DataPlane.Upstream;

namespace Nuncio.DataPlane.Forwarding;

/// <content>
/// Hedging (Envoy's <c>hedge_on_per_try_timeout</c>): a try that has run out of time goes on beside the next one, and the first good response is passed on.
/// Connections are waited for, and responses' heads read, beside the main flow, which alone touches the exchange; it sleeps until one of them, or a timer, has
/// something to say.
/// </content>
internal sealed partial class ForwardState
{
    private readonly Signal _progress = new();
    private readonly List<HedgedTry> _tries = [];
    private bool _hedging;

    // Guarded by the lock.
    private bool _perTryOver;
    private bool _retryDue;

    private bool WantsHedging(HttpExchange exchange)
    {
        var headers = exchange.RequestHeaders;
        return headers.TryGet(KnownHeader.XEnvoyHedgeOnPerTryTimeout, out var wanted) && (wanted.SequenceEqual("true"u8) || wanted.SequenceEqual("false"u8))
            ? wanted.SequenceEqual("true"u8)
            : exchange.HedgePolicy is { HedgeOnPerTryTimeout: true };
    }

    private async ValueTask<FilterOutcome> RunHedgedAsync()
    {
        if (!BeginTry())
        {
            return await NoEndpointAsync();
        }

        while (true)
        {
            await _progress.WaitAsync();
            while (true)
            {
                if (_end != ForwardEnd.None)
                {
                    await FinishInterruptedAsync();
                    return FilterOutcome.Responded;
                }

                if (Take(HedgedTryState.Connected) is { } connected)
                {
                    await SendTryAsync(connected);
                }
                else if (Take(HedgedTryState.Answered) is { } answered)
                {
                    if (await OnAnsweredAsync(answered))
                    {
                        return FilterOutcome.Responded;
                    }
                }
                else if (TakeFlag(ref _perTryOver))
                {
                    OnPerTryOver();
                }
                else if (!TakeFlag(ref _retryDue))
                {
                    break;
                }
                else if (!BeginTry() && _tries.Count == 0)
                {
                    return await NoEndpointAsync();
                }
            }
        }
    }

    // False where there is no endpoint.
    private bool BeginTry()
    {
        if (Choose() is not { } endpoint)
        {
            return false;
        }

        var next = new HedgedTry(endpoint, endpoint.Pool((int)_forward.Priority, _cluster.CodecFor(_exchange.Downstream.Version), _name));
        _tries.Add(next);
        var acquiring = next.Pool.AcquireAsync(next.Waiter);
        StartPump();
        next.Work = ConnectAsync(next, acquiring);
        return true;
    }

    private async Task ConnectAsync(HedgedTry next, ValueTask<PoolLease> acquiring)
    {
        next.Lease = await acquiring;
        Tell(next, HedgedTryState.Connected);
    }

    private async ValueTask SendTryAsync(HedgedTry next)
    {
        if (next.Lease.Stream is not { } stream)
        {
            _exchange.Upstream.TransportFailureReason = next.Lease.Message;
            next.Head = new ClientHeadersRead(true, next.Lease.Error);
            Tell(next, HedgedTryState.Answered);
            return;
        }

        // The current one, as long as it is being written to: whoever ends the request ends that.
        var attempt = next.Attempt = Adopt(stream, next.Pool, next.Endpoint);
        PrepareAttempt(attempt);
        next.RequestStarted = _exchange.Upstream.RequestStarted;
        if (!_hasBody)
        {
            await stream.WriteHeadersAsync(_exchange.RequestHeaders, true);
            await stream.FlushAsync();
            _exchange.Upstream.RequestEnded = _exchange.Clock.GetTimestamp();
        }
        else if (await stream.WriteHeadersAsync(_exchange.RequestHeaders, false) == StreamResetReason.None)
        {
            await ReplayAsync(attempt);
        }

        lock (_gate)
        {
            _current = null;
            attempt.AddReference();
        }

        next.Work = ReadHeadAsync(next, attempt);
    }

    private async Task ReadHeadAsync(HedgedTry next, UpstreamAttempt attempt)
    {
        ClientHeadersRead head;
        do
        {
            head = await attempt.Stream.ReadHeadersAsync();
        }
        while (head.Error == StreamResetReason.None && attempt.Stream.ResponseHeaders.Status is >= 100 and < 200 and not 101);
        next.Head = head;
        attempt.Release();
        Tell(next, HedgedTryState.Answered);
    }

    // True when the request has been answered.
    private async ValueTask<bool> OnAnsweredAsync(HedgedTry answered)
    {
        var record = _exchange.Upstream;
        record.Host = answered.Endpoint.Address;
        record.HostName = answered.Endpoint.Model.Hostname;
        if (answered.Attempt is { } told)
        {
            // Another try may have been the last to be told of.
            RecordConnection(told);
            record.RequestStarted = answered.RequestStarted;
            record.TransportFailureReason = "";
        }
        else
        {
            record.ForgetConnection();
        }

        var failed = answered.Head.Error != StreamResetReason.None || answered.Attempt is null;
        var status = failed ? 0 : answered.Attempt!.Stream.ResponseHeaders.Status;
        RetryDecision decision;
        bool isBad;
        if (failed)
        {
            decision = answered.IsRetried ? RetryDecision.No : OnFailed(answered.Head.Error, answered.Endpoint, answered.Attempt != null);
            isBad = true;
        }
        else
        {
            record.ResponseStarted = _exchange.Clock.GetTimestamp();
            var headers = answered.Attempt!.Stream.ResponseHeaders;
            _cluster.OnAnswered(answered.Endpoint, status, headers, _exchange.IsGrpc);
            decision = answered.IsRetried ? RetryDecision.No : _retry.OnResponse(headers, _resources, _cluster);
            isBad = answered.IsRetried ? _retry.WouldRetry(headers) : decision is RetryDecision.LimitExceeded or RetryDecision.Overflow;
        }

        if (decision == RetryDecision.Yes)
        {
            if (!failed)
            {
                _cluster.Metrics.RetriedResponses.Count(status);
            }

            Drop(answered);
            _backOff.Start(_retry.NextPause());
            return false;
        }

        AddRetryFlag(decision);
        if (isBad && (_tries.Count > 1 || IsRetryPending))
        {
            // Another may still do better.
            Drop(answered);
            return false;
        }

        if (failed)
        {
            Drop(answered);
            await RespondFailedAsync(answered.Head.Error);
            return true;
        }

        CountResponse(status);
        _tries.Remove(answered);
        lock (_gate)
        {
            _current = answered.Attempt;
        }

        _backOff.Cancel();
        foreach (var other in _tries)
        {
            Stop(other);
        }

        var result = await RespondAsync(answered.Attempt!, answered.Head.EndStream);
        if (!result.IsDone)
        {
            await FinishInterruptedAsync();
        }

        return true;
    }

    // The time of the request is over: for those that have a connection and no answer, unless that is known already.
    private void BlameTries()
    {
        foreach (var late in _tries)
        {
            if (late is { Attempt: not null, IsTimeoutKnown: false })
            {
                _cluster.Outlier?.OnLocalFailure(late.Endpoint);
            }
        }
    }

    // The try is not given up: as in Envoy it may still answer until the time of the whole request is over.
    private void OnPerTryOver()
    {
        if (_tries.Count == 0 || _tries[^1].IsRetried)
        {
            return;
        }

        var late = _tries[^1];
        late.IsTimeoutKnown = true;
        _cluster.Outlier?.OnLocalFailure(late.Endpoint);
        var decision = _retry.OnHedge(_resources, _cluster);
        if (decision == RetryDecision.Yes)
        {
            late.IsRetried = true;
            _retriesTimeout = true;
            _backOff.Start(_retry.NextPause());
        }
        else
        {
            AddRetryFlag(decision);
        }
    }

    private bool IsRetryPending
    {
        get
        {
            lock (_gate)
            {
                return _backOff.IsRunning || _retryDue;
            }
        }
    }

    private void Tell(HedgedTry one, HedgedTryState state)
    {
        lock (_gate)
        {
            one.State = state;
        }

        _progress.Raise();
    }

    private HedgedTry? Take(HedgedTryState state)
    {
        lock (_gate)
        {
            var found = _tries.Find(one => one.State == state);
            if (found != null)
            {
                found.State = HedgedTryState.Waiting;
            }

            return found;
        }
    }

    private bool TakeFlag(ref bool flag)
    {
        lock (_gate)
        {
            var was = flag;
            flag = false;
            return was;
        }
    }

    private void Drop(HedgedTry one)
    {
        _tries.Remove(one);
        lock (_gate)
        {
            if (_target == one.Attempt)
            {
                // The rest of the body is for the next one.
                _target = null;
            }
        }

        one.Attempt?.Stream.Reset(StreamResetReason.LocalReset);
        one.Attempt?.Release();
        one.Attempt = null;
    }

    private void Stop(HedgedTry one)
    {
        one.Waiter.Cancel();
        if (one.Attempt is { } attempt)
        {
            CountReset(StreamResetReason.LocalReset);
            attempt.Stream.Reset(StreamResetReason.LocalReset);
        }
    }

    // Nothing of a try may go on when the exchange is used again.
    private async ValueTask EndTriesAsync()
    {
        foreach (var one in _tries)
        {
            Stop(one);
        }

        foreach (var one in _tries)
        {
            await one.Work;
            if (one.Attempt is { } attempt)
            {
                attempt.Release();
            }
            else if (one.Lease.Stream is { } unused)
            {
                unused.Reset(StreamResetReason.LocalReset);
                one.Pool.Finish(unused);
            }
        }

        _tries.Clear();
        _hedging = _perTryOver = _retryDue = false;
    }
}
