using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Time;

namespace Nuncio.DataPlane.Upstream;

/// <summary>
/// The connections to one endpoint for one priority and protocol, and the requests that wait for one. The last used connection is the next to be
/// used again: it is warm, and those that are too many grow old and close. A connection is made for each request that finds none (for HTTP/2: when all
/// are full), within the cluster's limits; an endpoint without any always gets one.
/// </summary>
internal sealed class EndpointPool
{
    private readonly EndpointState _endpoint;
    private readonly ClusterState _cluster;
    private readonly ClusterModel _model;
    private readonly ResourceState _resources;
    private readonly UpstreamCodec _codec;
    private readonly UpstreamName? _name;
    private readonly SweepTimer _sweep;
    private long _sweepDue;
    private readonly Lock _gate = new();
    private PooledConnection[] _ready = new PooledConnection[4];
    private int _readyCount;
    private readonly List<PooledConnection> _all = [];
    private PoolWaiter? _head;
    private PoolWaiter? _tail;
    private int _waiting;
    private int _connecting;
    private bool _retired;

    /// <summary>A pool without connections.</summary>
    /// <param name="endpoint">Where they lead.</param>
    /// <param name="priority">Whose limits count.</param>
    /// <param name="codec">What is spoken.</param>
    /// <param name="name">What they are made with; null where the requests do not say.</param>
    public EndpointPool(EndpointState endpoint, int priority, UpstreamCodec codec, UpstreamName? name)
    {
        _name = name;
        _endpoint = endpoint;
        _cluster = endpoint.Cluster;
        _model = _cluster.Model;
        _resources = _cluster.Resources(priority);
        _codec = codec;
        _sweep = new SweepTimer(this, _cluster.Environment.Timers);
    }

    /// <summary>There is no connection, none on its way, and nobody waits.</summary>
    public bool IsEmpty
    {
        get
        {
            lock (_gate)
            {
                return _all.Count + _connecting + _waiting == 0;
            }
        }
    }

    /// <summary>A stream on a connection that is there, or on one that is made now. Completes at once in the first case.</summary>
    public ValueTask<PoolLease> AcquireAsync(PoolWaiter waiter)
    {
        ValueTask<PoolLease> wait;
        bool connect;
        lock (_gate)
        {
            if (_readyCount > 0 && !_resources.CanRequest)
            {
                _cluster.Metrics.RequestsActiveOverflow.Increment();
                return new ValueTask<PoolLease>(PoolLease.Failed(StreamResetReason.Overflow));
            }

            if (TakeReady() is { } stream)
            {
                return new ValueTask<PoolLease>(new PoolLease(stream, StreamResetReason.None, ""));
            }

            if (!_resources.CanWait)
            {
                _cluster.Metrics.RequestsPendingOverflow.Increment();
                return new ValueTask<PoolLease>(PoolLease.Failed(StreamResetReason.Overflow) with { IsQueueFull = true });
            }

            wait = waiter.Begin();
            Enqueue(waiter);
            connect = ReserveConnection();
        }

        if (connect)
        {
            _ = ConnectAsync();
        }

        return wait;
    }

    /// <summary>The request is over: its stream goes back and the counts with it.</summary>
    public void Finish(HttpClientStream stream)
    {
        _resources.AddRequest(-1);
        _cluster.Metrics.RequestsActive.Decrement();
        _endpoint.OnRequestEnded();
        _cluster.Metrics.ConnectionsSentBytesTotal.Add(stream.BytesSent);
        _cluster.Metrics.ConnectionsReceivedBytesTotal.Add(stream.BytesReceived);
        stream.Release();
    }

    /// <summary>Idle connections close, busy ones when their requests are done.</summary>
    /// <param name="retire">Later connections serve one request only: the endpoint has left its cluster.</param>
    public void Drain(bool retire)
    {
        PooledConnection[] connections;
        lock (_gate)
        {
            _retired |= retire;
            connections = [.. _all];
        }

        foreach (var connection in connections)
        {
            connection.Connection.Drain();
        }
    }

    internal void Cancel(PoolWaiter waiter)
    {
        lock (_gate)
        {
            if (waiter.Queue != this)
            {
                return;
            }

            Remove(waiter);
        }

        // Elsewhere: who cancels holds a lock of the request.
        _cluster.Metrics.RequestsCancelled.Increment();
        waiter.Grant(PoolLease.Failed(StreamResetReason.LocalReset));
        waiter.CompleteElsewhere();
    }

    internal void OnStreamsAvailable(PooledConnection connection)
    {
        PoolWaiter? served;
        lock (_gate)
        {
            if (connection.IsGone)
            {
                return;
            }

            if (connection.Connection.ActiveStreams == 0)
            {
                connection.IdleSince = _cluster.Environment.Timers.CoarseMilliseconds;
            }

            Offer(connection);
            served = _head == null ? null : Serve();
        }

        while (served != null)
        {
            var next = served.Next;
            served.Next = null;
            served.CompleteElsewhere();
            served = next;
        }
    }

    internal void OnClosed(PooledConnection connection)
    {
        var connect = false;
        lock (_gate)
        {
            if (connection.IsGone)
            {
                return;
            }

            Forget(connection);
            connect = _waiting > _connecting && ReserveConnection();
        }

        var metrics = _cluster.Metrics;
        metrics.CountClosed(connection.Connection.IsEndedByPeer, connection.Connection.EndedInRequest);
        metrics.ConnectionsLengthMilliseconds.Record(_cluster.Environment.Timers.NowMilliseconds - connection.CreatedAt);
        if (connect)
        {
            _ = ConnectAsync();
        }
    }

    // Under the lock. The most recently used connection that can take a request.
    private HttpClientStream? TakeReady()
    {
        while (_readyCount > 0)
        {
            var connection = _ready[_readyCount - 1];
            var stream = connection.Connection.OpenStream();
            if (stream == null)
            {
                PopReady();
                continue;
            }

            if (connection.RequestsLeft > 0 && --connection.RequestsLeft == 0)
            {
                PopReady();
                connection.Connection.Drain();
                _cluster.Metrics.ConnectionsMaxRequests.Increment();
            }
            else if (connection.Connection.AvailableStreams == 0)
            {
                PopReady();
            }

            connection.Requests++;
            _resources.AddRequest(1);
            _cluster.Metrics.RequestsActive.Increment();
            _cluster.Metrics.RequestsTotal.Increment();
            _endpoint.OnRequestStarted();
            return stream;
        }

        return null;
    }

    private void PopReady()
    {
        _ready[--_readyCount].IsReady = false;
        _ready[_readyCount] = null!;
    }

    private void Offer(PooledConnection connection)
    {
        if (connection.IsReady || connection.IsGone || connection.Connection.AvailableStreams == 0)
        {
            return;
        }

        if (_readyCount == _ready.Length)
        {
            Array.Resize(ref _ready, _readyCount * 2);
        }

        connection.IsReady = true;
        _ready[_readyCount++] = connection;
    }

    // Under the lock: gives streams to those that wait, and returns them as a chain, to be told when the lock is free.
    private PoolWaiter? Serve()
    {
        PoolWaiter? first = null;
        PoolWaiter? last = null;
        while (_head is { } waiter)
        {
            PoolLease lease;
            if (_readyCount > 0 && !_resources.CanRequest)
            {
                // A limit that was reached while this one waited is as good as one that was reached before.
                _cluster.Metrics.RequestsActiveOverflow.Increment();
                lease = PoolLease.Failed(StreamResetReason.Overflow);
            }
            else if (TakeReady() is { } stream)
            {
                lease = new PoolLease(stream, StreamResetReason.None, "");
            }
            else
            {
                break;
            }

            Remove(waiter);
            waiter.Grant(lease);
            if (last == null)
            {
                first = waiter;
            }
            else
            {
                last.Next = waiter;
            }

            last = waiter;
        }

        return first;
    }

    private void Enqueue(PoolWaiter waiter)
    {
        waiter.Previous = _tail;
        waiter.Next = null;
        if (_tail == null)
        {
            _head = waiter;
        }
        else
        {
            _tail.Next = waiter;
        }

        _tail = waiter;
        Volatile.Write(ref waiter.Queue, this);
        _waiting++;
        _resources.AddPending(1);
        _cluster.Metrics.RequestsPendingTotal.Increment();
        _cluster.Metrics.RequestsPendingActive.Increment();
    }

    private void Remove(PoolWaiter waiter)
    {
        if (waiter.Previous == null)
        {
            _head = waiter.Next;
        }
        else
        {
            waiter.Previous.Next = waiter.Next;
        }

        if (waiter.Next == null)
        {
            _tail = waiter.Previous;
        }
        else
        {
            waiter.Next.Previous = waiter.Previous;
        }

        waiter.Previous = waiter.Next = null;
        Volatile.Write(ref waiter.Queue, null);
        _waiting--;
        _resources.AddPending(-1);
        _cluster.Metrics.RequestsPendingActive.Decrement();
    }

    private bool ReserveConnection()
    {
        // One HTTP/2 connection will carry all that wait.
        if (_waiting <= _connecting || (_codec == UpstreamCodec.Http2 && _connecting > 0))
        {
            return false;
        }

        if (!_resources.CanConnect)
        {
            _cluster.Metrics.ConnectionsOverflow.Increment();
            if (_all.Count + _connecting > 0)
            {
                return false;
            }
        }

        _connecting++;
        _resources.AddConnection(1);
        return true;
    }

    private async Task ConnectAsync()
    {
        var started = _cluster.Environment.Timers.NowMilliseconds;
        var metrics = _cluster.Metrics;
        metrics.ConnectionsTotal.Increment();
        metrics.ConnectionsActive.Increment();
        var made = await _cluster.Environment.Connections.ConnectAsync(
            _endpoint.Address, _model, _codec, _endpoint.Model.Hostname, _name, _cluster.Metrics, others: _endpoint.OtherAddresses);
        var now = _cluster.Environment.Timers.NowMilliseconds;
        if (made.Connection == null)
        {
            OnConnectFailed(made);
            return;
        }

        metrics.ConnectionsConnectMilliseconds.Record(now - started);
        if (_codec != UpstreamCodec.Tunnel)
        {
            (made.Connection.Version == HttpProtocolVersion.Http2 ? metrics.ConnectionsHttp2Total : metrics.ConnectionsHttp1Total).Increment();
        }

        PoolWaiter? served;
        bool more;
        var connection = new PooledConnection(this, made.Connection, now, _retired ? 1 : _model.MaxRequestsPerConnection);
        lock (_gate)
        {
            _connecting--;
            connection.Index = _all.Count;
            _all.Add(connection);
            made.Connection.Owner = connection;
            if (made.Connection.IsClosing)
            {
                // It went away before it had an owner to tell.
                Forget(connection);
                metrics.CountClosed(made.Connection.IsEndedByPeer, inRequest: false);
            }

            Offer(connection);
            served = Serve();
            more = ReserveConnection();
            StartSweep(connection);
        }

        if (more)
        {
            _ = ConnectAsync();
        }

        while (served != null)
        {
            // On this thread: it is the connection's own, and has nothing else to do.
            var next = served.Next;
            served.Next = null;
            served.Complete();
            served = next;
        }
    }

    private void OnConnectFailed(ClientConnect made)
    {
        var metrics = _cluster.Metrics;
        metrics.ConnectionsConnectFail.Increment();

        // As in Envoy: who waited too long ends it, and a refusal is the peer's end.
        metrics.CountClosed(byPeer: made.Error != StreamResetReason.ConnectionTimeout, inRequest: false);
        if (made.Error == StreamResetReason.ConnectionTimeout)
        {
            metrics.ConnectionsConnectTimeout.Increment();
        }

        PoolWaiter? first;
        lock (_gate)
        {
            _connecting--;
            _resources.AddConnection(-1);

            // As in Envoy all that wait learn of it: each decides by itself whether to try again. They are taken out first, since a retry may queue again.
            first = _head;
            for (var waiter = first; waiter != null; waiter = waiter.Next)
            {
                Volatile.Write(ref waiter.Queue, null);
                _resources.AddPending(-1);
                metrics.RequestsPendingActive.Decrement();
                metrics.RequestsPendingFailureEject.Increment();
            }

            _head = _tail = null;
            _waiting = 0;
        }

        while (first != null)
        {
            var next = first.Next;
            first.Previous = first.Next = null;
            first.Grant(PoolLease.Failed(made.Error, made.Message));
            first.Complete();
            first = next;
        }
    }

    private void Forget(PooledConnection connection)
    {
        connection.IsGone = true;
        _resources.AddConnection(-1);
        var last = _all[^1];
        _all[connection.Index] = last;
        last.Index = connection.Index;
        _all.RemoveAt(_all.Count - 1);
        if (connection.IsReady)
        {
            connection.IsReady = false;
            var at = Array.LastIndexOf(_ready, connection, _readyCount - 1);
            Array.Copy(_ready, at + 1, _ready, at, _readyCount - at - 1);
            _ready[--_readyCount] = null!;
        }
    }

    // Under the lock. A sweep that waits for something later than what the new connection needs is moved.
    private void StartSweep(PooledConnection? added = null)
    {
        var now = _cluster.Environment.Timers.NowMilliseconds;
        long? due = null;
        if (added != null && _sweep.IsRunning)
        {
            due = DueOf(added, now);
            if (due >= _sweepDue)
            {
                return;
            }
        }
        else if (!_sweep.IsRunning)
        {
            foreach (var connection in _all)
            {
                due = Math.Min(due ?? long.MaxValue, DueOf(connection, now) ?? long.MaxValue);
            }
        }

        if (due is { } next and < long.MaxValue)
        {
            _sweepDue = next;
            _sweep.Start(TimeSpan.FromMilliseconds(Math.Max(0, next - now)));
        }
    }

    private long? DueOf(PooledConnection connection, long now)
    {
        long? due = null;
        if (_model.IdleTimeout is { } idle)
        {
            // A busy one is looked at again when it could be idle for long enough.
            due = (connection.Connection.ActiveStreams == 0 ? connection.IdleSince : now) + (long)idle.TotalMilliseconds;
        }

        if (_model.MaxConnectionDuration is { } duration && !connection.Connection.IsClosing)
        {
            due = Math.Min(due ?? long.MaxValue, connection.CreatedAt + (long)duration.TotalMilliseconds);
        }

        return due;
    }

    private void Sweep()
    {
        List<PooledConnection>? leaving = null;
        var now = _cluster.Environment.Timers.NowMilliseconds;
        lock (_gate)
        {
            foreach (var connection in _all)
            {
                if (connection.Connection.IsClosing)
                {
                    continue;
                }

                if (_model.IdleTimeout is { } idle && connection.Connection.ActiveStreams == 0 && now - connection.IdleSince >= (long)idle.TotalMilliseconds)
                {
                    (leaving ??= []).Add(connection);
                    _cluster.Metrics.ConnectionsIdleTimeout.Increment();
                }
                else if (_model.MaxConnectionDuration is { } duration && now - connection.CreatedAt >= (long)duration.TotalMilliseconds)
                {
                    (leaving ??= []).Add(connection);
                    _cluster.Metrics.ConnectionsMaxDurationReached.Increment();
                }
            }
        }

        foreach (var connection in leaving ?? [])
        {
            connection.Connection.Drain();
        }

        lock (_gate)
        {
            StartSweep();
        }
    }

    private sealed class SweepTimer(EndpointPool pool, TimerService timers) : TimerEntry(timers)
    {
        protected override void OnTimer(int version) => pool.Sweep();
    }
}
