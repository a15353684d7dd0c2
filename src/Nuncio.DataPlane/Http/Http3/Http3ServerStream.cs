using System.Globalization;
using System.Runtime.CompilerServices;
using Nuncio.DataPlane.Async;
using Nuncio.DataPlane.Http.Http2;
using Nuncio.DataPlane.Http.Http3.Qpack;
using Nuncio.DataPlane.Time;
using Nuncio.DataPlane.Transport.Quic;

namespace Nuncio.DataPlane.Http.Http3;

/// <summary>What became of reading a request's head.</summary>
internal enum Http3HeadOutcome : byte
{
    /// <summary>It is a request.</summary>
    Request,

    /// <summary>It broke a rule of RFC 9114 section 4 for messages.</summary>
    Malformed,

    /// <summary>It is malformed too: it says a length, and has no body. As with every body of another length that concerns it alone.</summary>
    WithoutBody,

    /// <summary>It is over the limits on bytes or count.</summary>
    TooLarge,

    /// <summary>Configuration forbids it: a name with an underscore.</summary>
    Refused,

    /// <summary>It did not come in time.</summary>
    TimedOut,

    /// <summary>The client ended or reset the stream before it was complete.</summary>
    Incomplete,

    /// <summary>The connection is over, or it has been closed for what came.</summary>
    ConnectionFailed,
}

/// <summary>One request over HTTP/3, on a stream of its own. Made for each, as the platform makes each of its streams.</summary>
internal sealed class Http3ServerStream : HttpServerStream, IQuicStreamWatcher, IDeadlineOwner
{
    // More than that is written from where it is, less is copied behind what waits to be sent.
    private const int CopyLimit = 16 * 1024;

    // What an encoded header may have beside its name and value.
    private const int HeaderOverhead = 16;

    // Frames without a byte of the message, one after the other: none has a purpose but padding, and each costs more than it weighs.
    private const int MaxEmptyFrames = 1000;

    private const int LongestFrameHeader = 2 * QuicInteger.MaxLength;

    private readonly Http3ServerConnection _connection;
    private readonly QuicTransportStream _transport;
    private readonly Http3Input _input;
    private readonly Http3OutputBuffer _output = new();
    private readonly Lock _gate = new();
    private readonly long _started;
    private LazyDeadline? _headDeadline;
    private IStreamAbortHandler? _abortHandler;
    private StreamResetReason _abortReason;
    private long _frameRest;
    private long _expectedLength = -1;
    private int _handedOut;
    private bool _requestEnded;
    private bool _hasTrailers;
    private bool _isUpgrade;
    private volatile bool _readStopped;
    private volatile bool _writeFailed;
    private volatile bool _timedOut;
    private volatile bool _isDelivering;
    private volatile bool _isEndSent;
    private int _emptyFrames;
    private bool _isReset;

    public Http3ServerStream(Http3ServerConnection connection, QuicTransportStream transport)
    {
        _connection = connection;
        _transport = transport;
        _input = new Http3Input(transport);
        _started = connection.Time.GetTimestamp();
        Version = HttpProtocolVersion.Http3;
        transport.Watch(this);
    }

    /// <inheritdoc/>
    public override DownstreamConnectionInfo Connection => _connection.Downstream;

    /// <summary>Reads up to the end of the request's head.</summary>
    public async ValueTask<Http3HeadOutcome> ReadHeadAsync()
    {
        try
        {
            var first = _input.FillAsync();
            if (!first.IsCompleted)
            {
                StartHeadDeadline();
            }

            if (await first is not Http3InputOutcome.Read and var nothing)
            {
                return OutcomeOf(nothing);
            }

            while (true)
            {
                if (_input.Buffered.Length < LongestFrameHeader)
                {
                    StartHeadDeadline();
                }

                var (outcome, type, length) = await ReadHeaderOfFrameAsync();
                if (outcome != Http3InputOutcome.Read)
                {
                    return OutcomeOf(outcome);
                }

                if (type == Http3FrameType.Headers)
                {
                    return await ReadHeadAsync(length);
                }

                if (type == Http3FrameType.Data || IsForbidden(type))
                {
                    _connection.Fail(Http3ErrorCode.FrameUnexpected);
                    return Http3HeadOutcome.ConnectionFailed;
                }

                if (++_emptyFrames > MaxEmptyFrames)
                {
                    _connection.Fail(Http3ErrorCode.ExcessiveLoad);
                    return Http3HeadOutcome.ConnectionFailed;
                }

                StartHeadDeadline();
                if (await _input.SkipAsync(length) is not Http3InputOutcome.Read and var skipped)
                {
                    return OutcomeOf(skipped);
                }
            }
        }
        finally
        {
            _headDeadline?.End();
        }
    }

    /// <summary>Ends what is not ended, and lets go of what it holds. Completes when the client has all of the response.</summary>
    public async ValueTask FinishAsync()
    {
        lock (_gate)
        {
            _abortHandler = null;
        }

        if (!ResponseEnded && !_isReset)
        {
            Reset(StreamResetReason.LocalReset);
        }
        else if (!_isEndSent && !_isReset)
        {
            // The end was not written because the client had gone by half. Giving the stream up would end it as if it were complete.
            _transport.AbortWrite((long)Http3ErrorCode.RequestCancelled);
        }

        if (!_requestEnded)
        {
            // The client need not send the rest: it has its answer (RFC 9114 section 4.1).
            _transport.AbortRead((long)Http3ErrorCode.NoError);
        }

        // All that a client does not take is held here, and the stream with it.
        var delivery = _transport.WaitForDeliveryAsync();
        if (!delivery.IsCompleted && _connection.Options.FlushTimeout is { } limit)
        {
            _isDelivering = true;
            var deadline = new LazyDeadline(_connection.Timers, this);
            deadline.Set(limit);
            await delivery;
            deadline.End();
        }
        else
        {
            await delivery;
        }

        await _transport.CloseAsync();
        _input.Release();
        _output.Release();
    }

    /// <inheritdoc/>
    public override void OnAborted(IStreamAbortHandler? handler)
    {
        StreamResetReason reason;
        lock (_gate)
        {
            _abortHandler = handler;
            reason = _abortReason;
            if (handler is null || reason == StreamResetReason.None)
            {
                return;
            }

            _abortHandler = null;
        }

        handler.OnStreamAborted(reason);
    }

    /// <inheritdoc/>
    public override async ValueTask<BodyRead> ReadBodyAsync()
    {
        _input.Consume(_handedOut);
        _handedOut = 0;
        while (true)
        {
            if (_requestEnded)
            {
                return BodyRead.End;
            }

            if (_readStopped)
            {
                return BodyRead.Failed(StreamResetReason.LocalReset);
            }

            if (_frameRest > 0)
            {
                if (_input.Buffered.IsEmpty && await _input.FillAsync() is not Http3InputOutcome.Read and var filled)
                {
                    return filled == Http3InputOutcome.Ended ? FailFrame() : FailRead();
                }

                return TakeBody();
            }

            var (outcome, type, length) = await ReadHeaderOfFrameAsync();
            if (outcome == Http3InputOutcome.Ended && !_input.IsTruncated)
            {
                return EndRequest();
            }

            if (outcome != Http3InputOutcome.Read)
            {
                return outcome == Http3InputOutcome.Ended ? FailFrame() : FailRead();
            }

            if (IsForbidden(type) || (_hasTrailers && type is Http3FrameType.Data or Http3FrameType.Headers))
            {
                return FailConnection(Http3ErrorCode.FrameUnexpected);
            }

            if ((length == 0 || type is not Http3FrameType.Data and not Http3FrameType.Headers) && ++_emptyFrames > MaxEmptyFrames)
            {
                return FailConnection(Http3ErrorCode.ExcessiveLoad);
            }

            if (type == Http3FrameType.Data)
            {
                _frameRest = length;
            }
            else if (type == Http3FrameType.Headers)
            {
                // The end is still to come, and nothing but frames of no meaning before it.
                if (await ReadTrailersAsync(length) is { } failed)
                {
                    return failed;
                }

                _hasTrailers = true;
            }
            else if (await _input.SkipAsync(length) is not Http3InputOutcome.Read and var skipped)
            {
                return skipped == Http3InputOutcome.Ended ? FailFrame() : FailRead();
            }
        }
    }

    /// <inheritdoc/>
    public override ValueTask WriteHeadersAsync(HeaderMap headers, bool endStream)
    {
        ArgumentNullException.ThrowIfNull(headers);
        ResponseStarted |= headers.Status is >= 200 or 101;
        ResponseEnded |= endStream;
        if (_writeFailed)
        {
            return default;
        }

        // What HTTP/1.1 switches protocols with is a plain success here.
        var status = _isUpgrade && headers.Status == 101 ? "200"u8 : headers.Get(KnownHeader.Status);
        WriteFieldSection(headers, status);
        return endStream ? SendAsync(default, true) : default;
    }

    /// <inheritdoc/>
    public override ValueTask WriteBodyAsync(ReadOnlyMemory<byte> data, bool endStream)
    {
        BytesSent += data.Length;
        ResponseEnded |= endStream;
        if (_writeFailed)
        {
            return default;
        }

        if (!data.IsEmpty)
        {
            _output.WriteFrameHeader(Http3FrameType.Data, data.Length);
            if (_output.Length + data.Length > CopyLimit)
            {
                return SendAsync(data, endStream);
            }

            _output.Write(data.Span);
        }

        return endStream ? SendAsync(default, true) : default;
    }

    /// <inheritdoc/>
    public override ValueTask WriteTrailersAsync(HeaderMap trailers)
    {
        ArgumentNullException.ThrowIfNull(trailers);
        ResponseEnded = true;
        if (_writeFailed)
        {
            return default;
        }

        WriteFieldSection(trailers, default);
        return SendAsync(default, true);
    }

    /// <inheritdoc/>
    public override ValueTask FlushAsync() => _output.Length > 0 && !_writeFailed ? SendAsync(default, false) : default;

    /// <inheritdoc/>
    public override void StopReading()
    {
        if (!_readStopped)
        {
            _readStopped = true;
            _transport.AbortRead((long)Http3ErrorCode.NoError);
        }
    }

    /// <inheritdoc/>
    public override void Reset(StreamResetReason reason) => Reset(reason switch
    {
        StreamResetReason.ProtocolError => Http3ErrorCode.MessageError,
        StreamResetReason.RemoteRefusedStream => Http3ErrorCode.RequestRejected,
        StreamResetReason.ConnectionFailure or StreamResetReason.ConnectionTimeout => Http3ErrorCode.ConnectError,
        StreamResetReason.Overflow => Http3ErrorCode.ExcessiveLoad,
        _ => Http3ErrorCode.InternalError,
    });

    /// <summary>Ends both sides of the stream.</summary>
    public void Reset(Http3ErrorCode error)
    {
        if (!Interlocked.Exchange(ref _isReset, true))
        {
            _connection.CountSentReset();
        }

        _readStopped = _writeFailed = true;
        _transport.AbortWrite((long)error);
        _transport.AbortRead((long)error);
    }

    /// <inheritdoc/>
    public override void CloseConnectionAfterResponse() => _connection.Drain();

    void IQuicStreamWatcher.OnStreamAborted(bool isConnectionLost)
    {
        if (isConnectionLost)
        {
            _connection.OnLost(inRequest: !ResponseEnded);
        }
        else if (!ResponseEnded)
        {
            _connection.OnClientReset(isAnswered: ResponseStarted, _started);
        }

        _writeFailed = true;
        Abort(isConnectionLost ? StreamResetReason.ConnectionTermination : StreamResetReason.RemoteReset);
    }

    void IDeadlineOwner.OnDeadline()
    {
        if (_isDelivering)
        {
            _transport.AbortWrite((long)Http3ErrorCode.RequestCancelled);
            return;
        }

        _timedOut = true;
        _transport.AbortRead((long)Http3ErrorCode.RequestCancelled);
    }

    // An unknown type means nothing and is passed over (RFC 9114 section 9).
    private static bool IsForbidden(long type) => Http3FrameType.IsReserved(type)
        || type is Http3FrameType.Settings or Http3FrameType.GoAway or Http3FrameType.MaxPushId or Http3FrameType.CancelPush or Http3FrameType.PushPromise;

    private async ValueTask<(Http3InputOutcome Outcome, long Type, long Length)> ReadHeaderOfFrameAsync()
    {
        var header = await _input.ReadFrameHeaderAsync();
        if (header.Outcome == Http3InputOutcome.Ended && !_input.IsTruncated)
        {
            _requestEnded = true;
        }

        return header;
    }

    // For a head that is not there at once, which is rare: most need no timer.
    private void StartHeadDeadline()
    {
        if (_headDeadline is null && _connection.Options.RequestHeadersTimeout is { } limit)
        {
            _headDeadline = new LazyDeadline(_connection.Timers, this);
            _headDeadline.Set(limit);
        }
    }

    private async ValueTask<Http3HeadOutcome> ReadHeadAsync(long length)
    {
        if (_input.Buffered.Length < length)
        {
            StartHeadDeadline();
        }

        var outcome = await _input.ReadAllAsync(length, MaxSectionLength);
        if (outcome != Http3InputOutcome.Read)
        {
            return OutcomeOf(outcome);
        }

        var block = TryDecode((int)length, RequestHeaders, Http2BlockKind.Request);
        if (block is null)
        {
            _connection.Fail(Http3ErrorCode.QpackDecompressionFailed);
            return Http3HeadOutcome.ConnectionFailed;
        }

        if (block != Http2BlockOutcome.Valid)
        {
            return block switch
            {
                Http2BlockOutcome.TooLarge => Http3HeadOutcome.TooLarge,
                Http2BlockOutcome.Refused => Http3HeadOutcome.Refused,
                _ => Http3HeadOutcome.Malformed,
            };
        }

        if (RequestHeaders.TryGet(KnownHeader.ContentLength, out var text))
        {
            _expectedLength = long.Parse(text, CultureInfo.InvariantCulture);
        }

        _requestEnded = RequestEndedWithHeaders = _input.IsAtEnd;
        if (_requestEnded && _expectedLength > 0)
        {
            return Http3HeadOutcome.WithoutBody;
        }

        _isUpgrade = ExtendedConnectHead.ShowAsUpgrade(RequestHeaders);
        return Http3HeadOutcome.Request;
    }

    private Http3HeadOutcome OutcomeOf(Http3InputOutcome outcome)
    {
        if (_timedOut)
        {
            return Http3HeadOutcome.TimedOut;
        }

        if (outcome == Http3InputOutcome.Ended && _input.IsTruncated)
        {
            _connection.Fail(Http3ErrorCode.FrameError);
            return Http3HeadOutcome.ConnectionFailed;
        }

        return outcome == Http3InputOutcome.TooLarge ? Http3HeadOutcome.TooLarge : Http3HeadOutcome.Incomplete;
    }

    private int MaxSectionLength => _connection.Options.MaxHeaderBytes + (_connection.Options.MaxHeaderCount * HeaderOverhead);

    // Null when it cannot be decoded.
    private Http2BlockOutcome? TryDecode(int length, HeaderMap into, Http2BlockKind kind)
    {
        var options = _connection.Options;
        var reader = new Http2HeaderReader(options.MaxHeaderBytes, options.MaxHeaderCount, options.UnderscoreAction, isHostBound: true);
        reader.Start(into, kind);
        var isDecoded = QpackDecoder.Decode(_input.Buffered.Span[..length], reader);
        _input.Consume(length);
        return isDecoded ? reader.Finish(options.AllowExtendedConnect) : null;
    }

    private BodyRead TakeBody()
    {
        var taken = (int)Math.Min(_frameRest, _input.Buffered.Length);
        _frameRest -= taken;
        _emptyFrames = 0;

        // The payload of further frames is joined, so that a body in tiny frames does not cost the upstream a write for each.
        var used = taken;
        while (_frameRest == 0 && _input.TryPeekFrameHeader(used, out var type, out var length, out var size) && type == Http3FrameType.Data && length > 0)
        {
            used += size;
            var part = (int)Math.Min(length, _input.Buffered.Length - used);
            _input.Move(used, taken, part);
            _frameRest = length - part;
            taken += part;
            used += part;
        }

        BytesReceived += taken;
        if (IsLengthWrong(isEnded: false))
        {
            return FailMessage();
        }

        _handedOut = used;
        var data = _input.Buffered[..taken];
        if (_frameRest == 0 && _input.Buffered.Length == used && _transport.HasPeerEnded)
        {
            _requestEnded = true;
            return IsLengthWrong(isEnded: true) ? FailMessage() : new BodyRead(data, true);
        }

        return new BodyRead(data, false);
    }

    private BodyRead EndRequest()
    {
        _requestEnded = true;
        return IsLengthWrong(isEnded: true) ? FailMessage() : BodyRead.End;
    }

    // Null when they are there.
    private async ValueTask<BodyRead?> ReadTrailersAsync(long length)
    {
        var outcome = await _input.ReadAllAsync(length, MaxSectionLength);
        if (outcome == Http3InputOutcome.TooLarge)
        {
            Reset(Http3ErrorCode.ExcessiveLoad);
            Abort(StreamResetReason.Overflow);
            return BodyRead.Failed(StreamResetReason.Overflow);
        }

        if (outcome != Http3InputOutcome.Read)
        {
            return outcome == Http3InputOutcome.Ended ? FailFrame() : FailRead();
        }

        switch (TryDecode((int)length, RequestTrailers, Http2BlockKind.Trailers))
        {
            case null:
                return FailConnection(Http3ErrorCode.QpackDecompressionFailed);
            case Http2BlockOutcome.TooLarge:
                Reset(Http3ErrorCode.ExcessiveLoad);
                Abort(StreamResetReason.Overflow);
                return BodyRead.Failed(StreamResetReason.Overflow);
            case Http2BlockOutcome.Valid:
                return null;
            default:
                return FailMessage();
        }
    }

    private bool IsLengthWrong(bool isEnded) =>
        _expectedLength >= 0 && (BytesReceived > _expectedLength || (isEnded && BytesReceived != _expectedLength));

    // A body of another length than was said, or trailers that may not be: it concerns this request alone.
    private BodyRead FailMessage()
    {
        Reset(Http3ErrorCode.MessageError);
        Abort(StreamResetReason.ProtocolError);
        return BodyRead.Failed(StreamResetReason.ProtocolError);
    }

    // The stream ended in the middle of a frame (RFC 9114 section 7.1).
    private BodyRead FailFrame() => FailConnection(Http3ErrorCode.FrameError);

    private BodyRead FailConnection(Http3ErrorCode error)
    {
        Abort(StreamResetReason.ProtocolError);
        _connection.Fail(error);
        return BodyRead.Failed(StreamResetReason.ProtocolError);
    }

    private BodyRead FailRead()
    {
        if (_readStopped)
        {
            return BodyRead.Failed(StreamResetReason.LocalReset);
        }

        lock (_gate)
        {
            return BodyRead.Failed(_abortReason == StreamResetReason.None ? StreamResetReason.RemoteReset : _abortReason);
        }
    }

    private void Abort(StreamResetReason reason)
    {
        IStreamAbortHandler? handler;
        lock (_gate)
        {
            if (_abortReason != StreamResetReason.None)
            {
                return;
            }

            _abortReason = reason;
            handler = _abortHandler;
            _abortHandler = null;
        }

        handler?.OnStreamAborted(reason);
    }

    private void WriteFieldSection(HeaderMap headers, ReadOnlySpan<byte> status)
    {
        _output.StartFrame(Http3FrameType.Headers);
        QpackEncoder.Start(_output);
        if (!status.IsEmpty)
        {
            QpackEncoder.Write(_output, KnownHeader.Status, KnownHeaders.NameOf(KnownHeader.Status), status);
        }

        foreach (var header in headers)
        {
            switch (header.Known)
            {
                case <= KnownHeader.Protocol and not KnownHeader.None:
                case KnownHeader.Connection or KnownHeader.KeepAlive or KnownHeader.ProxyConnection or KnownHeader.TransferEncoding or KnownHeader.Upgrade:
                case KnownHeader.Te when !header.Value.SequenceEqual("trailers"u8):
                case KnownHeader.ContentLength when status.IsEmpty || _isUpgrade:
                    continue;
                default:
                    QpackEncoder.Write(_output, header.Known, header.Name, header.Value);
                    break;
            }
        }

        _output.EndFrame();
    }

    // What waits, and then the data.
    [AsyncMethodBuilder(typeof(PooledBuilder))]
    private async ValueTask SendAsync(ReadOnlyMemory<byte> data, bool end)
    {
        var isSent = _output.Length == 0 || await _transport.WriteAsync(_output.Written, end && data.IsEmpty);
        if (isSent && (!data.IsEmpty || (end && _output.Length == 0)))
        {
            isSent = await _transport.WriteAsync(data, end);
        }

        _output.Clear();
        _isEndSent |= isSent && end;
        _writeFailed |= !isSent;
    }
}
