namespace Nuncio.DataPlane.Http.Http2;

/// <summary>One request over HTTP/2. Reused by its connection.</summary>
internal sealed class Http2ServerStream : HttpServerStream
{
    private readonly Http2ServerConnection _connection;

    /// <summary>A stream object of a connection, to be prepared for each request.</summary>
    public Http2ServerStream(Http2ServerConnection connection)
    {
        _connection = connection;
        Stream = new Http2Stream(connection, this);
        OnProcessed = () => connection.OnProcessed(this);
        Version = HttpProtocolVersion.Http2;
    }

    /// <summary>The frame layer's side.</summary>
    public Http2Stream Stream { get; }

    /// <summary>What the processor returned.</summary>
    public ValueTask Processing { get; set; }

    /// <summary>Runs when <see cref="Processing"/> completes.</summary>
    public Action OnProcessed { get; }

    /// <summary>The processor is done; guarded by the connection.</summary>
    public bool IsDone { get; set; }

    /// <summary>Who is told of an abort; guarded by the connection.</summary>
    public IStreamAbortHandler? AbortHandler { get; set; }

    /// <summary>An abort that nobody was told yet; guarded by the connection.</summary>
    public StreamResetReason AbortReason { get; set; }

    /// <summary>Calls of an abort handler that have not returned; guarded by the connection.</summary>
    public int AbortCalls { get; set; }

    /// <summary>When the request came, by the connection's clock.</summary>
    public long Started { get; private set; }

    /// <summary>An extended CONNECT (RFC 8441), shown to the pipeline as the HTTP/1.1 upgrade it stands for.</summary>
    public bool IsUpgrade { get; private set; }

    /// <inheritdoc/>
    public override DownstreamConnectionInfo Connection => _connection.Downstream;

    /// <summary>Before a request is decoded into it.</summary>
    public void Prepare()
    {
        RequestHeaders.Clear();
        RequestTrailers.Clear();
        Stream.Prepare();
        BytesReceived = BytesSent = 0;
        ResponseStarted = ResponseEnded = RequestEndedWithHeaders = IsUpgrade = IsDone = false;
        AbortHandler = null;
        AbortReason = StreamResetReason.None;
    }

    /// <summary>The request is accepted.</summary>
    public void Start(bool endStream, long now)
    {
        RequestEndedWithHeaders = endStream;
        Started = now;
        IsUpgrade = ExtendedConnectHead.ShowAsUpgrade(RequestHeaders);
    }

    /// <summary>Counts body bytes; under the connection's lock.</summary>
    public void AddReceived(int length) => BytesReceived += length;

    /// <inheritdoc/>
    public override void OnAborted(IStreamAbortHandler? handler) => _connection.SetAbortHandler(this, handler);

    /// <inheritdoc/>
    public override ValueTask<BodyRead> ReadBodyAsync() => _connection.ReadBodyAsync(Stream);

    /// <inheritdoc/>
    public override ValueTask WriteHeadersAsync(HeaderMap headers, bool endStream)
    {
        ArgumentNullException.ThrowIfNull(headers);
        ResponseStarted |= headers.Status is >= 200 or 101;
        ResponseEnded |= endStream;
        _connection.WriteHeaders(this, headers, endStream);
        return default;
    }

    /// <inheritdoc/>
    public override ValueTask WriteBodyAsync(ReadOnlyMemory<byte> data, bool endStream)
    {
        BytesSent += data.Length;
        ResponseEnded |= endStream;
        var token = _connection.WriteData(Stream, data, endStream, out _);
        return token < 0 ? default : new ValueTask(Stream, (short)token);
    }

    /// <inheritdoc/>
    public override ValueTask WriteTrailersAsync(HeaderMap trailers)
    {
        ArgumentNullException.ThrowIfNull(trailers);
        ResponseEnded = true;
        _connection.WriteTrailers(this, trailers);
        return default;
    }

    /// <inheritdoc/>
    public override ValueTask FlushAsync()
    {
        _connection.RequestFlush();
        return default;
    }

    /// <inheritdoc/>
    public override void StopReading() => _connection.StopReading(Stream);

    /// <inheritdoc/>
    public override void Reset(StreamResetReason reason)
    {
        var error = reason switch
        {
            StreamResetReason.ProtocolError => Http2ErrorCode.ProtocolError,
            StreamResetReason.RemoteRefusedStream => Http2ErrorCode.RefusedStream,
            StreamResetReason.ConnectionFailure or StreamResetReason.ConnectionTimeout => Http2ErrorCode.ConnectError,
            StreamResetReason.Overflow => Http2ErrorCode.EnhanceYourCalm,
            _ => Http2ErrorCode.InternalError,
        };
        _connection.ResetStream(Stream, error, reason);
    }

    /// <inheritdoc/>
    public override void CloseConnectionAfterResponse() => _connection.Drain();
}
