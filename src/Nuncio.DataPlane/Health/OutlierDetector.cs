using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Time;

namespace Nuncio.DataPlane.Health;

/// <summary>Ejects endpoints that fail requests (Envoy's outlier detection) and takes them back after a time that grows with each ejection.</summary>
internal sealed class OutlierDetector : IDisposable
{
    private readonly ClusterState _cluster;
    private readonly OutlierDetectionModel _model;
    private readonly CallbackTimer _timer;
    private readonly Lock _gate = new();
    private bool _disposed;

    public OutlierDetector(ClusterState cluster, OutlierDetectionModel model)
    {
        _cluster = cluster;
        _model = model;
        _timer = cluster.Environment.Timers.Create(OnInterval);
        _timer.Start(model.Interval);
    }

    /// <summary>A response came.</summary>
    public void OnResponse(EndpointState endpoint, int status)
    {
        var counters = endpoint.Outlier;
        Interlocked.Increment(ref counters.Requests);
        if (_model.SplitExternalLocalOriginErrors)
        {
            Volatile.Write(ref counters.ConsecutiveLocalOriginFailure, 0);
        }

        if (status < 500)
        {
            Interlocked.Increment(ref counters.Successes);
            Reset(ref counters.Consecutive5xx);
            Reset(ref counters.ConsecutiveGatewayFailure);
            return;
        }

        CountGatewayFailure(endpoint, status is 502 or 503 or 504);
        if (Interlocked.Increment(ref counters.Consecutive5xx) == _model.Consecutive5xx)
        {
            Eject(endpoint, _cluster.Metrics.OutlierEjectionsConsecutive5xx, _model.EnforcingConsecutive5xx);
            Volatile.Write(ref counters.Consecutive5xx, 0);
        }
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
        Interlocked.Increment(ref counters.Requests);
        if (Interlocked.Increment(ref counters.ConsecutiveLocalOriginFailure) == _model.ConsecutiveLocalOriginFailure)
        {
            Eject(endpoint, _cluster.Metrics.OutlierEjectionsConsecutiveLocalOriginFailure, _model.EnforcingConsecutiveLocalOriginFailure);
            Volatile.Write(ref counters.ConsecutiveLocalOriginFailure, 0);
        }
    }

    /// <summary>An active check has passed.</summary>
    public void OnActiveCheckPassed(EndpointState endpoint)
    {
        if (_model.SuccessfulActiveCheckUnejects)
        {
            lock (_gate)
            {
                TakeBack(endpoint);
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

    private void CountGatewayFailure(EndpointState endpoint, bool failed)
    {
        var counters = endpoint.Outlier;
        if (!failed)
        {
            Reset(ref counters.ConsecutiveGatewayFailure);
        }
        else if (Interlocked.Increment(ref counters.ConsecutiveGatewayFailure) == _model.ConsecutiveGatewayFailure)
        {
            Eject(endpoint, _cluster.Metrics.OutlierEjectionsConsecutiveGatewayFailure, _model.EnforcingConsecutiveGatewayFailure);
            Volatile.Write(ref counters.ConsecutiveGatewayFailure, 0);
        }
    }

    private static void Reset(ref int counter)
    {
        if (Volatile.Read(ref counter) != 0)
        {
            Volatile.Write(ref counter, 0);
        }
    }

    private static bool Enforced(uint percent) => percent >= 100 || Random.Shared.Next(100) < percent;

    private void Eject(EndpointState endpoint, Telemetry.MetricCounter reason, uint enforcing)
    {
        lock (_gate)
        {
            if (_disposed || (endpoint.HealthFlags & EndpointHealthFlags.FailedOutlierCheck) != 0)
            {
                return;
            }

            var endpoints = _cluster.Endpoints;
            var ejected = endpoints.Count(e => (e.HealthFlags & EndpointHealthFlags.FailedOutlierCheck) != 0);
            if (100.0 * (ejected + 1) / endpoints.Count > _model.MaxEjectionPercent && !(_model.AlwaysEjectOne && ejected == 0))
            {
                _cluster.Metrics.OutlierEjectionsOverflow.Increment();
                return;
            }

            if (!Enforced(enforcing))
            {
                return;
            }

            var counters = endpoint.Outlier;
            counters.Ejections++;
            var duration = _model.BaseEjectionTime * counters.Ejections;
            duration = duration < _model.MaxEjectionTime ? duration : _model.MaxEjectionTime;
            duration += _model.MaxEjectionTimeJitter * Random.Shared.NextDouble();
            counters.EjectedUntil = _cluster.Environment.Timers.NowMilliseconds + (long)duration.TotalMilliseconds;
            endpoint.SetFlag(EndpointHealthFlags.FailedOutlierCheck, true);
            _cluster.Metrics.OutlierEjections.Increment();
            _cluster.Metrics.OutlierDetectionEjectionsActive.Increment();
            reason.Increment();
        }

        _cluster.OnHealthChanged();
    }

    private void TakeBack(EndpointState endpoint)
    {
        if (endpoint.SetFlag(EndpointHealthFlags.FailedOutlierCheck, false))
        {
            Volatile.Write(ref endpoint.Outlier.Consecutive5xx, 0);
            Volatile.Write(ref endpoint.Outlier.ConsecutiveGatewayFailure, 0);
            Volatile.Write(ref endpoint.Outlier.ConsecutiveLocalOriginFailure, 0);
            _cluster.Metrics.OutlierDetectionEjectionsActive.Decrement();
            _cluster.OnHealthChanged();
        }
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
                lock (_gate)
                {
                    TakeBack(endpoint);
                }
            }
        }

        CompareRates(endpoints);
        lock (_gate)
        {
            if (!_disposed)
            {
                _timer.Start(_model.Interval);
            }
        }
    }

    private void CompareRates(IReadOnlyList<EndpointState> endpoints)
    {
        var rates = new List<(EndpointState Endpoint, double Rate)>();
        var failing = new List<(EndpointState Endpoint, double Rate)>();
        foreach (var endpoint in endpoints)
        {
            var requests = Interlocked.Exchange(ref endpoint.Outlier.Requests, 0);
            var successes = Interlocked.Exchange(ref endpoint.Outlier.Successes, 0);
            if (requests == 0 || (endpoint.HealthFlags & EndpointHealthFlags.FailedOutlierCheck) != 0)
            {
                continue;
            }

            var rate = 100.0 * successes / requests;
            if (requests >= _model.SuccessRateRequestVolume)
            {
                rates.Add((endpoint, rate));
            }

            if (requests >= _model.FailurePercentageRequestVolume)
            {
                failing.Add((endpoint, rate));
            }
        }

        if (_model.EnforcingSuccessRate > 0 && rates.Count > 0 && rates.Count >= _model.SuccessRateMinimumHosts)
        {
            var mean = rates.Average(r => r.Rate);
            var deviation = Math.Sqrt(rates.Average(r => (r.Rate - mean) * (r.Rate - mean)));
            var threshold = mean - (_model.SuccessRateStdevFactor / 1000.0 * deviation);
            foreach (var (endpoint, rate) in rates)
            {
                if (rate < threshold)
                {
                    Eject(endpoint, _cluster.Metrics.OutlierEjectionsSuccessRate, _model.EnforcingSuccessRate);
                }
            }
        }

        if (_model.EnforcingFailurePercentage > 0 && failing.Count > 0 && failing.Count >= _model.FailurePercentageMinimumHosts)
        {
            foreach (var (endpoint, rate) in failing)
            {
                if (100 - rate >= _model.FailurePercentageThreshold)
                {
                    Eject(endpoint, _cluster.Metrics.OutlierEjectionsFailurePercentage, _model.EnforcingFailurePercentage);
                }
            }
        }
    }
}
