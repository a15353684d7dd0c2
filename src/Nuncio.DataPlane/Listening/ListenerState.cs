using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Telemetry;
using Nuncio.DataPlane.Transport;

namespace Nuncio.DataPlane.Listening;

/// <summary>A listener at run time: its connections live through every configuration that still has their filter chain.</summary>
internal sealed class ListenerState
{
    private readonly Lock _gate = new();
    private readonly HashSet<ListenerConnection> _connections = [];
    private ListenerModel _model;
    private bool _ending;
    private bool _draining;

    public ListenerState(ListenerModel model, ListenerEnvironment environment)
    {
        _model = model;
        Environment = environment;
        Metrics = new ListenerMetrics(environment.Metrics, model.StatPrefix);
    }

    public ListenerEnvironment Environment { get; }

    public ListenerMetrics Metrics { get; }

    public ListenerModel Model => Volatile.Read(ref _model);

    /// <summary>No connection is open.</summary>
    public bool IsEmpty
    {
        get
        {
            lock (_gate)
            {
                return _connections.Count == 0;
            }
        }
    }

    /// <summary>
    /// Takes over a new configuration. Requests of open connections go by it too; connections whose chain is gone, or serves something else now, are told
    /// that the end is near, and drain.
    /// </summary>
    public void Adopt(ListenerModel model)
    {
        var before = Model;
        if (ReferenceEquals(before, model))
        {
            return;
        }

        var kept = KeepSlots(before, model);
        Volatile.Write(ref _model, model);
        foreach (var connection in Connections())
        {
            if (connection.ChainKey is { } key && !kept.Contains(key))
            {
                _ = EndAsync(connection);
            }
        }
    }

    /// <summary>A new socket; from the accepting thread, which this must not hold up, maybe several at a time.</summary>
    public void Accept(IncomingSocket socket)
    {
        if (Admit(Environment.Connections) is not { } count)
        {
            socket.Close();
            return;
        }

        var clusters = Environment.Clusters.Current;
        var model = Model;
        if (socket.Adopt(model.KeepAlive) is not { } transport)
        {
            count.Remove();
            return;
        }

        Run(new DownstreamConnection(this, model, clusters, transport) { CountedIn = count });
    }

    /// <summary>Whether one more connection would be admitted now; that it would not is counted as if it had not been.</summary>
    public bool HasRoom(ConnectionCount among) => !IsRefused(among, takes: false);

    /// <summary>Room for one more connection among the open ones, given to it as what it is counted in; null when there is none.</summary>
    public ConnectionCount? Admit(ConnectionCount among) => IsRefused(among, takes: true) ? null : among;

    /// <summary>Serves a connection that was admitted.</summary>
    public void Run(ListenerConnection connection)
    {
        bool ending;
        bool draining;
        lock (_gate)
        {
            _connections.Add(connection);
            ending = _ending;
            draining = _draining;
        }

        if (ending)
        {
            connection.AnnounceEnd();
        }

        _ = connection.RunAsync();
        if (draining)
        {
            connection.Drain();
        }
    }

    /// <summary>The end is near for every connection, and for those still to come.</summary>
    public void AnnounceEnd()
    {
        lock (_gate)
        {
            _ending = true;
        }

        foreach (var connection in Connections())
        {
            connection.AnnounceEnd();
        }
    }

    /// <summary>Announces the end, and drains when clients had time to notice.</summary>
    public async Task EndAsync()
    {
        AnnounceEnd();
        await Task.Delay(ListenerEnvironment.LastCall, Environment.Timers.Time);
        Drain();
    }

    /// <summary>No new requests on any connection, and none on those still to come.</summary>
    public void Drain()
    {
        lock (_gate)
        {
            _draining = true;
        }

        foreach (var connection in Connections())
        {
            connection.Drain();
        }
    }

    /// <summary>Ends all connections now.</summary>
    public void Abort()
    {
        foreach (var connection in Connections())
        {
            connection.Abort();
        }
    }

    public void Remove(ListenerConnection connection)
    {
        lock (_gate)
        {
            _connections.Remove(connection);
        }

        connection.CountedIn.Remove();
    }

    private bool IsRefused(ConnectionCount among, bool takes)
    {
        if (Environment.Overload.RejectsConnections)
        {
            Metrics.DownstreamConnectionsOverloadReject.Increment();
            return true;
        }

        if (takes ? among.TryAdd() : among.Open < among.Limit)
        {
            return false;
        }

        Metrics.DownstreamGlobalConnectionsOverflow.Increment();
        return true;
    }

    // Chains that are HTTP before and after go on in the slot that their connections hold.
    private static HashSet<string> KeepSlots(ListenerModel before, ListenerModel after)
    {
        var old = new Dictionary<string, FilterChainModel>(StringComparer.Ordinal);
        foreach (var chain in before.AllChains)
        {
            old[chain.Key] = chain;
        }

        var kept = new HashSet<string>(StringComparer.Ordinal);
        foreach (var chain in after.AllChains)
        {
            if (!old.TryGetValue(chain.Key, out var previous) || chain.Transport is null != previous.Transport is null)
            {
                continue;
            }

            if (ReferenceEquals(chain.Filter, previous.Filter))
            {
                kept.Add(chain.Key);
            }
            else if (chain.Filter is HttpConnectionFilterModel http && previous.Filter is HttpConnectionFilterModel previousHttp)
            {
                previousHttp.Slot.Current = http.Processor;
                http.Slot = previousHttp.Slot;
                kept.Add(chain.Key);
            }
        }

        return kept;
    }

    private async Task EndAsync(ListenerConnection connection)
    {
        connection.AnnounceEnd();
        await Task.Delay(ListenerEnvironment.LastCall, Environment.Timers.Time);
        connection.Drain();
    }

    private ListenerConnection[] Connections()
    {
        lock (_gate)
        {
            return [.. _connections];
        }
    }
}
