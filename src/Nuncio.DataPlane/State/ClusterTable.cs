using Nuncio.DataPlane.Binding;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Upstream;
using Nuncio.Xds;

namespace Nuncio.DataPlane.State;

/// <summary>A resource that could not be bound, or of which something has no effect (then all errors are partial).</summary>
/// <param name="Name">Its name.</param>
/// <param name="Errors">Why.</param>
public sealed record RefusedCluster(string Name, IReadOnlyList<BindError> Errors);

/// <summary>
/// All clusters, by name. A new configuration is prepared first, which changes nothing, and then committed: new clusters exist before the routes that
/// name them are swapped in; <see cref="Trim"/> removes the old ones afterwards.
/// </summary>
public sealed class ClusterTable
{
    private readonly UpstreamEnvironment _environment;
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private readonly Telemetry.MetricCounter _added;
    private readonly Telemetry.MetricCounter _modified;
    private readonly Telemetry.MetricCounter _removed;
    private ClusterGeneration _current = ClusterGeneration.Empty;

    /// <summary>An empty table.</summary>
    public ClusterTable(UpstreamEnvironment environment)
    {
        ArgumentNullException.ThrowIfNull(environment);
        _environment = environment;
        _added = environment.Metrics.Counter("envoy_cluster_manager_cluster_added", Telemetry.MetricLabels.None);
        _modified = environment.Metrics.Counter("envoy_cluster_manager_cluster_modified", Telemetry.MetricLabels.None);
        _removed = environment.Metrics.Counter("envoy_cluster_manager_cluster_removed", Telemetry.MetricLabels.None);
    }

    /// <summary>All clusters.</summary>
    public IReadOnlyCollection<ClusterState> All => Current.All;

    /// <summary>All clusters as they are now, for a request to keep.</summary>
    public ClusterGeneration Current => Volatile.Read(ref _current);

    /// <summary>The cluster of that name, or null. Cheap and safe from any thread.</summary>
    public ClusterState? Find(string name) => Current.Find(name);

    /// <summary>Binds what has changed against the last committed configuration. Not concurrently with itself or <see cref="Commit"/>.</summary>
    /// <param name="snapshot">The whole configuration.</param>
    /// <param name="binder">Binds clusters.</param>
    /// <param name="refused">Gets the clusters and endpoint resources with errors; one that was good before stays as it was.</param>
    public ClusterTablePlan Prepare(XdsSnapshot snapshot, ClusterBinder binder, ICollection<RefusedCluster> refused)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        ArgumentNullException.ThrowIfNull(binder);
        ArgumentNullException.ThrowIfNull(refused);
        var changes = new List<ClusterChange>();
        foreach (var (name, resource) in snapshot.Clusters)
        {
            _entries.TryGetValue(name, out var current);
            ClusterModel? model;
            if (current != null && current.Cluster.Version == resource.Version)
            {
                model = current.State.Model;
            }
            else
            {
                var errors = new BindErrors();
                model = binder.Bind(resource.Message, errors);
                if (model == null)
                {
                    refused.Add(new RefusedCluster(name, errors.All));
                    if (current == null)
                    {
                        continue;
                    }

                    changes.Add(new ClusterChange(name, current.Cluster, current.Endpoints, current.State.Model, current.Assignment));
                    continue;
                }
            }

            if (model.Remarks.Count > 0)
            {
                refused.Add(new RefusedCluster(name, model.Remarks));
            }

            var assignment = model.Assignment ?? AssignmentModel.Empty;
            XdsResource<EndpointV3.ClusterLoadAssignment>? endpoints = null;
            if (model.Discovery == ClusterDiscovery.Eds)
            {
                (endpoints, assignment) = BindEndpoints(snapshot, model, current, refused);
            }

            changes.Add(new ClusterChange(name, resource, endpoints, model, assignment));
        }

        return new ClusterTablePlan(changes);
    }

    /// <summary>Puts a plan into effect. Clusters that are not in it stay until <see cref="Trim"/>.</summary>
    public void Commit(ClusterTablePlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var replaced = new List<ClusterState>();
        foreach (var change in plan.Changes)
        {
            _entries.TryGetValue(change.Name, out var current);
            var state = current?.State;
            if (state == null)
            {
                _added.Increment();
            }
            else if (current!.Cluster.Version != change.Cluster.Version)
            {
                _modified.Increment();
            }

            if (state == null || !IsSame(current!, change))
            {
                if (state != null)
                {
                    replaced.Add(state);
                }

                state = new ClusterState(change.Model, _environment);
            }
            else if (!ReferenceEquals(state.Model, change.Model))
            {
                state.Adopt(change.Model);
            }

            state.Assign(change.Assignment);
            _entries[change.Name] = new Entry(change.Cluster, change.Endpoints, change.Assignment, state);
        }

        Publish(replaced);
    }

    /// <summary>Removes the clusters that the plan does not have; to be called when no route names them any more.</summary>
    public void Trim(ClusterTablePlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var keep = plan.Changes.Select(c => c.Name).ToHashSet(StringComparer.Ordinal);
        var gone = _entries.Where(e => !keep.Contains(e.Key)).ToList();
        if (gone.Count == 0)
        {
            return;
        }

        foreach (var (name, _) in gone)
        {
            _entries.Remove(name);
            _removed.Increment();
        }

        Publish([.. gone.Select(e => e.Value.State)]);
        var left = _entries.Values.Select(static entry => entry.State.Model.StatName).ToHashSet(StringComparer.Ordinal);
        var nameless = gone.Where(e => !left.Contains(e.Value.State.Model.StatName)).Select(static e => e.Value.State).ToList();
        nameless.ForEach(static state => state.Metrics.Retire());
        Telemetry.ClusterMetrics.Forget(_environment.Metrics, nameless.Select(static state => state.Model.StatName));
    }

    /// <summary>Removes all: nothing is asked for any more.</summary>
    public void Clear() => Trim(new ClusterTablePlan([]));

    // What leaves is given up at once: requests that began before hold the generation that it was in.
    private void Publish(List<ClusterState> leaving)
    {
        Volatile.Write(ref _current, new ClusterGeneration(_entries.ToDictionary(e => e.Key, e => e.Value.State, StringComparer.Ordinal)));
        foreach (var state in leaving)
        {
            state.Retire();
        }
    }

    // Envoy makes a cluster anew for any change of its message. A change of inline endpoints alone is no reason to close connections.
    private static bool IsSame(Entry current, ClusterChange change)
    {
        if (ReferenceEquals(current.State.Model, change.Model))
        {
            return true;
        }

        var before = current.Cluster.Message.Clone();
        var after = change.Cluster.Message.Clone();
        before.LoadAssignment = after.LoadAssignment = null;
        return before.Equals(after);
    }

    private static (XdsResource<EndpointV3.ClusterLoadAssignment>? Resource, AssignmentModel Assignment) BindEndpoints(
        XdsSnapshot snapshot, ClusterModel model, Entry? current, ICollection<RefusedCluster> refused)
    {
        if (!snapshot.Endpoints.TryGetValue(model.EndpointsName, out var resource))
        {
            return (null, AssignmentModel.Empty);
        }

        if (current?.Endpoints != null && current.Endpoints.Version == resource.Version && current.State.Model.EndpointsName == model.EndpointsName)
        {
            return (resource, current.Assignment);
        }

        var errors = new BindErrors();
        var assignment = AssignmentBinder.Bind(resource.Message, ClusterDiscovery.Eds, "", errors);
        if (!errors.Any)
        {
            return (resource, assignment);
        }

        refused.Add(new RefusedCluster(model.EndpointsName, errors.All));
        return (current?.Endpoints, current?.Assignment ?? AssignmentModel.Empty);
    }

    private sealed record Entry(
        XdsResource<ClusterV3.Cluster> Cluster, XdsResource<EndpointV3.ClusterLoadAssignment>? Endpoints, AssignmentModel Assignment, ClusterState State);
}

/// <summary>A configuration's clusters, bound and not yet in effect.</summary>
public sealed class ClusterTablePlan
{
    internal ClusterTablePlan(IReadOnlyList<ClusterChange> changes) => Changes = changes;

    internal IReadOnlyList<ClusterChange> Changes { get; }

    /// <summary>The names of all clusters.</summary>
    public IEnumerable<string> Names => Changes.Select(c => c.Name);
}

internal sealed record ClusterChange(
    string Name,
    XdsResource<ClusterV3.Cluster> Cluster,
    XdsResource<EndpointV3.ClusterLoadAssignment>? Endpoints,
    ClusterModel Model,
    AssignmentModel Assignment);
