using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Telemetry;
using Nuncio.DataPlane.Time;

namespace Nuncio.DataPlane.Health;

/// <summary>Ejects endpoints that fail requests (Envoy, "Outlier detection") and takes them back after a time that grows with each ejection.</summary>
internal sealed class OutlierDetector : IDisposable
{
    private readonly ClusterState _cluster;
    private readonly OutlierDetectionModel _model;
    private readonly OutlierMetrics _metrics;
    private readonly CallbackTimer _timer;
    private readonly Lock _gate = new();
    private bool _disposed;

    public OutlierDetector(ClusterState cluster, OutlierDetectionModel model)
    {
        _cluster = cluster;
        _model = model;
        _metrics = new OutlierMetrics(cluster.Environment.Metrics, cluster.Model.StatName);
        _timer = cluster.Environment.Timers.Create(OnInterval);
        _timer.Start(model.Interval);
    }

    /// <summary>A response came.</summary>
    public void OnResponse(EndpointState endpoint, int status)
    {
        var counters = endpoint.Outlier;
        counters.Answers.Add(status < 500);
        if (status < 500)
        {
            Reset(ref counters.Consecutive5xx);
            Reset(ref counters.ConsecutiveGatewayFailure);
            return;
        }

        if (status is 502 or 503 or 504)
        {
            CountFailure(endpoint, ref counters.ConsecutiveGatewayFailure, _model.ConsecutiveGatewayFailure, OutlierKind.ConsecutiveGatewayFailure);
        }
        else
        {
            Reset(ref counters.ConsecutiveGatewayFailure);
        }

        CountFailure(endpoint, ref counters.Consecutive5xx, _model.Consecutive5xx, OutlierKind.Consecutive5xx);
    }

    /// <summary>No response came: the connection failed, or time ran out.</summary>
    public void OnLocalFailure(EndpointState endpoint)
    {
        if (!_model.SplitExternalLocalOriginErrors)
        {
            // Envoy counts it as the gateway error that it causes.
            OnResponse(endpoint, 503);
            return;
        }

        var counters = endpoint.Outlier;
        counters.Connections.Add(success: false);
        CountFailure(
            endpoint, ref counters.ConsecutiveLocalOriginFailure, _model.ConsecutiveLocalOriginFailure, OutlierKind.ConsecutiveLocalOriginFailure);
    }

    /// <summary>A request has got a connection, whatever comes of it.</summary>
    public void OnConnected(EndpointState endpoint)
    {
        if (_model.SplitExternalLocalOriginErrors)
        {
            endpoint.Outlier.Connections.Add(success: true);
            Reset(ref endpoint.Outlier.ConsecutiveLocalOriginFailure);
        }
    }

    /// <summary>The same where connecting is all there is, as for TCP: that is a good answer where the two are not told apart.</summary>
    public void OnConnectedFinally(EndpointState endpoint)
    {
        if (_model.SplitExternalLocalOriginErrors)
        {
            OnConnected(endpoint);
        }
        else
        {
            OnResponse(endpoint, 200);
        }
    }

    /// <summary>An active check has passed.</summary>
    public void OnActiveCheckPassed(EndpointState endpoint)
    {
        if (_model.SuccessfulActiveCheckUnejects)
        {
            TakeBack(endpoint);
        }
    }

    /// <summary>The endpoint has left the cluster: it counts no longer as ejected.</summary>
    public void Remove(EndpointState endpoint)
    {
        lock (_gate)
        {
            endpoint.Outlier.IsGone = true;
            if (endpoint.SetFlag(EndpointHealthFlags.FailedOutlierCheck, false))
            {
                _metrics.Active.Decrement();
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
        }

        _timer.Cancel();
    }

    private void CountFailure(EndpointState endpoint, ref int count, uint threshold, OutlierKind kind)
    {
        if (Interlocked.Increment(ref count) == threshold && (endpoint.HealthFlags & EndpointHealthFlags.FailedOutlierCheck) == 0)
        {
            Eject(endpoint, kind);
            Volatile.Write(ref count, 0);
        }
    }

    private static void Reset(ref int counter)
    {
        if (Volatile.Read(ref counter) != 0)
        {
            Volatile.Write(ref counter, 0);
        }
    }

    private bool IsEnforced(OutlierKind kind)
    {
        var percent = kind switch
        {
            OutlierKind.Consecutive5xx => _model.EnforcingConsecutive5xx,
            OutlierKind.ConsecutiveGatewayFailure => _model.EnforcingConsecutiveGatewayFailure,
            OutlierKind.ConsecutiveLocalOriginFailure => _model.EnforcingConsecutiveLocalOriginFailure,
            OutlierKind.SuccessRate => _model.EnforcingSuccessRate,
            OutlierKind.LocalOriginSuccessRate => _model.EnforcingLocalOriginSuccessRate,
            OutlierKind.FailurePercentage => _model.EnforcingFailurePercentage,
            _ => _model.EnforcingFailurePercentageLocalOrigin,
        };
        return percent >= 100 || Random.Shared.Next(100) < percent;
    }

    private void Eject(EndpointState endpoint, OutlierKind kind)
    {
        lock (_gate)
        {
            if (_disposed || endpoint.Outlier.IsGone || (endpoint.HealthFlags & EndpointHealthFlags.FailedOutlierCheck) != 0)
            {
                return;
            }

            _metrics.OnDetected(kind);
            var endpoints = _cluster.Endpoints;
            var ejected = endpoints.Count(e => (e.HealthFlags & EndpointHealthFlags.FailedOutlierCheck) != 0);
            if (100.0 * (ejected + 1) / endpoints.Count > _model.MaxEjectionPercent && !(_model.AlwaysEjectOne && ejected == 0))
            {
                _metrics.Overflow.Increment();
                return;
            }

            _metrics.OnAllowed(kind);
            if (!IsEnforced(kind))
            {
                return;
            }

            // Once it is as long as it may be it does not grow, or it would take as many quiet intervals more to shrink.
            var counters = endpoint.Outlier;
            if (_model.BaseEjectionTime * counters.Ejections < _model.MaxEjectionTime + _model.BaseEjectionTime)
            {
                counters.Ejections++;
            }

            var duration = _model.BaseEjectionTime * counters.Ejections;
            duration = duration < _model.MaxEjectionTime ? duration : _model.MaxEjectionTime;
            duration += _model.MaxEjectionTimeJitter * Random.Shared.NextDouble();
            counters.EjectedUntil = _cluster.Environment.Timers.NowMilliseconds + (long)duration.TotalMilliseconds;
            endpoint.SetFlag(EndpointHealthFlags.FailedOutlierCheck, true);
            _metrics.OnEjected(kind);
        }

        _cluster.OnHealthChanged();
    }

    private void TakeBack(EndpointState endpoint)
    {
        lock (_gate)
        {
            if (!endpoint.SetFlag(EndpointHealthFlags.FailedOutlierCheck, false))
            {
                return;
            }

            Volatile.Write(ref endpoint.Outlier.Consecutive5xx, 0);
            Volatile.Write(ref endpoint.Outlier.ConsecutiveGatewayFailure, 0);
            Volatile.Write(ref endpoint.Outlier.ConsecutiveLocalOriginFailure, 0);
            _metrics.Active.Decrement();
        }

        _cluster.OnHealthChanged();
    }

    private void OnInterval()
    {
        var now = _cluster.Environment.Timers.NowMilliseconds;
        var endpoints = _cluster.Endpoints;
        foreach (var endpoint in endpoints)
        {
            if ((endpoint.HealthFlags & EndpointHealthFlags.FailedOutlierCheck) == 0)
            {
                // Each quiet interval makes the next ejection shorter again.
                endpoint.Outlier.Ejections = Math.Max(0, endpoint.Outlier.Ejections - 1);
            }
            else if (now >= endpoint.Outlier.EjectedUntil)
            {
                TakeBack(endpoint);
            }
        }

        CompareRates(endpoints, OutlierKind.SuccessRate, OutlierKind.FailurePercentage, static counters => counters.Answers.Take());
        CompareRates(endpoints, OutlierKind.LocalOriginSuccessRate, OutlierKind.LocalOriginFailurePercentage, static counters => counters.Connections.Take());
        lock (_gate)
        {
            if (!_disposed)
            {
                _timer.Start(_model.Interval);
            }
        }
    }

    private void CompareRates(
        IReadOnlyList<EndpointState> endpoints, OutlierKind successRate, OutlierKind failurePercentage, Func<OutlierCounters, (long All, long Successes)> take)
    {
        var rates = new List<(EndpointState Endpoint, double Rate)>();
        var failing = new List<(EndpointState Endpoint, double Rate)>();
        foreach (var endpoint in endpoints)
        {
            var (all, successes) = take(endpoint.Outlier);
            if (all == 0 || (endpoint.HealthFlags & EndpointHealthFlags.FailedOutlierCheck) != 0)
            {
                continue;
            }

            var rate = 100.0 * successes / all;
            if (all >= _model.SuccessRateRequestVolume)
            {
                rates.Add((endpoint, rate));
            }

            if (all >= _model.FailurePercentageRequestVolume)
            {
                failing.Add((endpoint, rate));
            }
        }

        if (rates.Count > 0 && rates.Count >= _model.SuccessRateMinimumHosts)
        {
            var mean = rates.Average(r => r.Rate);
            var deviation = Math.Sqrt(rates.Average(r => (r.Rate - mean) * (r.Rate - mean)));
            var threshold = mean - (_model.SuccessRateStdevFactor / 1000.0 * deviation);
            foreach (var (endpoint, rate) in rates)
            {
                if (rate < threshold)
                {
                    Eject(endpoint, successRate);
                }
            }
        }

        if (failing.Count > 0 && failing.Count >= _model.FailurePercentageMinimumHosts)
        {
            foreach (var (endpoint, rate) in failing)
            {
                if (100 - rate >= _model.FailurePercentageThreshold)
                {
                    Eject(endpoint, failurePercentage);
                }
            }
        }
    }
}
