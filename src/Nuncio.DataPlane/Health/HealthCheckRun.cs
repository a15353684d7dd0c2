using Nuncio.DataPlane.Model;

namespace Nuncio.DataPlane.Health;

/// <summary>The results of one check of one endpoint, and what follows from them (Envoy, "Health checking"). Its owner synchronises.</summary>
internal sealed class HealthCheckRun(HealthCheckModel model)
{
    private uint _passed;
    private uint _failed;
    private bool _hasResult;
    private bool _lastPassed;
    private bool _isPending;

    /// <summary>Starts false: not healthy before the first check has passed.</summary>
    public bool IsHealthy { get; private set; }

    /// <summary>The last check that passed said that the endpoint is degraded.</summary>
    public bool IsDegraded { get; private set; }

    /// <summary>The endpoint asked to be left out, and has not become healthy since.</summary>
    public bool IsExcluded { get; private set; }

    /// <summary>Takes a result.</summary>
    public void Take(HealthProbeResult result)
    {
        var passed = result is HealthProbeResult.Passed or HealthProbeResult.PassedDegraded;
        if (passed)
        {
            Pass();
            IsDegraded = result == HealthProbeResult.PassedDegraded;
        }
        else
        {
            Fail(result);
        }

        if (result != HealthProbeResult.FailedPassively)
        {
            _lastPassed = passed;
        }

        _hasResult = true;
    }

    /// <summary>How long until the next check: the edge intervals are for as long as one result and the health that is gone by say different things.</summary>
    /// <param name="inUse">Requests have used the cluster.</param>
    public TimeSpan NextInterval(bool inUse)
    {
        if (!inUse)
        {
            return _lastPassed && !_isPending ? model.NoTrafficHealthyInterval ?? model.NoTrafficInterval : model.NoTrafficInterval;
        }

        return _lastPassed
            ? (_isPending ? model.HealthyEdgeInterval : null) ?? model.Interval
            : (_isPending ? model.UnhealthyEdgeInterval : null) ?? model.UnhealthyInterval ?? model.Interval;
    }

    private void Pass()
    {
        _failed = 0;
        _isPending = false;
        if (!IsHealthy)
        {
            // The very first success suffices.
            IsHealthy = !_hasResult || ++_passed >= model.HealthyThreshold;
            _isPending = !IsHealthy;
            IsExcluded &= !IsHealthy;
        }
    }

    private void Fail(HealthProbeResult result)
    {
        _passed = 0;
        IsExcluded |= result is HealthProbeResult.FailedExcluded or HealthProbeResult.FailedPassively;
        _isPending = false;
        if (IsHealthy)
        {
            IsHealthy = result is HealthProbeResult.FailedRetriable or HealthProbeResult.NetworkFailed && ++_failed < model.UnhealthyThreshold;
            _isPending = IsHealthy;
        }
    }
}
