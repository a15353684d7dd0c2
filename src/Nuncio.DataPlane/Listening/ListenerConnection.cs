using Microsoft.Extensions.Logging;
using Nuncio.DataPlane.AccessLogging;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Telemetry;

namespace Nuncio.DataPlane.Listening;

/// <summary>A client's connection of any transport: what its listener knows of it, what it counts as, and how it ends.</summary>
internal abstract partial class ListenerConnection
{
    private static long lastId;

    private readonly long _opened;
    private IReadOnlyList<ConnectionLimit> _limits = [];
    private int _counted;
    private NetworkSession? _session;
    private ConnectionRecord? _record;
    private HttpConnectionManagerMetrics? _http;
    private bool _countsAsTls;
    private volatile bool _endAnnounced;
    private volatile bool _draining;

    protected ListenerConnection(ListenerState listener, ListenerModel model)
    {
        Listener = listener;
        Model = model;
        Id = Interlocked.Increment(ref lastId);
        _opened = listener.Environment.Timers.NowMilliseconds;
    }

    /// <summary>The key of the chain that it was given; null as long as it has none.</summary>
    public string? ChainKey { get; private set; }

    /// <summary>The open connections that it is one of, until it ends.</summary>
    public required ConnectionCount CountedIn { get; init; }

    /// <summary>Its listener.</summary>
    protected ListenerState Listener { get; }

    /// <summary>What its listener was when it came.</summary>
    protected ListenerModel Model { get; }

    /// <summary>Its number.</summary>
    protected long Id { get; }

    /// <summary>What is known of it; null as long as too little is.</summary>
    protected DownstreamConnectionInfo? Described { get; private set; }

    /// <summary>What its listener's logs will show of it; null where there are none.</summary>
    protected ConnectionRecord? LogRecord => _record;

    /// <summary>It has got its filter's session.</summary>
    protected bool IsServed => Volatile.Read(ref _session) is not null;

    /// <summary>The client ended it.</summary>
    protected abstract bool IsEndedByPeer { get; }

    /// <summary>Serves until the end. Never fails.</summary>
    public async Task RunAsync()
    {
        var metrics = Listener.Metrics;
        try
        {
            if (await BeginAsync() is { } session)
            {
                Volatile.Write(ref _session, session);
                Interlocked.MemoryBarrier();
                if (_endAnnounced)
                {
                    session.AnnounceEnd();
                }

                if (_draining)
                {
                    session.Drain();
                }

                await ServeAsync(session);
            }
        }
        catch (Exception e)
        {
            LogFailed(Listener.Environment.Logger, e, Model.Name);
        }
        finally
        {
            var milliseconds = Listener.Environment.Timers.NowMilliseconds - _opened;
            _http?.CountClosed(_countsAsTls, IsEndedByPeer, Described?.EndedInRequest ?? false, milliseconds);
            await EndAsync();
            for (var i = 0; i < _counted; i++)
            {
                _limits[i].Remove();
            }

            _record?.Write(Model.AccessLogs);
            Listener.Remove(this);
            if (ChainKey is not null)
            {
                metrics.DownstreamConnectionsActive.Decrement();
                metrics.DownstreamConnectionsDestroy.Increment();
                metrics.DownstreamConnectionsLengthMilliseconds.Record(milliseconds);
            }
        }
    }

    /// <summary>The client is told that the end is near, as soon as it speaks a protocol that can say so.</summary>
    public void AnnounceEnd()
    {
        _endAnnounced = true;
        Interlocked.MemoryBarrier();
        Volatile.Read(ref _session)?.AnnounceEnd();
    }

    /// <summary>No new requests.</summary>
    public void Drain()
    {
        _draining = true;
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _session) is { } session)
        {
            session.Drain();
        }
        else
        {
            DrainUnserved();
        }
    }

    /// <summary>Ends it now.</summary>
    public void Abort()
    {
        Volatile.Read(ref _session)?.Abort();
        AbortTransport();
    }

    /// <summary>Finds out what serves it; null when nothing does, and it ends.</summary>
    protected abstract ValueTask<NetworkSession?> BeginAsync();

    /// <summary>Has its session serve it.</summary>
    protected abstract Task ServeAsync(NetworkSession session);

    /// <summary>It is over: lets go of what it holds. Completes when the client has been told. Never fails.</summary>
    protected abstract ValueTask EndAsync();

    /// <summary>Ends the transport now.</summary>
    protected abstract void AbortTransport();

    /// <summary>It shall drain, and nobody serves it yet; should somebody, its session drains.</summary>
    protected virtual void DrainUnserved() => AbortTransport();

    /// <summary>It belongs to a chain, and counts from here on as Envoy counts it; false when the chain has as many as it may have.</summary>
    protected async ValueTask<bool> TryJoinAsync(FilterChainModel chain)
    {
        if (chain.Limits.Count > 0 && !await TryCountAsync(chain.Limits))
        {
            return false;
        }

        ChainKey = chain.Key;
        Listener.Metrics.DownstreamConnectionsTotal.Increment();
        Listener.Metrics.DownstreamConnectionsActive.Increment();
        _countsAsTls = chain.Transport is not null;
        _http = chain.Filter.HttpMetrics;
        _http?.CountOpened(_countsAsTls);
        return true;
    }

    /// <summary>What is known now; its listener's logs show it where there are any.</summary>
    protected void Describe(DownstreamConnectionInfo connection)
    {
        Described = connection;
        if (Model.AccessLogs.Count > 0)
        {
            var clock = Listener.Environment.Timers.Time;
            _record = _record is null ? new ConnectionRecord(connection, clock) : new ConnectionRecord(connection, clock, _record.StartTimestamp, _record.StartTime);
        }
    }

    private async ValueTask<bool> TryCountAsync(IReadOnlyList<ConnectionLimit> limits)
    {
        _limits = limits;
        foreach (var limit in limits)
        {
            if (!limit.TryAdd())
            {
                if (limit.Delay > TimeSpan.Zero)
                {
                    await Task.Delay(limit.Delay, Listener.Environment.Timers.Time);
                }

                return false;
            }

            _counted++;
        }

        return true;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A connection of listener {Listener} ended with a defect of ours")]
    private static partial void LogFailed(ILogger logger, Exception exception, string listener);
}
