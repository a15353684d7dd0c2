using Nuncio.DataPlane.Transport;

namespace Nuncio.DataPlane.Http.Http2;

/// <summary>A connection to an upstream that speaks HTTP/2: with prior knowledge, or after ALPN chose <c>h2</c>.</summary>
public sealed class Http2ClientConnection : HttpClientConnection
{
    private readonly Http2ClientSession _session;
    private readonly TransportConnection _transport;

    /// <summary>Takes over a connected transport, and disposes it at the end. Nothing is sent before <see cref="Start"/>.</summary>
    public Http2ClientConnection(TransportConnection transport, Http2Options options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(transport);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        _transport = transport;
        _session = new Http2ClientSession(this, transport, options, time);
    }

    /// <summary>
    /// A started connection. Its owner may be set later: whoever sets it looks at <see cref="IsClosing"/> afterwards.
    /// </summary>
    public static Http2ClientConnection Open(TransportConnection transport, Http2Options options, TimeProvider time)
    {
        var connection = new Http2ClientConnection(transport, options, time);
        connection.Start();
        return connection;
    }

    /// <inheritdoc/>
    public override HttpProtocolVersion Version => HttpProtocolVersion.Http2;

    /// <inheritdoc/>
    public override int AvailableStreams => _session.AvailableStreams;

    /// <inheritdoc/>
    public override int ActiveStreams => _session.ActiveStreams;

    /// <inheritdoc/>
    public override bool IsClosing => _session.IsClosing;

    /// <inheritdoc/>
    public override bool IsEndedByPeer => _transport.IsEndedByPeer;

    /// <summary>Completes when the connection is over and its transport disposed.</summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

    /// <summary>Sends the preface and begins to read; streams can be opened at once.</summary>
    public void Start() => Completion = RunAsync();

    /// <inheritdoc/>
    public override HttpClientStream? OpenStream() => _session.Open();

    /// <inheritdoc/>
    public override void Drain() => _session.StopOpening();

    /// <inheritdoc/>
    public override void Close(StreamResetReason reason) => _session.Abort(reason);

    private async Task RunAsync()
    {
        try
        {
            await _session.RunAsync(default);
        }
        finally
        {
            await _transport.DisposeAsync();
        }
    }
}
