using Nuncio.DataPlane.Binding;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Http.Http1;
using Nuncio.DataPlane.Http.Http2;
using Nuncio.DataPlane.Model;
using Nuncio.DataPlane.Time;
using Codec = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.Types.CodecType;

namespace Nuncio.DataPlane.Listening;

/// <summary>The HTTP connection manager as a network filter: finds out which HTTP a connection speaks and runs the codec.</summary>
internal sealed class HttpConnectionFilterModel : NetworkFilterModel
{
    private readonly Codec _codec;
    private readonly Http1ServerOptions _http1;
    private readonly Http2Options _http2;
    private readonly TimerService _timers;

    /// <summary>A filter.</summary>
    /// <param name="model">The connection manager.</param>
    /// <param name="processor">What answers its requests.</param>
    /// <param name="timers">For the codecs' timeouts.</param>
    public HttpConnectionFilterModel(HttpConnectionManagerModel model, HttpStreamProcessor processor, TimerService timers)
    {
        _codec = model.Codec;
        _http1 = HttpCodecBinder.Http1(model);
        _http2 = HttpCodecBinder.Http2(model);
        _timers = timers;
        Processor = processor;
        Slot = new ProcessorSlot(processor);
    }

    /// <summary>This configuration's processor.</summary>
    public HttpStreamProcessor Processor { get; }

    /// <summary>What connections hold. Before the model is in effect, its listener puts the slot of the same chain's last configuration here.</summary>
    public ProcessorSlot Slot { get; set; }

    /// <inheritdoc/>
    public override async ValueTask<NetworkSession?> BeginAsync(AcceptedConnection connection) =>
        await SpeaksHttp2Async(connection) switch
        {
            null => null,
            true => new Http2Session(connection, Slot, _http2, _timers.Time),
            false => new Http1Session(connection, Slot, _http1, _timers),
        };

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

        while (true)
        {
            switch (HttpPreface.Detect(connection.Peek.Bytes.Span))
            {
                case HttpPrefaceOutcome.Http2:
                    return true;
                case HttpPrefaceOutcome.NotHttp2:
                    return false;
                default:
                    if (!await connection.Peek.ReadAsync(connection.Transport))
                    {
                        return null;
                    }

                    break;
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

        public override void Drain() => _connection.Drain();

        public override void Abort() => _connection.Abort();
    }

    private sealed class Http2Session : NetworkSession
    {
        private readonly Http2ServerConnection _connection;
        private readonly AcceptedConnection _accepted;

        public Http2Session(AcceptedConnection accepted, HttpStreamProcessor processor, Http2Options options, TimeProvider time)
        {
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
                await _accepted.Transport.DisposeAsync();
            }
        }

        public override void Drain() => _connection.Drain();

        public override void Abort() => _connection.Abort(StreamResetReason.LocalReset);
    }
}
