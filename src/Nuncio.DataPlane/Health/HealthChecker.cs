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

    /// <summary>Begins to check endpoints. All are waited for before the first is asked, which may answer at once.</summary>
    public void Add(IEnumerable<EndpointState> endpoints)
    {
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            var added = endpoints.Where(endpoint => !endpoint.Model.DisableActiveHealthCheck && !_checks.ContainsKey(endpoint)).Distinct().ToList();
            _unknown += added.Count;
            foreach (var endpoint in added)
            {
                _checks.Add(endpoint, new EndpointChecks(this, _cluster, endpoint));
            }
        }
    }

    public void Remove(EndpointState endpoint)
    {
        lock (_gate)
        {
            if (_checks.Remove(endpoint, out var checks) && !checks.Stop())
            {
                // Nobody waits any more for what an endpoint that is gone would have answered.
                _unknown--;
            }
        }
    }

    /// <summary>The endpoint itself said in an answer to a client that it is not to get requests (<c>x-envoy-immediate-health-check-fail</c>).</summary>
    public void FailPassively(EndpointState endpoint)
    {
        EndpointChecks? checks;
        lock (_gate)
        {
            checks = _checks.GetValueOrDefault(endpoint);
        }

        checks?.FailPassively();
    }

    /// <summary>The first round is not over.</summary>
    public bool IsPending
    {
        get
        {
            lock (_gate)
            {
                return _unknown > 0;
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
                checks.Stop();
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
