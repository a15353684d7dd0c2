using Nuncio.DataPlane.Binding;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Http.Http1;
using Nuncio.DataPlane.Http.Http2;
using Nuncio.DataPlane.Http.Http3;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.State;
using Nuncio.DataPlane.Telemetry;
using Nuncio.DataPlane.Time;
using Nuncio.DataPlane.Transport;
using Nuncio.DataPlane.Transport.Quic;
using Codec = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.Types.CodecType;

namespace Nuncio.DataPlane.Listening;

/// <summary>The HTTP connection manager as a network filter: finds out which HTTP a connection speaks and runs the codec.</summary>
internal sealed class HttpConnectionFilterModel : NetworkFilterModel
{
    private readonly Codec _codec;
    private readonly Http1ServerOptions _http1;
    private readonly Http2Options _http2;
    private readonly HttpConnectionManagerMetrics _metrics;
    private readonly TimerService _timers;

    /// <summary>A filter.</summary>
    /// <param name="model">The connection manager.</param>
    /// <param name="processor">What answers its requests.</param>
    /// <param name="clusters">What requests hold while they last.</param>
    /// <param name="metrics">The connection manager's statistics.</param>
    /// <param name="timers">For the codecs' timeouts.</param>
    public HttpConnectionFilterModel(HttpConnectionManagerModel model, HttpStreamProcessor processor, ClusterTable clusters, HttpConnectionManagerMetrics metrics, TimerService timers)
    {
        _codec = model.Codec;
        StatPrefix = model.StatPrefix;
        _http1 = HttpCodecBinder.Http1(model) with { Metrics = metrics };
        _http2 = HttpCodecBinder.Http2(model) with { Metrics = metrics.Http2 };
        Http3 = HttpCodecBinder.Http3(model) with { Metrics = metrics.Http3 };
        _metrics = metrics;
        _timers = timers;
        AccessLogs = model.AccessLogs;
        Tracing = model.Tracing;
        Processor = processor;
        Slot = new ProcessorSlot(processor, clusters);
    }

    /// <summary>Its statistics' name.</summary>
    public string StatPrefix { get; }

    /// <summary>It serves QUIC, and nothing else.</summary>
    public bool IsHttp3 => _codec == Codec.Http3;

    /// <summary>How HTTP/3 is spoken.</summary>
    public Http3Options Http3 { get; }

    /// <summary>This configuration's processor.</summary>
    public HttpStreamProcessor Processor { get; }

    /// <inheritdoc/>
    internal override HttpConnectionManagerMetrics? HttpMetrics => _metrics;

    /// <inheritdoc/>
    internal override IReadOnlyList<AccessLogging.AccessLogModel> AccessLogs { get; }

    /// <inheritdoc/>
    internal override Tracing.TracingModel? Tracing { get; }

    /// <summary>What connections hold. Before the model is in effect, its listener puts the slot of the same chain's last configuration here.</summary>
    public ProcessorSlot Slot { get; set; }

    /// <inheritdoc/>
    public override async ValueTask<NetworkSession?> BeginAsync(AcceptedConnection connection)
    {
        connection.Connection.HttpMetrics = connection.Metrics.Http(StatPrefix);
        return await SpeaksHttp2Async(connection) switch
        {
            null => null,
            true => new CountedSession(new Http2Session(connection, Slot, _http2, _timers.Time, _metrics), _metrics.DownstreamConnectionsHttp2Total, _metrics.DownstreamConnectionsHttp2Active),
            false => new CountedSession(new Http1Session(connection, Slot, _http1, _timers), _metrics.DownstreamConnectionsHttp1Total, _metrics.DownstreamConnectionsHttp1Active),
        };
    }

    /// <summary>Begins to serve a QUIC connection.</summary>
    public NetworkSession BeginHttp3(QuicTransportConnection transport, DownstreamConnectionInfo connection, int maxConcurrentStreams) => new CountedSession(
        new Http3Session(transport, connection, Slot, Http3, maxConcurrentStreams, _timers, _metrics),
        _metrics.DownstreamConnectionsHttp3Total, _metrics.DownstreamConnectionsHttp3Active);

    // ALPN decides where there was one; else the first bytes do (RFC 9113 section 3.3: a client with prior knowledge begins with the preface).
    private async ValueTask<bool?> SpeaksHttp2Async(AcceptedConnection connection)
    {
        if (_codec != Codec.Auto)
        {
            return _codec == Codec.Http2;
        }

        switch (connection.Connection.ApplicationProtocol)
        {
            case "h2":
                return true;
            case "http/1.1" or "http/1.0":
                return false;
            default:
                break;
        }

        // As long as nothing has come the connection is idle; from the first byte on it has as long as a request's head has.
        while (true)
        {
            switch (HttpPreface.Detect(connection.Peek.Bytes.Span))
            {
                case HttpPrefaceOutcome.Http2:
                    return true;
                case HttpPrefaceOutcome.NotHttp2:
                    return false;
                default:
                    var isFirst = connection.Peek.Bytes.IsEmpty;
                    if (!await (isFirst ? ReadFirstAsync(connection) : connection.Peek.ReadAsync(connection.Transport)))
                    {
                        return null;
                    }

                    if (isFirst)
                    {
                        connection.Opening?.Set(_http1.RequestHeadersTimeout);
                    }

                    break;
            }
        }
    }

    // Who says nothing at all is idle.
    private async ValueTask<bool> ReadFirstAsync(AcceptedConnection connection)
    {
        if (_http1.IdleTimeout <= TimeSpan.Zero)
        {
            return await connection.Peek.ReadAsync(connection.Transport);
        }

        var limit = new FirstByteLimit(connection.Transport, _metrics, _timers);
        limit.Start(_http1.IdleTimeout);
        try
        {
            return await connection.Peek.ReadAsync(connection.Transport);
        }
        finally
        {
            limit.End();
        }
    }

    private sealed class FirstByteLimit : IDeadlineOwner
    {
        private readonly TransportConnection _transport;
        private readonly HttpConnectionManagerMetrics _metrics;
        private readonly LazyDeadline _deadline;

        public FirstByteLimit(TransportConnection transport, HttpConnectionManagerMetrics metrics, TimerService timers)
        {
            _transport = transport;
            _metrics = metrics;
            _deadline = new LazyDeadline(timers, this);
        }

        public void Start(TimeSpan limit) => _deadline.Set(limit);

        public void End() => _deadline.End();

        public void OnDeadline()
        {
            _metrics.DownstreamConnectionsIdleTimeout.Increment();
            _ = _transport.DisposeAsync().AsTask();
        }
    }

    private sealed class CountedSession(NetworkSession session, MetricCounter total, MetricGauge active) : NetworkSession
    {
        public override Task RunAsync()
        {
            total.Increment();
            active.Increment();
            return FinishAsync(session.RunAsync());
        }

        public override void AnnounceEnd() => session.AnnounceEnd();

        public override void Drain() => session.Drain();

        public override void Abort() => session.Abort();

        private async Task FinishAsync(Task run)
        {
            try
            {
                await run;
            }
            finally
            {
                active.Decrement();
            }
        }
    }

    private sealed class Http1Session : NetworkSession
    {
        private readonly Http1ServerConnection _connection;
        private readonly PeekBuffer _peek;

        public Http1Session(AcceptedConnection accepted, HttpStreamProcessor processor, Http1ServerOptions options, TimerService timers)
        {
            _connection = new Http1ServerConnection(accepted.Transport, accepted.Connection, options, processor, timers);
            _peek = accepted.Peek;
        }

        public override Task RunAsync() => _connection.RunAsync(_peek.Bytes);

        public override void AnnounceEnd() => _connection.AnnounceEnd();

        public override void Drain() => _connection.Drain();

        public override void Abort() => _connection.Abort();
    }

    private sealed class Http2Session : NetworkSession
    {
        private readonly Http2ServerConnection _connection;
        private readonly AcceptedConnection _accepted;
        private readonly HttpConnectionManagerMetrics _metrics;

        public Http2Session(AcceptedConnection accepted, HttpStreamProcessor processor, Http2Options options, TimeProvider time, HttpConnectionManagerMetrics metrics)
        {
            _metrics = metrics;
            _connection = new Http2ServerConnection(accepted.Transport, accepted.Connection, processor, options, time);
            _accepted = accepted;
        }

        public override async Task RunAsync()
        {
            try
            {
                await _connection.RunAsync(_accepted.Peek.Bytes);
            }
            finally
            {
                _accepted.Connection.EndedInRequest = _connection.EndedInRequest;
                if (_connection.IsFailed)
                {
                    _metrics.DownstreamConnectionsProtocolError.Increment();
                }

                await _accepted.Transport.DisposeAsync();
            }
        }

        public override void AnnounceEnd() => _connection.AnnounceEnd();

        public override void Drain() => _connection.Drain();

        public override void Abort() => _connection.Abort(StreamResetReason.LocalReset);
    }

    private sealed class Http3Session : NetworkSession
    {
        private readonly Http3ServerConnection _connection;
        private readonly HttpConnectionManagerMetrics _metrics;

        public Http3Session(
            QuicTransportConnection transport,
            DownstreamConnectionInfo connection,
            HttpStreamProcessor processor,
            Http3Options options,
            int maxConcurrentStreams,
            TimerService timers,
            HttpConnectionManagerMetrics metrics)
        {
            _metrics = metrics;
            _connection = new Http3ServerConnection(transport, connection, processor, options, maxConcurrentStreams, timers);
        }

        public override async Task RunAsync()
        {
            await _connection.RunAsync();
            _connection.Downstream.EndedInRequest = _connection.EndedInRequest;
            if (_connection.IsFailed)
            {
                _metrics.DownstreamConnectionsProtocolError.Increment();
            }
        }

        public override void AnnounceEnd() => _connection.AnnounceEnd();

        public override void Drain() => _connection.Drain();

        public override void Abort() => _connection.Abort();
    }
}
