using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.State;
using LbPolicy = Envoy.Config.Cluster.V3.Cluster.Types.LbPolicy;

namespace Nuncio.DataPlane.LoadBalancing;

/// <summary>The endpoints of a cluster with their health at one moment, ready to choose from. Immutable but for the pickers' own places.</summary>
internal sealed class EndpointSet
{
    private readonly PriorityLoad _load;
    private readonly (EndpointPicker All, EndpointPicker Healthy, EndpointPicker Degraded)[] _pickers;
    private readonly bool _simple;

    private EndpointSet(EndpointGroup[] groups, EndpointState[] all, PriorityLoad load, (EndpointPicker, EndpointPicker, EndpointPicker)[] pickers)
    {
        Groups = groups;
        All = all;
        _load = load;
        _pickers = pickers;
        _simple = load.Healthy.Length > 0 && load.Healthy[0] == 100;
    }

    /// <summary>What it was built from.</summary>
    public EndpointGroup[] Groups { get; }

    /// <summary>Every endpoint once.</summary>
    public EndpointState[] All { get; }

    /// <summary>How many are healthy.</summary>
    public int HealthyCount { get; private init; }

    /// <summary>How many are degraded.</summary>
    public int DegradedCount { get; private init; }

    /// <summary>How many do not count where a part of the endpoints decides.</summary>
    public int ExcludedCount { get; private init; }

    /// <summary>Milliseconds until no endpoint has less than its weight for being new; 0 where none has.</summary>
    public long SlowStartLeft { get; private init; }

    /// <summary>Builds it.</summary>
    public static EndpointSet Build(
        EndpointGroup[] groups, LoadBalancingModel model, uint overprovisioning, RoundRobinCursor cursor, SlowStart? slowStart = null)
    {
        var priorities = groups.Length == 0 ? 1 : (int)groups.Max(g => g.Priority) + 1;
        var counts = new PriorityCount[priorities];
        var members = new PriorityMembers[priorities];
        for (var i = 0; i < priorities; i++)
        {
            members[i] = new PriorityMembers([], [], []);
        }

        foreach (var group in groups)
        {
            foreach (var endpoint in group.Endpoints)
            {
                members[group.Priority].All.Add((endpoint, endpoint.Weight));
                slowStart?.Begin(endpoint);
                counts[group.Priority].All++;
                counts[group.Priority].Excluded += IsExcluded(endpoint) ? 1 : 0;
                counts[group.Priority].Healthy += endpoint.Health == EndpointHealth.Healthy ? 1 : 0;
                counts[group.Priority].Degraded += endpoint.Health == EndpointHealth.Degraded ? 1 : 0;
            }

            Add(members[group.Priority].Healthy, group, EndpointHealth.Healthy, model, overprovisioning);
            Add(members[group.Priority].Degraded, group, EndpointHealth.Degraded, model, overprovisioning);
        }

        EndpointState[] all = [.. members.SelectMany(m => m.All).Select(m => m.Endpoint).Distinct()];
        var slowStartLeft = slowStart?.Left(all) ?? 0;
        slowStart = slowStartLeft > 0 ? slowStart : null;
        var load = PriorityLoad.Compute(counts, overprovisioning, model.PanicThreshold);
        var pickers = new (EndpointPicker All, EndpointPicker Healthy, EndpointPicker Degraded)[priorities];
        for (var i = 0; i < priorities; i++)
        {
            pickers[i] = (
                load.Panic[i] ? Picker(members[i].All, model, cursor, slowStart) : EmptyPicker.Instance,
                Picker(members[i].Healthy, model, cursor, slowStart),
                Picker(members[i].Degraded, model, cursor, slowStart));
        }

        return new EndpointSet(groups, all, load, pickers)
        {
            SlowStartLeft = slowStartLeft,
            HealthyCount = counts.Sum(c => c.Healthy),
            DegradedCount = counts.Sum(c => c.Degraded),
            ExcludedCount = counts.Sum(c => c.Excluded),
        };
    }

    /// <summary>Chooses an endpoint; null where there is none.</summary>
    /// <param name="hash">The request's hash.</param>
    /// <param name="hasHash">There is one; otherwise a random number takes its place.</param>
    /// <param name="attempt">See <see cref="EndpointPicker.Pick"/>.</param>
    /// <param name="panicked">Health was not looked at.</param>
    public EndpointState? Choose(ulong hash, bool hasHash, int attempt, out bool panicked)
    {
        panicked = false;
        var priority = 0;
        var degraded = false;
        if (!hasHash)
        {
            hash = (ulong)Random.Shared.NextInt64();
        }

        if (!_simple && !ChoosePriority((int)(hash % 100) + 1, out priority, out degraded))
        {
            return null;
        }

        ref var pickers = ref _pickers[priority];
        panicked = _load.Panic[priority];
        return (panicked ? pickers.All : degraded ? pickers.Degraded : pickers.Healthy).Pick(hash, attempt);
    }

    private bool ChoosePriority(int percent, out int priority, out bool degraded)
    {
        var sum = 0;
        degraded = false;
        for (priority = 0; priority < _load.Healthy.Length; priority++)
        {
            sum += _load.Healthy[priority];
            if (percent <= sum)
            {
                return true;
            }
        }

        degraded = true;
        for (priority = 0; priority < _load.Degraded.Length; priority++)
        {
            sum += _load.Degraded[priority];
            if (percent <= sum)
            {
                return true;
            }
        }

        return false;
    }

    // With locality weights each locality has its share, lowered by what of it is not as healthy, and divides it among its endpoints by their own weights. A
    // locality without a weight gets nothing. Hashing looks at the weights alone; panic looks at no locality.
    private static void Add(
        List<(EndpointState Endpoint, double Weight)> list, EndpointGroup group, EndpointHealth health, LoadBalancingModel model, uint overprovisioning)
    {
        var eligible = Array.FindAll(group.Endpoints, e => e.Health == health);
        var scale = 1.0;
        if (model.LocalityWeighted && eligible.Length > 0)
        {
            var counted = group.Endpoints.Length - group.Endpoints.Count(IsExcluded);
            var available = model.UsesHash || counted <= 0 ? 1 : Math.Min(1, overprovisioning / 100.0 * eligible.Length / counted);
            scale = (group.Weight ?? 0) * available / eligible.Sum(e => (double)e.Weight);
        }

        foreach (var endpoint in eligible)
        {
            list.Add((endpoint, endpoint.Weight * scale));
        }
    }

    private static bool IsExcluded(EndpointState endpoint) => (endpoint.HealthFlags & EndpointHealthFlags.Excluded) != 0;

    private static EndpointPicker Picker(
        List<(EndpointState Endpoint, double Weight)> members, LoadBalancingModel model, RoundRobinCursor cursor, SlowStart? slowStart)
    {
        members = members.FindAll(m => m.Weight > 0);
        if (members.Count == 0)
        {
            return EmptyPicker.Instance;
        }

        if (members.Count == 1)
        {
            return new SinglePicker(members[0].Endpoint);
        }

        EndpointState[] endpoints = [.. members.Select(m => m.Endpoint)];
        double[] weights = [.. members.Select(m => m.Weight)];
        var equal = Array.TrueForAll(weights, w => w == weights[0]);
        return model.Policy switch
        {
            LbPolicy.RingHash => new RingHashPicker(endpoints, weights, model.MinimumRingSize, model.MaximumRingSize, model.HashByHostname),
            LbPolicy.Maglev => new MaglevPicker(endpoints, weights, model.MaglevTableSize, model.HashByHostname),
            LbPolicy.Random => equal ? new RandomPicker(endpoints) : new WeightedPicker(endpoints, weights, 0, null),
            LbPolicy.LeastRequest when equal && slowStart is null => new LeastRequestPicker(endpoints, model.ChoiceCount),
            LbPolicy.LeastRequest => new WeightedPicker(endpoints, weights, model.ActiveRequestBias, slowStart),
            _ when equal && slowStart is null => new RoundRobinPicker(endpoints, cursor),
            _ => new WeightedPicker(endpoints, weights, 0, slowStart),
        };
    }
}

/// <summary>Endpoints of one priority by what they are fit for, with their weights.</summary>
internal readonly record struct PriorityMembers(
    List<(EndpointState Endpoint, double Weight)> All,
    List<(EndpointState Endpoint, double Weight)> Healthy,
    List<(EndpointState Endpoint, double Weight)> Degraded);

/// <summary>Endpoints of one locality and priority.</summary>
/// <param name="Priority">0 first.</param>
/// <param name="Weight">Of the locality; null is unset.</param>
/// <param name="Endpoints">The endpoints.</param>
internal sealed record EndpointGroup(uint Priority, uint? Weight, EndpointState[] Endpoints);
