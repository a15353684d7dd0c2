using System.Buffers;
using System.Buffers.Binary;
using Nuncio.DataPlane.Http.Http2.Hpack;
using Nuncio.DataPlane.Transport;

namespace Nuncio.DataPlane.Http.Http2;

/// <content>Input: frames as they come, each checked by RFC 9113 section 6; and what is too much of them.</content>
internal abstract partial class Http2Connection
{
    /// <summary>A block that large headers fill needs 4; tiny pieces are an attack.</summary>
    private const int MaxContinuations = 16;

    private readonly HpackDecoder _decoder;
    private readonly Http2ClosedStreams _closedStreams = new();
    private int _prefaceSeen;
    private bool _settingsSeen;
    private bool _failed;

    /// <summary>The peer broke the protocol, and the connection ended for it.</summary>
    public bool IsFailed => _failed;

    private int _receiveWindow;
    private int _unacknowledged;

    private byte[] _block = [];
    private int _blockLength;
    private int _blockStream;
    private int _blockContinuations;
    private bool _blockEndsStream;
    private bool _blockDependsOnItself;

    private int _emptyFrames;
    private long _priorityFrames;
    private long _windowUpdates;

    /// <summary>The peer's SETTINGS_MAX_CONCURRENT_STREAMS; -1 before it says.</summary>
    protected long PeerMaxConcurrentStreams { get; private set; } = -1;

    /// <summary>The peer's first SETTINGS have come.</summary>
    protected bool PeerSettingsSeen { get; private set; }

    /// <summary>The peer takes extended CONNECT (RFC 8441).</summary>
    protected bool PeerAllowsConnectProtocol { get; private set; }

    /// <summary>Decodes a block into a map, or only for the sake of the table when that is null.</summary>
    protected bool TryDecode(ReadOnlySpan<byte> block, HeaderMap? map, Http2BlockKind kind, out Http2BlockOutcome outcome)
    {
        HeaderReader.Start(map, kind);
        var decoded = _decoder.Decode(block, HeaderReader);
        outcome = HeaderReader.Finish(Options.AllowConnect);
        return decoded;
    }

    /// <summary>The next piece of a stream's body.</summary>
    public ValueTask<BodyRead> ReadBodyAsync(Http2Stream stream)
    {
        bool flush;
        ValueTask<BodyRead> read;
        lock (Gate)
        {
            flush = Acknowledge(stream, stream.Consume());
            if (stream.ReadStopped)
            {
                read = new ValueTask<BodyRead>(BodyRead.Failed(StreamResetReason.LocalReset));
            }
            else if (stream.ResetReason != StreamResetReason.None && !stream.RemoteEnded)
            {
                read = new ValueTask<BodyRead>(BodyRead.Failed(stream.ResetReason));
            }
            else if (stream.HasReceived)
            {
                read = new ValueTask<BodyRead>(stream.Take());
            }
            else
            {
                read = stream.RemoteEnded ? new ValueTask<BodyRead>(BodyRead.End) : stream.WaitForRead();
            }
        }

        if (flush)
        {
            RequestFlush();
        }

        return read;
    }

    /// <summary>Ends a stream's reads; what comes on it is thrown away. Its peer may go on to send within the window.</summary>
    public void StopReading(Http2Stream stream)
    {
        var mark = Http2Wakeups.Mark();
        bool flush;
        lock (Gate)
        {
            stream.ReadStopped = true;
            flush = Credit(stream.Discard());
            if (stream.ReadWaiting)
            {
                stream.WakeRead(BodyRead.Failed(StreamResetReason.LocalReset));
            }
        }

        Http2Wakeups.Run(mark);
        if (flush)
        {
            RequestFlush();
        }
    }

    /// <summary>Gives up what a stream received and its reader will not read; under the lock. The reader has nothing in its hands any more.</summary>
    protected void DropReceived(Http2Stream stream)
    {
        Credit(stream.Consume() + stream.Discard());
    }

    /// <summary>A message without the body that its Content-Length says, or over it.</summary>
    protected static bool IsLengthWrong(Http2Stream stream, bool ended) => stream.ExpectedLength >= 0
        && (stream.ReceivedLength > stream.ExpectedLength || (ended && stream.ReceivedLength != stream.ExpectedLength));

    /// <summary>The peer's END_STREAM; under the lock.</summary>
    protected void EndRemotely(Http2Stream stream)
    {
        stream.RemoteEnded = true;
        if (stream.ReadWaiting)
        {
            stream.WakeRead(stream.HasReceived ? stream.Take() : BodyRead.End);
        }

        if (stream.LocalEnded)
        {
            Close(stream, false);
        }
    }

    /// <summary>What a malformed message costs: its stream or the connection; under the lock.</summary>
    protected Http2ErrorCode FailMessage(int streamId, Http2Stream? stream)
    {
        Options.Metrics?.ReceivedMessagingError.Increment();
        if (!Options.StreamErrorOnInvalidHttpMessage)
        {
            return Http2ErrorCode.ProtocolError;
        }

        FailStream(streamId, stream, Http2ErrorCode.ProtocolError);
        return Http2ErrorCode.NoError;
    }

    /// <summary>A stream error (RFC 9113 section 5.4.2); under the lock.</summary>
    protected void FailStream(int streamId, Http2Stream? stream, Http2ErrorCode error)
    {
        if (stream is null)
        {
            WriteReset(streamId, error);
            _closedStreams.Add(streamId, true);
            return;
        }

        ResetLocked(stream, error, StreamResetReason.ProtocolError, true);
    }

    /// <summary>What a header block on a stream that is not open means; the block is decoded already.</summary>
    protected Http2ErrorCode OnBlockOfClosedStream(int streamId)
    {
        if (_closedStreams.MayHaveBeenResetByUs(streamId))
        {
            return Http2ErrorCode.NoError;
        }

        return _closedStreams.Contains(streamId) ? Http2ErrorCode.StreamClosed : Http2ErrorCode.ProtocolError;
    }

    /// <summary>Counts a frame that carries nothing; false when there are too many.</summary>
    private bool CountEmpty(int length, bool endStream)
    {
        _emptyFrames = length == 0 && !endStream ? _emptyFrames + 1 : 0;
        if (_emptyFrames <= Options.MaxConsecutiveInboundFramesWithEmptyPayload)
        {
            return true;
        }

        Options.Metrics?.InboundEmptyFramesFlood.Increment();
        return false;
    }

    // Connection-level credit for consumed bytes; under the lock. True when a WINDOW_UPDATE was written.
    private bool Credit(int consumed)
    {
        _unacknowledged += consumed;
        if (_unacknowledged == 0 || _unacknowledged < Options.InitialConnectionWindowSize / 2 || IsTerminated)
        {
            return false;
        }

        _pending.WriteNumberFrame(Http2FrameType.WindowUpdate, 0, (uint)_unacknowledged);
        _receiveWindow += _unacknowledged;
        _unacknowledged = 0;
        return true;
    }

    private bool Acknowledge(Http2Stream stream, int consumed)
    {
        if (consumed == 0)
        {
            return false;
        }

        var written = Credit(consumed);
        stream.Unacknowledged += consumed;
        if (stream.IsOpen && !stream.RemoteEnded && stream.Unacknowledged >= Options.InitialStreamWindowSize / 2)
        {
            _pending.WriteNumberFrame(Http2FrameType.WindowUpdate, stream.Id, (uint)stream.Unacknowledged);
            stream.ReceiveWindow += stream.Unacknowledged;
            stream.Unacknowledged = 0;
            written = true;
        }

        return written;
    }

    /// <summary>Handles whole frames; false when the connection has to end.</summary>
    private bool HandleInput(ReadOnlySpan<byte> input, out int consumed)
    {
        FlushBatch.Enter();
        try
        {
            consumed = 0;
            if (_isServer && _prefaceSeen < Http2Frames.Preface.Length)
            {
                var length = Math.Min(input.Length, Http2Frames.Preface.Length - _prefaceSeen);
                if (!input[..length].SequenceEqual(Http2Frames.Preface.Slice(_prefaceSeen, length)))
                {
                    Fail(Http2ErrorCode.ProtocolError);
                    return false;
                }

                _prefaceSeen += length;
                consumed = length;
            }

            while (input.Length - consumed >= Http2Frames.HeaderLength)
            {
                var frame = input[consumed..];
                var word = BinaryPrimitives.ReadUInt32BigEndian(frame);
                var length = (int)(word >> 8);
                var streamId = BinaryPrimitives.ReadInt32BigEndian(frame[5..]) & int.MaxValue;
                if (length > Http2Frames.DefaultMaxFrameSize)
                {
                    Fail(Http2ErrorCode.FrameSizeError);
                    return false;
                }

                if (frame.Length < Http2Frames.HeaderLength + length)
                {
                    break;
                }

                var error = HandleFrame((Http2FrameType)(byte)word, frame[4], streamId, frame.Slice(Http2Frames.HeaderLength, length));
                if (error != Http2ErrorCode.NoError)
                {
                    Fail(error);
                    return false;
                }

                consumed += Http2Frames.HeaderLength + length;
                if (!KeepOutputBounded())
                {
                    return false;
                }
            }

            return !IsTerminated;
        }
        finally
        {
            FlushBatch.Exit();
        }
    }

    private bool KeepOutputBounded()
    {
        // This thread's batch holds back what could be sent already.
        if (_pending.ControlFrames > Options.MaxOutboundControlFrames / 4 || _pending.Length > OutputHighWater)
        {
            FlushEarly();
        }

        if (!IsOutputFlooded)
        {
            return true;
        }

        lock (Gate)
        {
            _broken = true;
            (_pending.ControlFrames + _inFlight.ControlFrames > Options.MaxOutboundControlFrames
                ? Options.Metrics?.OutboundControlFlood : Options.Metrics?.OutboundFlood)?.Increment();
        }

        Terminate(StreamResetReason.ProtocolError);
        Transport.Abort();
        return false;
    }

    private void Fail(Http2ErrorCode error)
    {
        lock (Gate)
        {
            _failed = true;
            SendFinalGoAway(error);
        }

        Terminate(StreamResetReason.ProtocolError);
    }

    private Http2ErrorCode HandleFrame(Http2FrameType type, byte flags, int streamId, ReadOnlySpan<byte> payload)
    {
        if (_blockStream != 0 && (type != Http2FrameType.Continuation || streamId != _blockStream))
        {
            return Http2ErrorCode.ProtocolError;
        }

        if (!_settingsSeen)
        {
            if (type != Http2FrameType.Settings || (flags & Http2Frames.Acknowledgement) != 0)
            {
                return Http2ErrorCode.ProtocolError;
            }

            _settingsSeen = true;
        }

        return type switch
        {
            Http2FrameType.Data => OnData(streamId, flags, payload),
            Http2FrameType.Headers => OnHeaders(streamId, flags, payload),
            Http2FrameType.Priority => OnPriority(streamId, payload),
            Http2FrameType.RstStream => OnRstStream(streamId, payload),
            Http2FrameType.Settings => OnSettings(streamId, flags, payload),
            Http2FrameType.PushPromise => Http2ErrorCode.ProtocolError, // clients never may, and we told servers not to
            Http2FrameType.Ping => OnPing(streamId, flags, payload),
            Http2FrameType.GoAway => OnGoAwayFrame(streamId, payload),
            Http2FrameType.WindowUpdate => OnWindowUpdate(streamId, payload),
            Http2FrameType.Continuation => OnContinuation(streamId, flags, payload),
            _ => Http2ErrorCode.NoError,
        };
    }

    private Http2ErrorCode OnData(int streamId, byte flags, ReadOnlySpan<byte> payload)
    {
        var length = payload.Length;
        var endStream = (flags & Http2Frames.EndStream) != 0;
        if (streamId == 0 || IsIdleStream(streamId))
        {
            return Http2ErrorCode.ProtocolError;
        }

        var error = StripPadding(flags, ref payload);
        if (error != Http2ErrorCode.NoError)
        {
            return error;
        }

        if (!CountEmpty(payload.Length, endStream))
        {
            return Http2ErrorCode.EnhanceYourCalm;
        }

        var mark = Http2Wakeups.Mark();
        lock (Gate)
        {
            error = OnData(streamId, payload, length, endStream);
        }

        Http2Wakeups.Run(mark);
        RequestFlush();
        return error;
    }

    private Http2ErrorCode OnData(int streamId, ReadOnlySpan<byte> data, int frameLength, bool endStream)
    {
        if (frameLength > _receiveWindow)
        {
            return Http2ErrorCode.FlowControlError;
        }

        _receiveWindow -= frameLength;
        if (!Streams.TryGetValue(streamId, out var stream) || stream.RemoteEnded)
        {
            Credit(frameLength);
            if (stream is not null || !_closedStreams.MayHaveBeenResetByUs(streamId))
            {
                FailStream(streamId, stream, Http2ErrorCode.StreamClosed);
            }

            return Http2ErrorCode.NoError;
        }

        if (frameLength > stream.ReceiveWindow)
        {
            Credit(frameLength);
            FailStream(streamId, stream, Http2ErrorCode.FlowControlError);
            return Http2ErrorCode.NoError;
        }

        stream.ReceiveWindow -= frameLength;
        stream.ReceivedLength += data.Length;
        if (IsLengthWrong(stream, endStream) || !MayReceiveData(stream))
        {
            Credit(frameLength);
            if (!_isServer)
            {
                return FailMessage(streamId, stream);
            }

            // A body of another length concerns its request alone, in Envoy too; what else comes on the connection is well.
            FailStream(streamId, stream, Http2ErrorCode.ProtocolError);
            return Http2ErrorCode.NoError;
        }

        if (frameLength > data.Length)
        {
            Acknowledge(stream, frameLength - data.Length);
        }

        if (stream.ReadStopped)
        {
            Credit(data.Length);
        }
        else
        {
            stream.Store(data);
        }

        OnReceived(stream, data.Length);
        if (endStream)
        {
            EndRemotely(stream);
        }
        else if (stream.ReadWaiting && stream.HasReceived)
        {
            stream.WakeRead(stream.Take());
        }

        return Http2ErrorCode.NoError;
    }

    /// <summary>Whether DATA may come now; under the lock.</summary>
    protected virtual bool MayReceiveData(Http2Stream stream) => true;

    /// <summary>Body bytes were received; under the lock.</summary>
    protected abstract void OnReceived(Http2Stream stream, int length);

    private static Http2ErrorCode StripPadding(byte flags, ref ReadOnlySpan<byte> payload)
    {
        if ((flags & Http2Frames.Padded) == 0)
        {
            return Http2ErrorCode.NoError;
        }

        if (payload.IsEmpty)
        {
            return Http2ErrorCode.FrameSizeError;
        }

        int padding = payload[0];
        if (padding >= payload.Length)
        {
            return Http2ErrorCode.ProtocolError;
        }

        payload = payload[1..^padding];
        return Http2ErrorCode.NoError;
    }

    private Http2ErrorCode OnHeaders(int streamId, byte flags, ReadOnlySpan<byte> payload)
    {
        if (streamId == 0)
        {
            return Http2ErrorCode.ProtocolError;
        }

        var error = StripPadding(flags, ref payload);
        if (error != Http2ErrorCode.NoError)
        {
            return error;
        }

        var dependsOnItself = false;
        if ((flags & Http2Frames.PriorityFlag) != 0)
        {
            if (payload.Length < 5)
            {
                return Http2ErrorCode.FrameSizeError;
            }

            dependsOnItself = (BinaryPrimitives.ReadInt32BigEndian(payload) & int.MaxValue) == streamId;
            payload = payload[5..];
        }

        var endStream = (flags & Http2Frames.EndStream) != 0;
        if ((flags & Http2Frames.EndHeaders) != 0)
        {
            return CountEmpty(payload.Length, endStream) ? OnHeaderBlock(streamId, payload, endStream, dependsOnItself) : Http2ErrorCode.EnhanceYourCalm;
        }

        _blockStream = streamId;
        _blockEndsStream = endStream;
        _blockDependsOnItself = dependsOnItself;
        _blockContinuations = 0;
        return AddToBlock(payload);
    }

    private Http2ErrorCode OnContinuation(int streamId, byte flags, ReadOnlySpan<byte> payload)
    {
        if (_blockStream == 0)
        {
            return Http2ErrorCode.ProtocolError;
        }

        var error = ++_blockContinuations > MaxContinuations ? Http2ErrorCode.EnhanceYourCalm : AddToBlock(payload);
        if (error != Http2ErrorCode.NoError || (flags & Http2Frames.EndHeaders) == 0)
        {
            return error;
        }

        error = OnHeaderBlock(streamId, _block.AsSpan(0, _blockLength), _blockEndsStream, _blockDependsOnItself);
        ReturnBlock();
        return error;
    }

    private Http2ErrorCode AddToBlock(ReadOnlySpan<byte> part)
    {
        if (!CountEmpty(part.Length, false) || _blockLength + part.Length > Options.MaxHeaderBytes + Http2Frames.DefaultMaxFrameSize)
        {
            return Http2ErrorCode.EnhanceYourCalm;
        }

        if (_block.Length < _blockLength + part.Length)
        {
            var bigger = ArrayPool<byte>.Shared.Rent(Math.Max(_block.Length * 2, _blockLength + part.Length));
            _block.AsSpan(0, _blockLength).CopyTo(bigger);
            if (_block.Length > 0)
            {
                ArrayPool<byte>.Shared.Return(_block);
            }

            _block = bigger;
        }

        part.CopyTo(_block.AsSpan(_blockLength));
        _blockLength += part.Length;
        return Http2ErrorCode.NoError;
    }

    private void ReturnBlock()
    {
        if (_block.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_block);
            _block = [];
        }

        _blockStream = _blockLength = 0;
    }

    private Http2ErrorCode OnPriority(int streamId, ReadOnlySpan<byte> payload)
    {
        if (streamId == 0)
        {
            return Http2ErrorCode.ProtocolError;
        }

        if (++_priorityFrames > Options.MaxInboundPriorityFramesPerStream * (1 + OpenedStreams))
        {
            Options.Metrics?.InboundPriorityFramesFlood.Increment();
            return Http2ErrorCode.EnhanceYourCalm;
        }

        var error = payload.Length != 5 ? Http2ErrorCode.FrameSizeError
            : (BinaryPrimitives.ReadInt32BigEndian(payload) & int.MaxValue) == streamId ? Http2ErrorCode.ProtocolError
            : Http2ErrorCode.NoError;
        if (error == Http2ErrorCode.NoError)
        {
            return error;
        }

        // A stream error; on a stream that is idle there is nothing to reset, so it costs the connection.
        if (IsIdleStream(streamId))
        {
            return error;
        }

        var mark = Http2Wakeups.Mark();
        lock (Gate)
        {
            FailStream(streamId, Streams.GetValueOrDefault(streamId), error);
        }

        Http2Wakeups.Run(mark);
        RequestFlush();
        return Http2ErrorCode.NoError;
    }

    private Http2ErrorCode OnRstStream(int streamId, ReadOnlySpan<byte> payload)
    {
        if (payload.Length != 4)
        {
            return Http2ErrorCode.FrameSizeError;
        }

        if (streamId == 0 || IsIdleStream(streamId))
        {
            return Http2ErrorCode.ProtocolError;
        }

        var code = (Http2ErrorCode)BinaryPrimitives.ReadUInt32BigEndian(payload);
        var error = Http2ErrorCode.NoError;
        var mark = Http2Wakeups.Mark();
        lock (Gate)
        {
            Options.Metrics?.ReceivedReset.Increment();
            if (Streams.TryGetValue(streamId, out var stream))
            {
                Close(stream, false);
                EndEarly(stream, ResetReason(code), true);
                error = OnRemoteReset(stream);
            }
        }

        Http2Wakeups.Run(mark);
        return error;
    }

    private static StreamResetReason ResetReason(Http2ErrorCode code) => code switch
    {
        Http2ErrorCode.RefusedStream => StreamResetReason.RemoteRefusedStream,
        Http2ErrorCode.ProtocolError => StreamResetReason.RemoteProtocolError,
        _ => StreamResetReason.RemoteReset,
    };

    private Http2ErrorCode OnSettings(int streamId, byte flags, ReadOnlySpan<byte> payload)
    {
        if (streamId != 0)
        {
            return Http2ErrorCode.ProtocolError;
        }

        if ((flags & Http2Frames.Acknowledgement) != 0)
        {
            return payload.IsEmpty ? Http2ErrorCode.NoError : Http2ErrorCode.FrameSizeError;
        }

        if (payload.Length % 6 != 0)
        {
            return Http2ErrorCode.FrameSizeError;
        }

        var mark = Http2Wakeups.Mark();
        var error = Http2ErrorCode.NoError;
        lock (Gate)
        {
            for (; payload.Length > 0 && error == Http2ErrorCode.NoError; payload = payload[6..])
            {
                error = OnSetting((Http2Setting)BinaryPrimitives.ReadUInt16BigEndian(payload), BinaryPrimitives.ReadUInt32BigEndian(payload[2..]));
            }

            if (error == Http2ErrorCode.NoError)
            {
                PeerSettingsSeen = true;
                _pending.WriteFrameHeader(0, Http2FrameType.Settings, Http2Frames.Acknowledgement, 0);
                Pump();
            }
        }

        Http2Wakeups.Run(mark);
        if (error == Http2ErrorCode.NoError)
        {
            OnPeerSettings();
        }

        RequestFlush();
        return error;
    }

    private Http2ErrorCode OnSetting(Http2Setting setting, uint value)
    {
        switch (setting)
        {
            case Http2Setting.HeaderTableSize:
                _encoder.SetPeerLimit(value);
                return Http2ErrorCode.NoError;
            case Http2Setting.EnablePush:
                return value > 1 || (!_isServer && value != 0) ? Http2ErrorCode.ProtocolError : Http2ErrorCode.NoError;
            case Http2Setting.MaxConcurrentStreams:
                PeerMaxConcurrentStreams = value;
                return Http2ErrorCode.NoError;
            case Http2Setting.InitialWindowSize:
                return value > Http2Frames.MaxWindow || !SetPeerInitialWindow((int)value) ? Http2ErrorCode.FlowControlError : Http2ErrorCode.NoError;
            case Http2Setting.MaxFrameSize:
                return value is < 16384 or > 16777215 ? Http2ErrorCode.ProtocolError : Http2ErrorCode.NoError;
            case Http2Setting.EnableConnectProtocol:
                PeerAllowsConnectProtocol = value == 1;
                return value > 1 ? Http2ErrorCode.ProtocolError : Http2ErrorCode.NoError;
            default:
                return Http2ErrorCode.NoError;
        }
    }

    // RFC 9113 section 6.9.2: the difference applies to all open streams, whose windows may become negative.
    private bool SetPeerInitialWindow(int window)
    {
        var difference = (long)window - _peerInitialWindow;
        _peerInitialWindow = window;
        foreach (var stream in Streams.Values)
        {
            stream.SendWindow += difference;
            if (stream.SendWindow > Http2Frames.MaxWindow)
            {
                return false;
            }

            QueueIfSendable(stream);
        }

        return true;
    }

    private void QueueIfSendable(Http2Stream stream)
    {
        if (stream.WriteWaiting && !stream.IsQueued && stream.SendWindow > 0)
        {
            Enqueue(stream);
        }
    }

    private Http2ErrorCode OnPing(int streamId, byte flags, ReadOnlySpan<byte> payload)
    {
        if (streamId != 0)
        {
            return Http2ErrorCode.ProtocolError;
        }

        if (payload.Length != 8)
        {
            return Http2ErrorCode.FrameSizeError;
        }

        var value = BinaryPrimitives.ReadUInt64BigEndian(payload);
        lock (Gate)
        {
            if ((flags & Http2Frames.Acknowledgement) == 0)
            {
                _pending.WritePing(value, true);
            }
            else if (value == DrainPing && (_drainStarted || _endAnnounced))
            {
                SendFinalGoAway(Http2ErrorCode.NoError);
            }
            else if (value == KeepalivePing && _keepaliveOutstanding && Options.KeepaliveInterval is { } interval)
            {
                _keepaliveOutstanding = false;
                _keepaliveTimer?.Change(interval, Timeout.InfiniteTimeSpan);
            }
        }

        CloseIfDone();
        RequestFlush();
        return Http2ErrorCode.NoError;
    }

    private Http2ErrorCode OnGoAwayFrame(int streamId, ReadOnlySpan<byte> payload)
    {
        if (streamId != 0)
        {
            return Http2ErrorCode.ProtocolError;
        }

        if (payload.Length < 8)
        {
            return Http2ErrorCode.FrameSizeError;
        }

        OnGoAway(BinaryPrimitives.ReadInt32BigEndian(payload) & int.MaxValue);
        return Http2ErrorCode.NoError;
    }

    private Http2ErrorCode OnWindowUpdate(int streamId, ReadOnlySpan<byte> payload)
    {
        if (payload.Length != 4)
        {
            return Http2ErrorCode.FrameSizeError;
        }

        if (IsIdleStream(streamId) && streamId != 0)
        {
            return Http2ErrorCode.ProtocolError;
        }

        var increment = BinaryPrimitives.ReadInt32BigEndian(payload) & int.MaxValue;
        var error = Http2ErrorCode.NoError;
        var mark = Http2Wakeups.Mark();
        lock (Gate)
        {
            if (++_windowUpdates > 5 + (2 * (OpenedStreams + (Options.MaxInboundWindowUpdateFramesPerDataFrameSent * _dataFramesSent))))
            {
                Options.Metrics?.InboundWindowUpdateFramesFlood.Increment();
                return Http2ErrorCode.EnhanceYourCalm;
            }

            if (streamId == 0)
            {
                _sendWindow += increment;
                error = increment == 0 ? Http2ErrorCode.ProtocolError
                    : _sendWindow > Http2Frames.MaxWindow ? Http2ErrorCode.FlowControlError
                    : Http2ErrorCode.NoError;
            }
            else if (Streams.TryGetValue(streamId, out var stream))
            {
                stream.SendWindow += increment;
                if (increment == 0 || stream.SendWindow > Http2Frames.MaxWindow)
                {
                    FailStream(streamId, stream, increment == 0 ? Http2ErrorCode.ProtocolError : Http2ErrorCode.FlowControlError);
                }
                else
                {
                    QueueIfSendable(stream);
                }
            }

            Pump();
        }

        Http2Wakeups.Run(mark);
        RequestFlush();
        return error;
    }
}
