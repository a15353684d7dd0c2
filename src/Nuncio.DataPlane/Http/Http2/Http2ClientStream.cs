namespace Nuncio.DataPlane.Http.Http2;

/// <summary>One request to an upstream over HTTP/2. Reused by its connection.</summary>
internal sealed class Http2ClientStream : HttpClientStream
{
    private readonly Http2ClientSession _session;

    /// <summary>A stream object of a connection, to be prepared for each request.</summary>
    public Http2ClientStream(Http2ClientSession session)
    {
        _session = session;
        Stream = new Http2Stream(session, this);
        Version = HttpProtocolVersion.Http2;
    }

    /// <inheritdoc/>
    internal override Transport.TransportConnection Transport => _session.Transport;

    /// <summary>The frame layer's side.</summary>
    public Http2Stream Stream { get; }

    /// <summary>A head that came while an earlier one was not read yet; guarded by the connection.</summary>
    public HeaderMap? NextHeaders { get; set; }

    /// <summary>Heads that are not read yet: 0, 1 (in ResponseHeaders, or in NextHeaders after an earlier one was read) or 2.</summary>
    public int UnreadHeads { get; set; }

    /// <summary>ResponseHeaders was filled once.</summary>
    public bool FirstHeadSeen { get; set; }

    /// <summary>The final head has come.</summary>
    public bool FinalHeadSeen { get; set; }

    /// <summary>The response has no body by the request's method.</summary>
    public bool IsHead { get; set; }

    /// <summary>The protocol of an upgrade, which was sent as extended CONNECT (RFC 8441); null for other requests.</summary>
    public byte[]? UpgradeProtocol { get; set; }

    /// <summary>The final head had END_STREAM.</summary>
    public bool EndedWithHeaders { get; set; }

    /// <summary>Counts against the connection's limit.</summary>
    public bool IsCounted { get; set; }

    /// <summary>For a new request.</summary>
    public void Prepare()
    {
        ResponseHeaders.Clear();
        ResponseTrailers.Clear();
        NextHeaders?.Clear();
        Stream.Prepare();
        BytesSent = BytesReceived = 0;
        UnreadHeads = 0;
        UpgradeProtocol = null;
        FirstHeadSeen = FinalHeadSeen = IsHead = EndedWithHeaders = IsCounted = false;
    }

    /// <summary>Counts bytes; under the connection's lock.</summary>
    public void AddReceived(int length) => BytesReceived += length;

    /// <summary>Counts bytes; under the connection's lock.</summary>
    public void AddSent(int length) => BytesSent += length;

    /// <inheritdoc/>
    public override ValueTask<StreamResetReason> WriteHeadersAsync(HeaderMap headers, bool endStream)
    {
        ArgumentNullException.ThrowIfNull(headers);
        return new ValueTask<StreamResetReason>(_session.WriteHeaders(this, headers, endStream));
    }

    /// <inheritdoc/>
    public override ValueTask<StreamResetReason> WriteBodyAsync(ReadOnlyMemory<byte> data, bool endStream)
    {
        BytesSent += data.Length;
        var token = _session.WriteData(Stream, data, endStream, out var reason);
        return token < 0 ? new ValueTask<StreamResetReason>(reason) : new ValueTask<StreamResetReason>(Stream, (short)token);
    }

    /// <inheritdoc/>
    public override ValueTask<StreamResetReason> WriteTrailersAsync(HeaderMap trailers)
    {
        ArgumentNullException.ThrowIfNull(trailers);
        return new ValueTask<StreamResetReason>(_session.WriteTrailers(this, trailers));
    }

    /// <inheritdoc/>
    public override ValueTask<StreamResetReason> FlushAsync()
    {
        _session.RequestFlush();
        return new ValueTask<StreamResetReason>(Stream.ResetReason);
    }

    /// <inheritdoc/>
    public override ValueTask<ClientHeadersRead> ReadHeadersAsync() => _session.ReadHeadersAsync(this);

    /// <inheritdoc/>
    public override ValueTask<BodyRead> ReadBodyAsync() => _session.ReadBodyAsync(Stream);

    /// <inheritdoc/>
    public override void Reset(StreamResetReason reason) => _session.ResetStream(Stream, Http2ErrorCode.Cancel, reason);

    /// <inheritdoc/>
    public override void Release() => _session.Release(this);
}
