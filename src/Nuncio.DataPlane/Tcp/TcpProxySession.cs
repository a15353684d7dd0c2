using System.Buffers;
using Nuncio.DataPlane.AccessLogging;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Listening;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Pipeline;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Telemetry;
using Nuncio.DataPlane.Time;
using Nuncio.DataPlane.Transport;

namespace Nuncio.DataPlane.Tcp;

/// <summary>
/// Carries one connection to an endpoint of a cluster. The end of one direction is passed on as the end of that direction; the connection ends with both.
/// </summary>
internal sealed class TcpProxySession : NetworkSession, IDeadlineOwner
{
    private const int BufferSize = 65536;

    private readonly TcpProxyModel _model;
    private readonly ClusterState? _cluster;
    private readonly AcceptedConnection _accepted;
    private readonly TransportConnection _downstream;
    private readonly LazyDeadline _idle;
    private readonly TimerService _timers;
    private readonly ulong? _hash;
    private readonly long _opened;
    private readonly ConnectionRecord? _record;
    private readonly TcpProxyMetrics _metrics;
    private TransportConnection? _upstream;

    public TcpProxySession(TcpProxyModel model, ClusterState? cluster, AcceptedConnection accepted, TimerService timers, ulong? hash, TcpProxyMetrics metrics)
    {
        _metrics = metrics;
        _model = model;
        _cluster = cluster;
        _accepted = accepted;
        _downstream = accepted.Transport;
        _timers = timers;
        _hash = hash;
        _idle = new LazyDeadline(timers, this);
        _opened = timers.NowMilliseconds;
        _record = accepted.Record ?? (model.AccessLogs.Count > 0 ? new ConnectionRecord(accepted.Connection, timers.Time) : null);
    }

    /// <inheritdoc/>
    public override async Task RunAsync()
    {
        _metrics.DownstreamConnectionsTotal.Increment();
        try
        {
            if (_cluster is { } cluster)
            {
                await RunAsync(cluster);
            }
            else
            {
                _metrics.DownstreamConnectionsNoRoute.Increment();
                Flag(ResponseFlags.NoClusterFound);
            }
        }
        finally
        {
            await _downstream.DisposeAsync();
            _record?.Write(_model.AccessLogs);
        }
    }

    private async Task RunAsync(ClusterState cluster)
    {
        var first = _accepted.Peek.Take();
        var resources = cluster.Resources(0);
        if (!resources.CanConnect)
        {
            cluster.Metrics.ConnectionsOverflow.Increment();
            Flag(ResponseFlags.UpstreamOverflow);
            return;
        }

        resources.AddConnection(1);
        cluster.Metrics.ConnectionsActive.Increment();
        if (_record is not null)
        {
            _record.Upstream.Cluster = cluster.Model.StatName;
        }

        try
        {
            if (await ConnectAsync(cluster) is { } upstream)
            {
                Volatile.Write(ref _upstream, upstream);
                if (_record is not null)
                {
                    _record.Upstream.LocalAddress = upstream.LocalEndPoint;
                    _record.AddReceived(first.Length);
                }

                _metrics.DownstreamReceivedBytesTotal.Add(first.Length);

                Touch();
                if (first.Length == 0 || await upstream.WriteAsync(first))
                {
                    await Task.WhenAll(CopyAsync(_downstream, upstream, toClient: false), CopyAsync(upstream, _downstream, toClient: true));
                }
            }
        }
        finally
        {
            resources.AddConnection(-1);
            _idle.End();
            if (_upstream is { } open)
            {
                cluster.Metrics.CountClosed(open.IsEndedByPeer, inRequest: true);
                await open.DisposeAsync();
            }
            else
            {
                cluster.Metrics.ConnectionsActive.Decrement();
            }
        }
    }

    /// <summary>Nothing to do: only its two ends know when a TCP connection is done. The end of the drain time ends it.</summary>
    public override void Drain()
    {
    }

    /// <inheritdoc/>
    public override void Abort()
    {
        _downstream.Abort();
        Volatile.Read(ref _upstream)?.Abort();
    }

    // An end, not a failure: neither side is reset.
    void IDeadlineOwner.OnDeadline()
    {
        var isOld = _model.MaxDuration > TimeSpan.Zero && _timers.NowMilliseconds - _opened >= (long)_model.MaxDuration.TotalMilliseconds;
        (isOld ? _metrics.MaxConnectionDuration : _metrics.IdleTimeout).Increment();
        if (isOld && _record is not null)
        {
            _record.Flags |= ResponseFlags.DurationTimeout;
            _record.ConnectionTerminationDetails = "max_connection_duration";
        }

        _ = _downstream.DisposeAsync().AsTask();
        _ = Volatile.Read(ref _upstream)?.DisposeAsync().AsTask();
    }

    private async ValueTask<TransportConnection?> ConnectAsync(ClusterState cluster)
    {
        if (!cluster.IsWarm)
        {
            await cluster.WarmAsync();
        }

        for (var attempt = 0; attempt < _model.MaxConnectAttempts; attempt++)
        {
            if (cluster.Choose(_hash ?? 0, _hash is not null, attempt) is not { } endpoint)
            {
                cluster.Metrics.ConnectionsNoneHealthy.Increment();
                Flag(ResponseFlags.NoHealthyUpstream);
                return null;
            }

            if (_record is not null)
            {
                _record.Upstream.Host = endpoint.Address;
                _record.Upstream.HostName = endpoint.Model.Hostname;
                _record.Upstream.Attempts = attempt + 1;
            }

            cluster.Metrics.ConnectionsTotal.Increment();
            var connect = await ConnectAsync(cluster, endpoint);
            if (connect.Connection is { } connection)
            {
                cluster.Metrics.RequestsTotal.Increment();
                cluster.Outlier?.OnConnectedFinally(endpoint);
                return connection;
            }

            cluster.Outlier?.OnLocalFailure(endpoint);
            var timedOut = connect.Error == StreamResetReason.ConnectionTimeout;
            cluster.Metrics.ConnectionsDestroy.Increment();
            (timedOut ? cluster.Metrics.ConnectionsDestroyLocal : cluster.Metrics.ConnectionsDestroyRemote).Increment();
            cluster.Metrics.ConnectionsConnectFail.Increment();
            if (_record is not null)
            {
                _record.Upstream.TransportFailureReason = connect.Message;
            }
        }

        Flag(ResponseFlags.UpstreamConnectionFailure | ResponseFlags.UpstreamRetryLimitExceeded);
        return null;
    }

    private static async ValueTask<TransportConnect> ConnectAsync(ClusterState cluster, EndpointState endpoint) =>
        (await cluster.Environment.Connections.ConnectTransportAsync(
            endpoint.Address, cluster.Model, [], new(endpoint.Model.Hostname, null, cluster.Metrics), CancellationToken.None, endpoint.OtherAddresses)).Connect;

    private async Task CopyAsync(TransportConnection from, TransportConnection to, bool toClient)
    {
        byte[] buffer = [];
        int read;
        try
        {
            while (true)
            {
                // Two directions of many connections wait most of the time, which takes no buffer.
                read = await from.ReadAsync(Memory<byte>.Empty);
                if (read < 0)
                {
                    break;
                }

                buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
                read = await from.ReadAsync(buffer);
                if (read <= 0)
                {
                    break;
                }

                Touch();
                (toClient ? _metrics.DownstreamSentBytesTotal : _metrics.DownstreamReceivedBytesTotal).Add(read);
                if (toClient)
                {
                    _record?.AddSent(read);
                }
                else
                {
                    _record?.AddReceived(read);
                }

                var write = to.WriteAsync(buffer.AsMemory(0, read));
                if (!(write.IsCompletedSuccessfully ? write.Result : await WriteSlowlyAsync(write, toClient)))
                {
                    read = -1;
                    break;
                }

                ArrayPool<byte>.Shared.Return(buffer);
                buffer = [];
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        if (read == 0)
        {
            await to.ShutdownWriteAsync();
        }
        else
        {
            // One end is broken: the other must not go on as if nothing had happened.
            from.Abort();
            to.Abort();
        }
    }

    // One end takes no more for now, so the other is not read either.
    private async ValueTask<bool> WriteSlowlyAsync(ValueTask<bool> write, bool toClient)
    {
        var cluster = _cluster?.Metrics;
        (toClient ? cluster?.FlowControlPausedReading : cluster?.FlowControlBackedUp)?.Increment();
        (toClient ? null : _metrics.FlowControlPausedReading)?.Increment();
        var written = await write;
        (toClient ? cluster?.FlowControlResumedReading : cluster?.FlowControlDrained)?.Increment();
        (toClient ? null : _metrics.FlowControlResumedReading)?.Increment();
        return written;
    }

    private void Flag(ResponseFlags flags)
    {
        if (_record is not null)
        {
            _record.Flags |= flags;
        }
    }

    private void Touch()
    {
        var limit = _model.IdleTimeout;
        if (_model.MaxDuration > TimeSpan.Zero)
        {
            var left = _model.MaxDuration - TimeSpan.FromMilliseconds(_timers.NowMilliseconds - _opened);
            limit = limit == TimeSpan.Zero || left < limit ? left : limit;
            limit = limit <= TimeSpan.Zero ? TimeSpan.FromMilliseconds(1) : limit;
        }

        if (limit > TimeSpan.Zero)
        {
            _idle.Set(limit);
        }
    }
}
