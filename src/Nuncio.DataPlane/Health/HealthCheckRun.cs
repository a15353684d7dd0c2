using Nuncio.DataPlane.Model;

namespace Nuncio.DataPlane.Health;

/// <summary>What a probe found.</summary>
internal enum HealthProbeResult : byte
{
    /// <summary>All is well.</summary>
    Passed,

    /// <summary>The endpoint answered that it is not well: unhealthy at once.</summary>
    Failed,

    /// <summary>The answer counts towards the threshold.</summary>
    FailedRetriable,

    /// <summary>No answer: no connection, or none in time. Counts towards the threshold.</summary>
    NetworkFailed,
}

/// <summary>The results of one check of one endpoint, and what follows from them (Envoy's HealthCheckerImplBase).</summary>
internal sealed class HealthCheckRun(HealthCheckModel model)
{
    private uint _passed;
    private uint _failed;
    private bool _changed;
    private int _results;

    /// <summary>Starts false: not healthy before the first check has passed.</summary>
    public bool IsHealthy { get; private set; }

    /// <summary>The last result was the first one.</summary>
    public bool IsFirst => _results == 1;

    /// <summary>Takes a result; true when <see cref="IsHealthy"/> changed.</summary>
    public bool Take(HealthProbeResult result)
    {
        _results = Math.Min(_results + 1, 2);
        var before = IsHealthy;
        if (result == HealthProbeResult.Passed)
        {
            _failed = 0;
            _passed++;

            // The very first success suffices.
            IsHealthy = IsHealthy || IsFirst || _passed >= model.HealthyThreshold;
        }
        else
        {
            _passed = 0;
            _failed++;
            IsHealthy = IsHealthy && result != HealthProbeResult.Failed && _failed < model.UnhealthyThreshold;
        }

        return _changed = before != IsHealthy;
    }

    /// <summary>How long until the next check.</summary>
    /// <param name="inUse">Requests have used the cluster.</param>
    public TimeSpan NextInterval(bool inUse)
    {
        if (!inUse)
        {
            return IsHealthy ? model.NoTrafficHealthyInterval ?? model.NoTrafficInterval : model.NoTrafficInterval;
        }

        return IsHealthy
            ? _changed ? model.HealthyEdgeInterval ?? model.Interval : model.Interval
            : _changed ? model.UnhealthyEdgeInterval ?? model.UnhealthyInterval ?? model.Interval : model.UnhealthyInterval ?? model.Interval;
    }
}
