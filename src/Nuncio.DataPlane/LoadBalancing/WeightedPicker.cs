using Nuncio.DataPlane.State;

namespace Nuncio.DataPlane.LoadBalancing;

/// <summary>
/// Earliest deadline first: each endpoint comes up every 1/weight, so shares are smooth also over short times. With a bias the weight is
/// lowered by the load at the moment of the choice, which makes it Envoy's weighted least request.
/// </summary>
internal sealed class WeightedPicker : EndpointPicker
{
    private readonly Lock _gate = new();
    private readonly PriorityQueue<int, (double Deadline, ulong Order)> _queue = new();
    private readonly EndpointState[] _endpoints;
    private readonly double[] _weights;
    private readonly double _bias;
    private readonly SlowStart? _slowStart;
    private double _now;
    private ulong _order;

    /// <summary>A schedule of endpoints.</summary>
    /// <param name="endpoints">At least one.</param>
    /// <param name="weights">One each, above zero.</param>
    /// <param name="bias">Zero looks at weights alone.</param>
    /// <param name="slowStart">Lowers the weights of endpoints that are new; null for none.</param>
    public WeightedPicker(EndpointState[] endpoints, double[] weights, double bias, SlowStart? slowStart)
    {
        _slowStart = slowStart;
        _endpoints = endpoints;
        _weights = weights;
        _bias = bias;
        for (var i = 0; i < endpoints.Length; i++)
        {
            _queue.Enqueue(i, (1 / Weight(i), _order++));
        }

        // A start at some place of the schedule: proxies that start together should not all begin with the heaviest.
        for (var skip = Random.Shared.Next(endpoints.Length); skip > 0; skip--)
        {
            Pick(0, 0);
        }
    }

    public override EndpointState Pick(ulong hash, int attempt)
    {
        lock (_gate)
        {
            _queue.TryDequeue(out var index, out var key);
            _now = key.Deadline;
            _queue.Enqueue(index, (_now + (1 / Weight(index)), _order++));
            return _endpoints[index];
        }
    }

    // At the moment of the choice.
    private double Weight(int index)
    {
        var weight = _weights[index];
        if (_bias != 0)
        {
            weight /= Math.Pow(_endpoints[index].ActiveRequests + 1, _bias);
        }

        return _slowStart is null ? weight : weight * _slowStart.Factor(_endpoints[index]);
    }
}
