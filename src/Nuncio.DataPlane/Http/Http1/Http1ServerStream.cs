using System.Runtime.CompilerServices;
using System.Text;
using Nuncio.DataPlane.Async;

namespace Nuncio.DataPlane.Http.Http1;

/// <summary>One request on an HTTP/1.1 connection. Streams go from connection to connection, so that an idle one holds none.</summary>
internal sealed class Http1ServerStream : HttpServerStream
{
    private static readonly byte[] NoFraming = [];

    private readonly Lock _abortGate = new();
    private Http1ServerConnection _connection = null!;
    private Http1BodyReader _body = null!;
    private Http1Output _output = null!;
    private IStreamAbortHandler? _abortHandler;
    private StreamResetReason _aborted;
    private bool _isHead;
    private bool _isConnect;
    private bool _isUpgrade;
    private bool _isHttp10;
    private bool _keepAlive;
    private bool _closeAfter;
    private bool _chunked;
    private bool _noBody;
    private long _lengthLeft;
    private volatile bool _stopped;
    private HeaderSpelling? _spelling;

    /// <inheritdoc/>
    public override DownstreamConnectionInfo Connection => _connection.Info;

    /// <summary>A response 101, or 2xx to CONNECT: the connection is a tunnel now, and nothing else afterwards.</summary>
    public bool IsTunnel { get; private set; }

    /// <summary>The connection may carry another request.</summary>
    public bool MayContinue => ResponseEnded && !_closeAfter && !IsTunnel && _body.IsComplete && _aborted == StreamResetReason.None && !_output.IsBroken;

    /// <summary>The response ends with the connection, before its own end.</summary>
    public bool IsCutShort { get; private set; }

    /// <summary>
    /// The client has an answer, whole or not, that closing at once could destroy: it may be sending the rest of its request, or the next one where the end of the
    /// connection was not its own wish.
    /// </summary>
    public bool EndsBeforeClient => (ResponseEnded || IsCutShort) && !IsTunnel && (!_body.IsComplete || _stopped || _keepAlive);

    /// <summary>The client waits for a 100 (Continue) of ours.</summary>
    public bool ExpectsContinue { get; private set; }

    /// <summary>Begins a request: the codec parses its head into <see cref="HttpServerStream.RequestHeaders"/> next.</summary>
    public void Begin(Http1ServerConnection connection, Http1BodyReader body, Http1Output output)
    {
        lock (_abortGate)
        {
            _connection = connection;
        }

        _body = body;
        _body.Attach(RequestTrailers);
        _output = output;
        _abortHandler = null;
        _aborted = StreamResetReason.None;
        _isHead = _isConnect = _isUpgrade = _isHttp10 = _closeAfter = _chunked = _noBody = _stopped = false;
        _keepAlive = true;
        _lengthLeft = -1;
        BytesReceived = BytesSent = 0;
        ResponseStarted = ResponseEnded = IsTunnel = IsCutShort = RequestEndedWithHeaders = ExpectsContinue = false;
        Version = HttpProtocolVersion.Http11;
        RequestHeaders.Clear();
        RequestTrailers.Clear();
        if (connection.Options.PreserveCase)
        {
            _spelling ??= new HeaderSpelling();
            _spelling.Clear();
            _spelling.Configured = connection.Info.HeaderSpelling;
            _spelling.CapitalisesOthers = connection.Options.CapitalisesOthers;
            RequestHeaders.Spelling = _spelling;
        }
    }

    /// <summary>The head is complete: what kind of request is it?</summary>
    public void Accept(in Http1Framing framing, bool isHttp10)
    {
        Version = isHttp10 ? HttpProtocolVersion.Http10 : HttpProtocolVersion.Http11;
        _isHttp10 = isHttp10;
        _keepAlive = framing.ConnectionClose ? false : !isHttp10 || framing.ConnectionKeepAlive;
        ExpectsContinue = framing.ExpectContinue && !isHttp10 && !_connection.Options.Proxy100Continue;
        var method = RequestHeaders.Get(KnownHeader.Method);
        _isHead = method.SequenceEqual("HEAD"u8);
        _isConnect = method.SequenceEqual("CONNECT"u8);
        _isUpgrade = framing.ConnectionUpgrade && framing.HasUpgrade && !isHttp10 && !DropH2cUpgrade();
        if (framing.Chunked)
        {
            _body.BeginChunked();
        }
        else if (framing.ContentLength > 0)
        {
            _body.BeginLength(framing.ContentLength);
        }
        else if (_isConnect || _isUpgrade)
        {
            // What follows is the other protocol's; if the upgrade is refused, nothing on this connection can be understood any more.
            _body.BeginUntilEnd();
        }
        else
        {
            _body.BeginNone();
            RequestEndedWithHeaders = true;
        }
    }

    // A client that offers h2c is served over HTTP/1.1, as RFC 9113 section 3.1 wants, and the offer does not travel on.
    private bool DropH2cUpgrade()
    {
        if (!Ascii.EqualsIgnoreCase(RequestHeaders.Get(KnownHeader.Upgrade), "h2c"u8))
        {
            return false;
        }

        RequestHeaders.Remove(KnownHeader.Upgrade);
        RequestHeaders.Remove(KnownHeader.Connection);
        RequestHeaders.Remove("http2-settings"u8);
        return true;
    }

    /// <summary>The request cannot be read: whatever is answered, the connection closes.</summary>
    public void Refuse()
    {
        _closeAfter = true;
        _body.BeginNone();
        RequestEndedWithHeaders = true;
        _isHead = RequestHeaders.Get(KnownHeader.Method).SequenceEqual("HEAD"u8);
    }

    /// <summary>The client of that connection is gone.</summary>
    public void Abort(Http1ServerConnection connection, StreamResetReason reason)
    {
        // Under the lock, so that the handler is never called for a request that OnAborted(null) has ended: its owner is used again at once.
        // The stream itself may have moved on to another connection.
        lock (_abortGate)
        {
            if (connection != _connection || _aborted != StreamResetReason.None || ResponseEnded)
            {
                return;
            }

            _aborted = reason;
            var handler = _abortHandler;
            _abortHandler = null;
            handler?.OnStreamAborted(reason);
        }
    }

    /// <inheritdoc/>
    public override void OnAborted(IStreamAbortHandler? handler)
    {
        lock (_abortGate)
        {
            if (handler is not null && _aborted != StreamResetReason.None)
            {
                handler.OnStreamAborted(_aborted);
            }
            else
            {
                _abortHandler = handler;
            }
        }
    }

    /// <inheritdoc/>
    public override ValueTask<BodyRead> ReadBodyAsync()
    {
        if (_stopped)
        {
            return new ValueTask<BodyRead>(BodyRead.Failed(StreamResetReason.LocalReset));
        }

        var read = _body.ReadAsync();
        return read.IsCompletedSuccessfully ? new ValueTask<BodyRead>(Counted(read.Result)) : FinishReadAsync(read);
    }

    /// <inheritdoc/>
    public override void StopReading()
    {
        if (!_body.IsComplete)
        {
            _stopped = true;
            _connection.StopReading();
        }
    }

    /// <inheritdoc/>
    public override ValueTask WriteHeadersAsync(HeaderMap headers, bool endStream)
    {
        var status = headers.Status;
        if (status is >= 100 and < 200 and not 101)
        {
            if (_isHttp10)
            {
                return default;
            }

            Http1HeadWriter.WriteResponse(
                _output, status, headers, _connection.Options.HeaderCase, keepConnection: false, dropLength: true, NoFraming, Connection.HeaderSpelling);
            return FlushAsync();
        }

        ResponseStarted = true;
        IsTunnel = (status == 101 && _isUpgrade) || (_isConnect && status is >= 200 and < 300);
        if (IsTunnel && _body.IsComplete)
        {
            _body.BeginUntilEnd();
        }

        DecideClose(headers);
        Span<byte> framing = stackalloc byte[96];
        var used = 0;
        if (IsTunnel)
        {
            _noBody = false;
        }
        else
        {
            DecideFraming(headers, status, endStream, framing, ref used);
        }

        Http1HeadWriter.WriteResponse(
            _output, status, headers, _connection.Options.HeaderCase, keepConnection: status == 101, dropLength: IsTunnel || status == 204, framing[..used],
            Connection.HeaderSpelling);
        return endStream ? EndResponse() : default;
    }

    /// <inheritdoc/>
    public override ValueTask WriteBodyAsync(ReadOnlyMemory<byte> data, bool endStream)
    {
        if (data.Length > 0 && !_noBody)
        {
            if (_lengthLeft >= 0)
            {
                // More than was announced would be read as the next response.
                data = data.Length > _lengthLeft ? data[..(int)_lengthLeft] : data;
                _lengthLeft -= data.Length;
            }

            BytesSent += data.Length;
            if (_chunked)
            {
                Http1HeadWriter.WriteChunkSize(_output, data.Length);
            }

            var write = _output.WriteAsync(data);
            if (!write.IsCompletedSuccessfully)
            {
                return FinishWriteAsync(write, endStream);
            }

            AfterWrite(write.Result);
        }

        return endStream ? EndBody(null) : default;
    }

    /// <inheritdoc/>
    public override ValueTask WriteTrailersAsync(HeaderMap trailers) => EndBody(_connection.Options.EnableTrailers ? trailers : null);

    /// <inheritdoc/>
    public override ValueTask FlushAsync()
    {
        var flush = _output.FlushAsync();
        if (flush.IsCompletedSuccessfully)
        {
            if (!flush.Result)
            {
                Abort(_connection, StreamResetReason.ConnectionTermination);
            }

            return default;
        }

        return FinishFlushAsync(flush);
    }

    /// <inheritdoc/>
    public override void Reset(StreamResetReason reason)
    {
        _closeAfter = true;
        if (ResponseEnded)
        {
            return;
        }

        if (reason == StreamResetReason.ConnectionTermination)
        {
            // What was written is still to arrive: the connection ends in good order, after this request.
            IsCutShort = true;
        }
        else
        {
            _connection.Abort();
        }
    }

    /// <inheritdoc/>
    public override void CloseConnectionAfterResponse() => _closeAfter = true;

    private void DecideClose(HeaderMap headers)
    {
        _closeAfter |= !_keepAlive || _connection.IsDraining || _connection.IsLastRequest || _stopped
            || (!IsTunnel && !_body.IsComplete)
            || (headers.Contains(KnownHeader.Connection) && headers.Get(KnownHeader.Connection).SequenceEqual("close"u8));
    }

    // Envoy's choices (StreamEncoderImpl::encodeHeadersBase) within RFC 9112 section 6.
    private void DecideFraming(HeaderMap headers, int status, bool endStream, Span<byte> framing, ref int used)
    {
        _noBody = _isHead || status is 204 or 304;
        var length = headers.Contains(KnownHeader.ContentLength) ? Http1FieldParser.ParseLength(headers.Get(KnownHeader.ContentLength)) : -1;
        if (length >= 0)
        {
            _lengthLeft = _noBody ? -1 : length;
        }
        else if (status is not (204 or 304) && endStream && !_isHead)
        {
            Append("content-length: 0\r\n"u8, framing, ref used);
        }
        else if (status is not (204 or 304))
        {
            if (_isHttp10)
            {
                _closeAfter |= !_isHead;
            }
            else
            {
                Append("transfer-encoding: chunked\r\n"u8, framing, ref used);
                _chunked = !_noBody;
            }
        }

        if (_closeAfter)
        {
            Append("connection: close\r\n"u8, framing, ref used);
        }
        else if (_isHttp10)
        {
            Append("connection: keep-alive\r\n"u8, framing, ref used);
        }
    }

    private static void Append(ReadOnlySpan<byte> line, Span<byte> framing, ref int used)
    {
        line.CopyTo(framing[used..]);
        used += line.Length;
    }

    private void AfterWrite(bool written)
    {
        if (!written)
        {
            Abort(_connection, StreamResetReason.ConnectionTermination);
        }
        else if (_chunked)
        {
            _output.Write("\r\n"u8);
        }
    }

    [AsyncMethodBuilder(typeof(PooledBuilder))]
    private async ValueTask FinishWriteAsync(ValueTask<bool> write, bool endStream)
    {
        AfterWrite(await write);
        if (endStream)
        {
            await EndBody(null);
        }
    }

    [AsyncMethodBuilder(typeof(PooledBuilder))]
    private async ValueTask FinishFlushAsync(ValueTask<bool> flush)
    {
        if (!await flush)
        {
            Abort(_connection, StreamResetReason.ConnectionTermination);
        }
    }

    private ValueTask EndBody(HeaderMap? trailers)
    {
        if (_chunked)
        {
            Http1HeadWriter.WriteLastChunk(_output, trailers, _connection.Options.HeaderCase);
        }

        return EndResponse();
    }

    private ValueTask EndResponse()
    {
        // Less than was announced: only the end of the connection tells the client.
        _closeAfter |= _lengthLeft > 0;
        ResponseEnded = true;
        if (_closeAfter && !IsTunnel)
        {
            _output.EndWithNextFlush();
        }

        return FlushAsync();
    }

    [AsyncMethodBuilder(typeof(PooledBuilder<>))]
    private async ValueTask<BodyRead> FinishReadAsync(ValueTask<BodyRead> read) => Counted(await read);

    private BodyRead Counted(BodyRead read)
    {
        BytesReceived += read.Data.Length;
        if (read.Error != StreamResetReason.None)
        {
            _closeAfter = true;
            return _stopped ? BodyRead.Failed(StreamResetReason.LocalReset) : read;
        }

        if (read.EndStream && !IsTunnel)
        {
            _connection.WatchForAbort();
        }

        return read;
    }
}
