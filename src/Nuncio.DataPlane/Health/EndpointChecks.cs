using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Telemetry;

namespace Nuncio.DataPlane.Health;

/// <summary>The checks of one endpoint.</summary>
internal sealed class EndpointChecks
{
    private readonly HealthChecker _checker;
    private readonly ClusterState _cluster;
    private readonly EndpointState _endpoint;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly HealthCheckRun[] _runs;
    private int _unknown;
    private bool _isHealthy;
    private bool _isDegraded;
    private bool _disposed;

    public EndpointChecks(HealthChecker checker, ClusterState cluster, EndpointState endpoint)
    {
        _checker = checker;
        _cluster = cluster;
        _endpoint = endpoint;
        var models = cluster.Model.HealthChecks;
        _runs = [.. models.Select(static model => new HealthCheckRun(model))];
        _unknown = _runs.Length;
        for (var i = 0; i < _runs.Length; i++)
        {
            _ = RunAsync(models[i], _runs[i]);
        }
    }

    /// <summary>See <see cref="HealthChecker.FailPassively"/>. The next check comes when it would have come.</summary>
    public void FailPassively()
    {
        _cluster.Metrics.HealthCheckFailures.Increment();
        _cluster.Metrics.HealthCheckPassiveFailures.Increment();
        ShownHealth shown;
        lock (_gate)
        {
            foreach (var run in _runs)
            {
                run.Take(HealthProbeResult.FailedPassively);
            }

            shown = Show();
        }

        Publish(shown);
    }

    /// <summary>Ends them; true when their first round was over, which is told or will be.</summary>
    public bool Stop()
    {
        bool isKnown;
        lock (_gate)
        {
            isKnown = _unknown == 0;
            if (!_disposed)
            {
                Count(false, false);
                _disposed = true;
            }
        }

        _stop.Cancel();
        return isKnown;
    }

    private async Task RunAsync(HealthCheckModel model, HealthCheckRun run)
    {
        var time = _cluster.Environment.Timers.Time;
        using var probe = HealthProbe.Create(model, _endpoint);
        var isFirst = true;
        try
        {
            await Task.Delay(Jitter(model.InitialJitter), time, _stop.Token);
            while (true)
            {
                var result = await CheckAsync(probe, model.Timeout);
                if (_stop.IsCancellationRequested)
                {
                    return;
                }

                var wait = Take(run, result, isFirst);
                isFirst = false;
                wait += Jitter(model.IntervalJitter) + (wait * Random.Shared.NextDouble() * (model.IntervalJitterPercent / 100.0));
                await Task.Delay(wait < MinimumInterval ? MinimumInterval : wait, time, _stop.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The endpoint is gone.
        }
    }

    private async ValueTask<HealthProbeResult> CheckAsync(HealthProbe probe, TimeSpan timeout)
    {
        using var limit = new CancellationTokenSource(timeout, _cluster.Environment.Timers.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _stop.Token);
        _cluster.Metrics.HealthCheckAttempts.Increment();
        return await probe.CheckAsync(either.Token);
    }

    // Envoy's too: checks of an interval of nothing would keep a core busy.
    private static TimeSpan MinimumInterval => TimeSpan.FromMilliseconds(1);

    private TimeSpan Take(HealthCheckRun run, HealthProbeResult result, bool isFirst)
    {
        ShownHealth shown;
        bool isKnown;
        TimeSpan wait;
        lock (_gate)
        {
            run.Take(result);
            shown = Show();
            isKnown = isFirst && !_disposed && --_unknown == 0;
            wait = run.NextInterval(_cluster.IsUsed);
        }

        Publish(shown);
        if (shown.IsHealthy && result is HealthProbeResult.Passed or HealthProbeResult.PassedDegraded)
        {
            _cluster.Outlier?.OnActiveCheckPassed(_endpoint);
        }

        if (isKnown)
        {
            _checker.OnFirstResult();
        }

        // Last: who sees the count, sees what came of it.
        Count(result);
        return wait;
    }

    private void Count(HealthProbeResult result)
    {
        var metrics = _cluster.Metrics;
        switch (result)
        {
            case HealthProbeResult.Passed or HealthProbeResult.PassedDegraded:
                metrics.HealthCheckSuccesses.Increment();
                break;
            case HealthProbeResult.NetworkFailed:
                metrics.HealthCheckFailures.Increment();
                metrics.HealthCheckNetworkFailures.Increment();
                break;
            default:
                metrics.HealthCheckFailures.Increment();
                break;
        }
    }

    // Lets the endpoint have what the runs say.
    private ShownHealth Show()
    {
        if (_disposed)
        {
            return default;
        }

        var (failed, degraded, excluded) = (false, false, false);
        foreach (var run in _runs)
        {
            failed |= !run.IsHealthy;
            degraded |= run.IsDegraded;
            excluded |= run.IsExcluded;
        }

        Count(!failed, degraded);
        var changed = _endpoint.SetFlag(EndpointHealthFlags.DegradedActiveCheck, degraded);
        changed |= _endpoint.SetFlag(EndpointHealthFlags.Excluded, excluded);
        var turned = _endpoint.SetFlag(EndpointHealthFlags.FailedActiveCheck, failed);
        return new ShownHealth(!failed, changed || turned, failed && turned);
    }

    private void Count(bool isHealthy, bool isDegraded)
    {
        Count(_cluster.Metrics.HealthCheckHealthy, ref _isHealthy, isHealthy);
        Count(_cluster.Metrics.HealthCheckDegraded, ref _isDegraded, isDegraded);
    }

    private static void Count(MetricGauge gauge, ref bool before, bool now)
    {
        if (before != now)
        {
            before = now;
            gauge.Add(now ? 1 : -1);
        }
    }

    private void Publish(ShownHealth shown)
    {
        if (shown.HasChanged)
        {
            _cluster.OnHealthChanged();
        }

        if (shown.HasFailed && _cluster.Model.CloseConnectionsOnHealthFailure)
        {
            _endpoint.DrainConnections();
        }
    }

    private static TimeSpan Jitter(TimeSpan most) => most * Random.Shared.NextDouble();

    private readonly record struct ShownHealth(bool IsHealthy, bool HasChanged, bool HasFailed);
}
