using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Nuncio.DataPlane.Health;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Upstream;

namespace Nuncio.DataPlane.State;

/// <summary>How usable an endpoint is.</summary>
public enum EndpointHealth : byte
{
    /// <summary>Not.</summary>
    Unhealthy,

    /// <summary>Where there is no better one.</summary>
    Degraded,

    /// <summary>Fully.</summary>
    Healthy,
}

/// <summary>Why an endpoint is not fully usable.</summary>
[Flags]
public enum EndpointHealthFlags
{
    /// <summary>It is.</summary>
    None = 0,

    /// <summary>It fails its active checks, or has not passed one yet.</summary>
    FailedActiveCheck = 1,

    /// <summary>Passive checks ejected it.</summary>
    FailedOutlierCheck = 2,

    /// <summary>The control plane says so.</summary>
    FailedEds = 4,

    /// <summary>The control plane calls it degraded.</summary>
    DegradedEds = 8,

    /// <summary>It passes its active checks and says that it is degraded.</summary>
    DegradedActiveCheck = 16,

    /// <summary>It asked to be left out at once, and does not count where a part of the endpoints decides.</summary>
    Excluded = 32,
}

/// <summary>One address that requests of one cluster go to: its connections, load and health. Lives as long as the address stays in the cluster.</summary>
public sealed class EndpointState
{
    // Names come from clients: there are no more pools than this.
    private const int MaxNamedPools = 256;

    private readonly EndpointPool?[] _pools = new EndpointPool?[6];
    private ConcurrentDictionary<(int Index, UpstreamName Name), EndpointPool>? _named;
    private readonly Lock _gate = new();
    private EndpointModel _model;
    private IPEndPoint _address;
    private IPEndPoint[] _otherAddresses = [];
    private int _health;
    private int _activeRequests;
    private long _healthySince = long.MinValue;

    internal EndpointState(ClusterState cluster, IPEndPoint address, EndpointModel model, EndpointHealthFlags health)
    {
        Cluster = cluster;
        _address = address;
        _model = model;
        _health = (int)health;
        AddressText = address.ToString();
        Hostname = Encoding.ASCII.GetBytes(model.Hostname);
        Outlier = new OutlierCounters();
    }

    /// <summary>The cluster.</summary>
    public ClusterState Cluster { get; }

    /// <summary>Where new connections go.</summary>
    public IPEndPoint Address => Volatile.Read(ref _address);

    /// <summary>Where they go when they cannot be made there: the further addresses of a LOGICAL_DNS name.</summary>
    internal IPEndPoint[] OtherAddresses
    {
        get => Volatile.Read(ref _otherAddresses);
        set => Volatile.Write(ref _otherAddresses, value);
    }

    /// <summary>%UPSTREAM_HOST%.</summary>
    public string AddressText { get; private set; }

    /// <summary>The name for auto_host_rewrite; empty for none.</summary>
    public byte[] Hostname { get; }

    /// <summary>What the message says of it.</summary>
    public EndpointModel Model => Volatile.Read(ref _model);

    /// <summary>At least 1.</summary>
    public uint Weight => Model.Weight;

    /// <summary>Requests under way.</summary>
    public int ActiveRequests => Volatile.Read(ref _activeRequests);

    /// <summary>What is wrong with it.</summary>
    public EndpointHealthFlags HealthFlags => (EndpointHealthFlags)Volatile.Read(ref _health);

    /// <summary>How usable it is.</summary>
    public EndpointHealth Health
    {
        get
        {
            var flags = HealthFlags;
            return (flags & (EndpointHealthFlags.FailedActiveCheck | EndpointHealthFlags.FailedOutlierCheck | EndpointHealthFlags.FailedEds)) != 0
                ? EndpointHealth.Unhealthy
                : (flags & (EndpointHealthFlags.DegradedEds | EndpointHealthFlags.DegradedActiveCheck)) != 0 ? EndpointHealth.Degraded : EndpointHealth.Healthy;
        }
    }

    /// <summary>
    /// Since when it is healthy, in milliseconds of the timer service: since it was first seen so, or since it passed its active checks again.
    /// </summary>
    internal long HealthySince => Volatile.Read(ref _healthySince);

    internal OutlierCounters Outlier { get; }

    internal string HashKey(bool byHostname) => byHostname && Model.Hostname.Length > 0 ? Model.Hostname : AddressText;

    /// <summary>Sets or clears a flag; true when that changed it.</summary>
    internal bool SetFlag(EndpointHealthFlags flag, bool on)
    {
        var before = on ? Interlocked.Or(ref _health, (int)flag) : Interlocked.And(ref _health, ~(int)flag);
        var changed = (before & (int)flag) != 0 != on;
        if (changed && !on && flag == EndpointHealthFlags.FailedActiveCheck)
        {
            BeginHealthy(Cluster.Environment.Timers.NowMilliseconds, again: true);
        }

        return changed;
    }

    /// <summary>It is healthy from now on. As in Envoy only active checks begin that time anew.</summary>
    internal void BeginHealthy(long now, bool again)
    {
        if (again || HealthySince == long.MinValue)
        {
            Volatile.Write(ref _healthySince, now);
        }
    }

    internal void Update(EndpointModel model)
    {
        Volatile.Write(ref _model, model);
        SetFlag(EndpointHealthFlags.FailedEds, IsFailed(model.Health));
        SetFlag(EndpointHealthFlags.DegradedEds, model.Health == CoreV3.HealthStatus.Degraded);
    }

    // A LOGICAL_DNS endpoint moves: its connections stay, new ones go to the new address.
    internal void MoveTo(IPEndPoint address)
    {
        Volatile.Write(ref _address, address);
        AddressText = address.ToString();
    }

    internal static bool IsFailed(CoreV3.HealthStatus status) =>
        status is CoreV3.HealthStatus.Unhealthy or CoreV3.HealthStatus.Draining or CoreV3.HealthStatus.Timeout;

    internal void OnRequestStarted() => Interlocked.Increment(ref _activeRequests);

    internal void OnRequestEnded() => Interlocked.Decrement(ref _activeRequests);

    /// <summary>The connections for a priority and protocol, and for a name where the request says it.</summary>
    internal EndpointPool Pool(int priority, UpstreamCodec codec, UpstreamName? name = null)
    {
        var index = (priority * 3) + (int)codec;
        if (name != null)
        {
            return Volatile.Read(ref _named)?.GetValueOrDefault((index, name)) ?? CreatePool(index, priority, codec, name);
        }

        return Volatile.Read(ref _pools[index]) ?? CreatePool(index, priority, codec);
    }

    /// <summary>No new requests will come: idle connections close, the others after their requests.</summary>
    internal void Drain()
    {
        EndpointPool?[] pools;
        lock (_gate)
        {
            pools = [.. _pools, .. _named?.Values ?? []];
        }

        foreach (var pool in pools)
        {
            pool?.Drain(retire: true);
        }
    }

    /// <summary>Open connections close as <see cref="Drain"/> says; new ones are made on demand.</summary>
    internal void DrainConnections()
    {
        for (var i = 0; i < _pools.Length; i++)
        {
            Volatile.Read(ref _pools[i])?.Drain(retire: false);
        }

        foreach (var pool in Volatile.Read(ref _named)?.Values ?? [])
        {
            pool.Drain(retire: false);
        }
    }

    private EndpointPool CreatePool(int index, int priority, UpstreamCodec codec)
    {
        lock (_gate)
        {
            return _pools[index] ??= new EndpointPool(this, priority, codec, null);
        }
    }

    private EndpointPool CreatePool(int index, int priority, UpstreamCodec codec, UpstreamName name)
    {
        lock (_gate)
        {
            var named = _named ??= new ConcurrentDictionary<(int Index, UpstreamName Name), EndpointPool>();
            if (named.TryGetValue((index, name), out var pool))
            {
                return pool;
            }

            if (named.Count >= MaxNamedPools)
            {
                MakeRoom(named);
            }

            return named[(index, name)] = new EndpointPool(this, priority, codec, name);
        }
    }

    // What is not in use goes first; where all are, all go: their requests end on them, and who comes later connects anew.
    private static void MakeRoom(ConcurrentDictionary<(int Index, UpstreamName Name), EndpointPool> named)
    {
        foreach (var (key, pool) in named)
        {
            if (pool.IsEmpty)
            {
                named.TryRemove(key, out _);
                pool.Drain(retire: true);
            }
        }

        if (named.Count < MaxNamedPools)
        {
            return;
        }

        foreach (var (key, pool) in named)
        {
            named.TryRemove(key, out _);
            pool.Drain(retire: true);
        }
    }
}
