using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.State;

namespace Nuncio.DataPlane.Health;

/// <summary>Runs a cluster's active checks: for each endpoint and each check a loop of its own. An endpoint is healthy when it passes all of them.</summary>
internal sealed class HealthChecker : IDisposable
{
    private readonly ClusterState _cluster;
    private readonly Lock _gate = new();
    private readonly Dictionary<EndpointState, EndpointChecks> _checks = [];
    private int _unknown;
    private bool _disposed;

    public HealthChecker(ClusterState cluster) => _cluster = cluster;

    public void Add(EndpointState endpoint)
    {
        lock (_gate)
        {
            if (_disposed || endpoint.Model.DisableActiveHealthCheck || _checks.ContainsKey(endpoint))
            {
                return;
            }

            _unknown++;
            _checks.Add(endpoint, new EndpointChecks(this, _cluster, endpoint));
        }
    }

    public void Remove(EndpointState endpoint)
    {
        lock (_gate)
        {
            if (_checks.Remove(endpoint, out var checks))
            {
                checks.Dispose();
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            foreach (var checks in _checks.Values)
            {
                checks.Dispose();
            }

            _checks.Clear();
        }
    }

    /// <summary>The first round is over for one endpoint: with the last of them the cluster is warm.</summary>
    internal void OnFirstResult()
    {
        bool warm;
        lock (_gate)
        {
            warm = --_unknown <= 0;
        }

        if (warm)
        {
            _cluster.OnFirstChecksDone();
        }
    }
}

/// <summary>The checks of one endpoint.</summary>
internal sealed class EndpointChecks : IDisposable
{
    private readonly HealthChecker _checker;
    private readonly ClusterState _cluster;
    private readonly EndpointState _endpoint;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private int _failing;
    private int _unknown;

    public EndpointChecks(HealthChecker checker, ClusterState cluster, EndpointState endpoint)
    {
        _checker = checker;
        _cluster = cluster;
        _endpoint = endpoint;
        _failing = _unknown = cluster.Model.HealthChecks.Count;
        foreach (var model in cluster.Model.HealthChecks)
        {
            _ = RunAsync(model);
        }
    }

    public void Dispose() => _stop.Cancel();

    private async Task RunAsync(HealthCheckModel model)
    {
        var time = _cluster.Environment.Timers.Time;
        using var probe = HealthProbe.Create(model, _endpoint);
        var run = new HealthCheckRun(model);
        try
        {
            await Task.Delay(Jitter(model.InitialJitter), time, _stop.Token);
            while (true)
            {
                using var limit = new CancellationTokenSource(model.Timeout, time);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _stop.Token);
                _cluster.Metrics.HealthCheckAttempts.Increment();
                var result = await probe.CheckAsync(either.Token);
                if (_stop.IsCancellationRequested)
                {
                    return;
                }

                Count(result);
                Publish(run, run.Take(result));
                var wait = run.NextInterval(_cluster.IsUsed);
                wait += Jitter(model.IntervalJitter) + (wait * Random.Shared.NextDouble() * (model.IntervalJitterPercent / 100.0));
                await Task.Delay(wait, time, _stop.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The endpoint is gone.
        }
    }

    private void Count(HealthProbeResult result)
    {
        switch (result)
        {
            case HealthProbeResult.Passed:
                _cluster.Metrics.HealthCheckSuccesses.Increment();
                break;
            case HealthProbeResult.NetworkFailed:
                _cluster.Metrics.HealthCheckFailures.Increment();
                _cluster.Metrics.HealthCheckNetworkFailures.Increment();
                break;
            default:
                _cluster.Metrics.HealthCheckFailures.Increment();
                break;
        }
    }

    private void Publish(HealthCheckRun run, bool changed)
    {
        bool first;
        bool flagChanged;
        lock (_gate)
        {
            first = run.IsFirst && --_unknown == 0;
            if (changed)
            {
                _failing += run.IsHealthy ? -1 : 1;
            }

            flagChanged = _endpoint.SetFlag(EndpointHealthFlags.FailedActiveCheck, _failing > 0);
        }

        if (flagChanged)
        {
            _cluster.OnHealthChanged();
            if (_failing > 0 && _cluster.Model.CloseConnectionsOnHealthFailure)
            {
                _endpoint.DrainConnections();
            }
        }

        if (run.IsHealthy && _failing == 0)
        {
            _cluster.Outlier?.OnActiveCheckPassed(_endpoint);
        }

        if (first)
        {
            _checker.OnFirstResult();
        }
    }

    private static TimeSpan Jitter(TimeSpan most) => most * Random.Shared.NextDouble();
}
