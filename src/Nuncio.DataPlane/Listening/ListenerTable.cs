using System.Net;
using Nuncio.DataPlane.Binding;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Telemetry;
using Nuncio.DataPlane.Transport;
using Nuncio.Xds;

namespace Nuncio.DataPlane.Listening;

/// <summary>All listeners, by name, and the sockets they listen on, by address. Used by one thread at a time.</summary>
internal sealed class ListenerTable
{
    private const string TypeUrl = "type.googleapis.com/envoy.config.listener.v3.Listener";

    private readonly ListenerEnvironment _environment;
    private readonly ListenerBinder _binder;
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private readonly Dictionary<ListenAddress, ListenerSocket> _sockets = [];
    private readonly List<ListenerState> _retired = [];
    private readonly MetricCounter _added;
    private readonly MetricCounter _modified;
    private readonly MetricCounter _removed;
    private ListenerModel[] _models = [];
    private ListenerState[] _draining = [];

    public ListenerTable(ListenerEnvironment environment, ListenerBinder binder)
    {
        _environment = environment;
        _binder = binder;
        _added = environment.Metrics.Counter("envoy_listener_manager_listener_added", MetricLabels.None);
        _modified = environment.Metrics.Counter("envoy_listener_manager_listener_modified", MetricLabels.None);
        _removed = environment.Metrics.Counter("envoy_listener_manager_listener_removed", MetricLabels.None);
    }

    /// <summary>How many listeners are no more, but for connections that still end; from any thread.</summary>
    public int Draining => Volatile.Read(ref _draining).Count(static state => !state.IsEmpty);

    /// <summary>Listeners in effect; from any thread.</summary>
    public IReadOnlyList<ListenerModel> Models => Volatile.Read(ref _models);

    /// <summary>Binds what has changed and opens new sockets, which accept nothing before <see cref="Commit"/>.</summary>
    public ListenerTablePlan Prepare(XdsSnapshot snapshot, List<XdsRejection> rejections)
    {
        var plan = new ListenerTablePlan();
        foreach (var (name, resource) in snapshot.Listeners.OrderBy(static pair => pair.Key, StringComparer.Ordinal))
        {
            _entries.TryGetValue(name, out var current);
            var errors = new BindErrors();
            var model = current is { } unchanged && unchanged.Version == resource.Version ? unchanged.Remember(errors) : _binder.Bind(resource.Message, current?.State.Model, errors);
            if (model is not null && !Reserve(plan, model, errors))
            {
                model = null;
            }

            Rejections.Add(rejections, TypeUrl, name, errors);
            if (model is not null)
            {
                plan.Listeners[name] = (model, resource.Version, errors);
            }
            else if (current is not null && Reserve(plan, current.State.Model, new BindErrors()))
            {
                // Its last good content serves on; the version stays unknown, so that every snapshot says again what is wrong.
                plan.Listeners[name] = (current.State.Model, default, current.Errors);
            }
        }

        return plan;
    }

    /// <summary>Puts a plan into effect; listeners that are not in it stop accepting and drain.</summary>
    public void Commit(ListenerTablePlan plan)
    {
        foreach (var (name, (model, version, errors)) in plan.Listeners)
        {
            if (_entries.TryGetValue(name, out var entry))
            {
                entry.State.Adopt(model);
                if (version != default && version != entry.Version)
                {
                    _modified.Increment();
                }

                _entries[name] = new Entry(entry.State, version, errors);
            }
            else
            {
                entry = new Entry(new ListenerState(model, _environment), version, errors);
                _entries.Add(name, entry);
                _added.Increment();
            }

            foreach (var address in model.Addresses)
            {
                plan.Sockets[address].Owner = entry.State;
            }
        }

        foreach (var name in _entries.Keys.Where(name => !plan.Listeners.ContainsKey(name)).ToList())
        {
            _entries.Remove(name, out var gone);
            _retired.Add(gone!.State);
            _removed.Increment();
            _ = gone.State.EndAsync();
        }

        Volatile.Write(ref _models, [.. plan.Listeners.Values.Select(static listener => listener.Model)]);
        _retired.RemoveAll(static state => state.IsEmpty);
        Volatile.Write(ref _draining, [.. _retired]);
        foreach (var (address, socket) in _sockets.Where(pair => !plan.Sockets.ContainsKey(pair.Key)).ToList())
        {
            _sockets.Remove(address);
            socket.Close();
        }

        foreach (var (address, socket) in plan.Sockets)
        {
            if (_sockets.TryAdd(address, socket))
            {
                socket.Start();
            }
        }
    }

    /// <summary>Another process listens on one of the ports too: a newer one that is to take over.</summary>
    public bool IsShared => _sockets.Keys.Any(static address => !address.IsUdp && SharedPort.Listeners(address.EndPoint) > 1);

    /// <summary>
    /// Stops accepting and waits for the connections. Where another process listens on a port too, the kernel sends it all new connections first, and those
    /// that were sent here before are still taken.
    /// </summary>
    public async Task DrainAsync(TimeSpan time, CancellationToken cancellationToken)
    {
        var states = _entries.Values.Select(static entry => entry.State).Concat(_retired).ToList();
        states.ForEach(static state => state.AnnounceEnd());
        var clock = _environment.Timers.Time;
        var lastCall = time < ListenerEnvironment.LastCall ? time : ListenerEnvironment.LastCall;
        if (time > TimeSpan.Zero && (await Task.WhenAll(_sockets.Values.Select(static socket => socket.StandAsideAsync()))).Contains(true))
        {
            // Handshakes that the kernel has begun for this process end in its queue.
            await Task.Delay(lastCall, clock, cancellationToken);
        }

        _environment.IsEnding = true;
        var last = _sockets.Values.Where(static socket => socket.Address.IsUdp).ToList();
        foreach (var socket in _sockets.Values.Except(last))
        {
            socket.Close();
        }

        _sockets.Clear();
        var empty = _environment.Connections.WhenEmpty();
        await WaitAsync(empty, lastCall);
        states.ForEach(static state => state.Drain());
        await WaitAsync(empty, time - lastCall);
        last.ForEach(static socket => socket.Close());
        await WaitAsync(_environment.LateConnections.WhenEmpty(), lastCall);
        states.ForEach(static state => state.Abort());

        async Task WaitAsync(Task task, TimeSpan atMost)
        {
            if (atMost > TimeSpan.Zero && !task.IsCompleted)
            {
                try
                {
                    await task.WaitAsync(atMost, clock, cancellationToken);
                }
                catch (TimeoutException)
                {
                    // What is still open has had its time.
                }
            }
        }
    }

    // One socket per address, used again where there is one already; an address belongs to one listener.
    private bool Reserve(ListenerTablePlan plan, ListenerModel model, BindErrors errors)
    {
        var reserved = new List<ListenAddress>();
        foreach (var address in model.Addresses)
        {
            if (plan.Sockets.Keys.Any(other => Collide(other, address)))
            {
                errors.Add("address", $"Another listener has the address {address.EndPoint}.");
            }
            else if (_sockets.TryGetValue(address, out var open))
            {
                plan.Sockets.Add(address, open);
                reserved.Add(address);
            }
            else if (ListenerSocket.Open(address, model.Backlog, _environment, out var error) is { } opened)
            {
                plan.Sockets.Add(address, opened);
                reserved.Add(address);
            }
            else
            {
                errors.Add("address", error);
            }
        }

        if (reserved.Count == model.Addresses.Count)
        {
            return true;
        }

        foreach (var address in reserved)
        {
            plan.Sockets.Remove(address, out var socket);
            if (!_sockets.ContainsKey(address))
            {
                socket!.Close();
            }
        }

        return false;
    }

    private static bool Collide(ListenAddress one, ListenAddress other) =>
        one.EndPoint.Port != 0 && one.IsUdp == other.IsUdp && one.EndPoint.Equals(other.EndPoint);

    private sealed record Entry(ListenerState State, XdsVersion Version, BindErrors Errors)
    {
        /// <summary>What binding it had to say is said again.</summary>
        public ListenerModel Remember(BindErrors errors)
        {
            errors.AddAll("", Errors);
            return State.Model;
        }
    }
}

/// <summary>A configuration's listeners, bound and not yet in effect.</summary>
internal sealed class ListenerTablePlan
{
    public Dictionary<string, (ListenerModel Model, XdsVersion Version, BindErrors Errors)> Listeners { get; } = new(StringComparer.Ordinal);

    public Dictionary<ListenAddress, ListenerSocket> Sockets { get; } = [];
}
