using System.Runtime.CompilerServices;
using Nuncio.DataPlane.Http.Http2.Hpack;
using Nuncio.DataPlane.Transport;

namespace Nuncio.DataPlane.Http.Http2;

/// <content>Output: frames are appended under the lock and sent by whoever finds no send going on.</content>
internal abstract partial class Http2Connection
{
    /// <summary>DATA is only appended while less than this waits: what slow readers cost.</summary>
    private const int OutputHighWater = 64 * 1024;

    /// <summary>So much is sent without waiting for a flush.</summary>
    private const int FlushThreshold = 16 * 1024;

    /// <summary>Every peer takes frames of this size; larger ones would only make streams wait longer for their turn.</summary>
    private const int MaxSentFrame = Http2Frames.DefaultMaxFrameSize;

    private readonly HpackEncoder _encoder = new();
    private readonly Action _onWritten;
    private Http2OutputBuffer _pending = new();
    private Http2OutputBuffer _inFlight = new();
    private ValueTaskAwaiter<bool> _writeAwaiter;
    private bool _writing;
    private bool _flushQueued;
    private bool _broken;
    private bool _shutdownWhenFlushed;
    private bool _settingsSent;
    private bool _endAnnounced;
    private bool _drainStarted;

    private long _sendWindow = Http2Frames.DefaultWindow;
    private int _peerInitialWindow = Http2Frames.DefaultWindow;
    private long _dataFramesSent;
    private Http2Stream? _firstQueued;
    private Http2Stream? _lastQueued;

    /// <summary>Writes body bytes; -1 when taken over completely, else the token of a wait.</summary>
    public int WriteData(Http2Stream stream, ReadOnlyMemory<byte> data, bool endStream, out StreamResetReason reason)
    {
        var token = -1;
        var mark = Http2Wakeups.Mark();
        bool flush, full;
        lock (Gate)
        {
            reason = stream.ResetReason;
            if (reason != StreamResetReason.None || stream.LocalEnded || (data.IsEmpty && !endStream))
            {
                return -1;
            }

            if (data.IsEmpty)
            {
                _pending.WriteFrameHeader(0, Http2FrameType.Data, Http2Frames.EndStream, stream.Id);
                EndLocally(stream);
            }
            else
            {
                // Behind those that wait already.
                while (_firstQueued is null && !data.IsEmpty && TrySendFrame(stream, ref data, endStream))
                {
                }

                if (data.IsEmpty)
                {
                    if (endStream)
                    {
                        EndLocally(stream);
                    }
                }
                else
                {
                    token = stream.WaitForWrite(data, endStream);
                    if (stream.SendWindow > 0)
                    {
                        Enqueue(stream);
                    }
                }
            }

            flush = endStream || token >= 0 || _pending.Length >= FlushThreshold;
            full = token >= 0 && _pending.Length >= OutputHighWater;
        }

        Http2Wakeups.Run(mark);
        if (full)
        {
            // The peer may take it all: what only the batch holds up is no reason to wait.
            FlushEarly();
        }
        else if (flush)
        {
            RequestFlush();
        }

        return token;
    }

    /// <summary>Sends what is buffered, at once or at the end of the thread's batch.</summary>
    public void RequestFlush()
    {
        lock (Gate)
        {
            if (_writing || _flushQueued || (_pending.Length == 0 && !_shutdownWhenFlushed))
            {
                return;
            }

            if (FlushBatch.IsOpen)
            {
                _flushQueued = true;
                FlushBatch.Add(this);
                return;
            }

            _writing = true;
        }

        WriteLoop();
    }

    /// <inheritdoc/>
    public void FlushNow()
    {
        lock (Gate)
        {
            _flushQueued = false;
            if (_writing || (_pending.Length == 0 && !_shutdownWhenFlushed))
            {
                return;
            }

            _writing = true;
        }

        WriteLoop();
    }

    /// <summary>Sends what is buffered although the thread's batch is not over; the connection stays in the batch.</summary>
    private void FlushEarly()
    {
        lock (Gate)
        {
            if (_writing || (_pending.Length == 0 && !_shutdownWhenFlushed))
            {
                return;
            }

            _writing = true;
        }

        WriteLoop();
    }

    /// <summary>Resets a stream with an error code; harmless when it is over.</summary>
    public void ResetStream(Http2Stream stream, Http2ErrorCode error, StreamResetReason reason)
    {
        var mark = Http2Wakeups.Mark();
        lock (Gate)
        {
            ResetLocked(stream, error, reason, false);
        }

        Http2Wakeups.Run(mark);
        RequestFlush();
    }

    /// <summary>Encodes a message's head or trailers; under the lock. The stream is open on the wire.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="headers">As the pipeline has them; not changed.</param>
    /// <param name="kind">Head or trailers.</param>
    /// <param name="endStream">Nothing follows.</param>
    /// <param name="upgrade">The exchange is an upgrade of HTTP/1.1, which goes as extended CONNECT (RFC 8441).</param>
    protected void WriteHeaderBlock(Http2Stream stream, HeaderMap headers, Http2BlockKind kind, bool endStream, bool upgrade)
    {
        var start = _pending.Length;
        _pending.EnsureSpace(Http2Frames.HeaderLength + headers.ByteSize + (headers.Count * 8));
        _pending.Advance(Http2Frames.HeaderLength);
        _encoder.StartBlock(_pending);
        if (kind == Http2BlockKind.Response)
        {
            // What HTTP/1.1 switches protocols with is a plain success here.
            WritePseudo(KnownHeader.Status, upgrade && headers.Status == 101 ? "200"u8 : headers.Get(KnownHeader.Status));
        }
        else if (kind == Http2BlockKind.Request)
        {
            // CONNECT without an upgrade goes as Envoy sends it, with a protocol and a path, to whoever takes that; otherwise as RFC 9113 section 8.5 has it.
            var connect = !upgrade && headers.Get(KnownHeader.Method).SequenceEqual("CONNECT"u8);
            var bare = connect && PeerSettingsSeen && !PeerAllowsConnectProtocol;
            WritePseudo(KnownHeader.Method, upgrade ? "CONNECT"u8 : headers.Get(KnownHeader.Method));
            WritePseudo(KnownHeader.Scheme, bare ? default : headers.Get(KnownHeader.Scheme));
            WritePseudo(KnownHeader.Authority, headers.Get(KnownHeader.Authority));
            WritePseudo(KnownHeader.Path, bare ? default : connect && !headers.Contains(KnownHeader.Path) ? "/"u8 : headers.Get(KnownHeader.Path));
            WritePseudo(KnownHeader.Protocol, bare ? default : connect ? "bytestream"u8 : headers.Get(upgrade ? KnownHeader.Upgrade : KnownHeader.Protocol));
        }

        foreach (var header in headers)
        {
            switch (header.Known)
            {
                case <= KnownHeader.Protocol and not KnownHeader.None:
                case KnownHeader.Connection or KnownHeader.KeepAlive or KnownHeader.ProxyConnection or KnownHeader.TransferEncoding or KnownHeader.Upgrade:
                case KnownHeader.Host when kind == Http2BlockKind.Request && headers.Contains(KnownHeader.Authority):
                case KnownHeader.Te when !header.Value.SequenceEqual("trailers"u8):
                case KnownHeader.ContentLength when kind == Http2BlockKind.Trailers || upgrade:
                    continue;
                case KnownHeader.None when header.Name.SequenceEqual("http2-settings"u8):
                    continue;
                default:
                    _encoder.Write(_pending, header.Known, header.Name, header.Value);
                    break;
            }
        }

        FinishHeaderBlock(stream.Id, start, endStream);
        if (endStream)
        {
            EndLocally(stream);
        }
    }

    /// <summary>A stream's last frame is written; under the lock.</summary>
    protected void EndLocally(Http2Stream stream)
    {
        stream.LocalEnded = true;
        if (stream.RemoteEnded)
        {
            Close(stream, false);
        }
    }

    /// <summary>Puts a stream among the open ones; under the lock.</summary>
    protected void Open(Http2Stream stream, int id)
    {
        stream.Open(id, _peerInitialWindow, Options.InitialStreamWindowSize);
        Options.Metrics?.StreamsActive.Increment();
        Streams.Add(id, stream);
        if (OpenedStreams++ == 0 && _endAnnounced)
        {
            WriteAnnouncement();
        }
    }

    /// <summary>Ends a stream from our side with RST_STREAM; under the lock.</summary>
    protected void ResetLocked(Http2Stream stream, Http2ErrorCode error, StreamResetReason reason, bool tellHandler)
    {
        if (!stream.IsOpen)
        {
            EndEarly(stream, reason, tellHandler);
            return;
        }

        WriteReset(stream.Id, error);
        Close(stream, true);
        EndEarly(stream, reason, tellHandler);
    }

    /// <summary>Writes RST_STREAM; under the lock.</summary>
    protected void WriteReset(int streamId, Http2ErrorCode error)
    {
        Options.Metrics?.SentReset.Increment();
        _pending.WriteNumberFrame(Http2FrameType.RstStream, streamId, (uint)error);
    }

    /// <summary>Removes a stream from the open ones; under the lock.</summary>
    protected void Close(Http2Stream stream, bool resetByUs)
    {
        if (stream.IsOpen)
        {
            stream.IsOpen = false;
            Options.Metrics?.StreamsActive.Decrement();
            Streams.Remove(stream.Id);
            _closedStreams.Add(stream.Id, resetByUs);
            OnClosing(stream);
            Http2Wakeups.AddClosed(stream);
        }
    }

    /// <summary>A stream leaves the open ones; under the lock.</summary>
    protected virtual void OnClosing(Http2Stream stream)
    {
    }

    /// <summary>Wakes everybody who waits at a stream that ended early; under the lock.</summary>
    protected void EndEarly(Http2Stream stream, StreamResetReason reason, bool tellHandler)
    {
        if (stream.ResetReason != StreamResetReason.None || (stream.RemoteEnded && stream.LocalEnded))
        {
            return;
        }

        stream.ResetReason = reason;
        if (!stream.RemoteEnded)
        {
            Credit(stream.Discard());
        }

        if (stream.ReadWaiting)
        {
            stream.WakeRead(BodyRead.Failed(reason));
        }

        if (stream.HeadersWaiting)
        {
            stream.WakeHeaders(new ClientHeadersRead(true, reason));
        }

        if (stream.WriteWaiting)
        {
            if (stream.IsQueued)
            {
                Unqueue(stream);
            }

            stream.WakeWrite(reason);
        }

        if (tellHandler)
        {
            ScheduleAbort(stream, reason);
        }
    }

    /// <summary>Schedules the abort handler of a stream, if it has one; under the lock.</summary>
    protected virtual void ScheduleAbort(Http2Stream stream, StreamResetReason reason)
    {
    }

    /// <summary>More may be sent now: on with those who wait, in turn, a frame each; under the lock.</summary>
    private void Pump()
    {
        while (_firstQueued is { } stream && _sendWindow > 0 && _pending.Length < OutputHighWater)
        {
            Unqueue(stream);
            var rest = stream.WriteRest;
            if (TrySendFrame(stream, ref rest, stream.WriteEnds))
            {
                stream.WriteRest = rest;
            }

            if (rest.IsEmpty)
            {
                var ends = stream.WriteEnds;
                stream.WakeWrite(StreamResetReason.None);
                if (ends)
                {
                    EndLocally(stream);
                }
            }
            else if (stream.SendWindow > 0)
            {
                Enqueue(stream);
            }
        }
    }

    private bool TrySendFrame(Http2Stream stream, ref ReadOnlyMemory<byte> data, bool endStream)
    {
        var length = (int)Math.Min(Math.Min(stream.SendWindow, _sendWindow), Math.Min(data.Length, MaxSentFrame));
        if (length <= 0 || _pending.Length >= OutputHighWater)
        {
            return false;
        }

        stream.SendWindow -= length;
        _sendWindow -= length;
        _dataFramesSent++;
        var last = endStream && length == data.Length;
        _pending.EnsureSpace(length + Http2Frames.HeaderLength);
        _pending.WriteFrameHeader(length, Http2FrameType.Data, last ? Http2Frames.EndStream : (byte)0, stream.Id);
        data.Span[..length].CopyTo(_pending.Space(length));
        _pending.Advance(length);
        data = data[length..];
        return true;
    }

    private void Enqueue(Http2Stream stream)
    {
        stream.IsQueued = true;
        stream.NextQueued = null;
        if (_lastQueued is null)
        {
            _firstQueued = stream;
        }
        else
        {
            _lastQueued.NextQueued = stream;
        }

        _lastQueued = stream;
    }

    private void Unqueue(Http2Stream stream)
    {
        Http2Stream? previous = null;
        var found = _firstQueued;
        while (found != stream)
        {
            previous = found;
            found = found!.NextQueued;
        }

        if (previous is null)
        {
            _firstQueued = stream.NextQueued;
        }
        else
        {
            previous.NextQueued = stream.NextQueued;
        }

        if (_lastQueued == stream)
        {
            _lastQueued = previous;
        }

        stream.NextQueued = null;
        stream.IsQueued = false;
    }

    private void WritePseudo(KnownHeader known, ReadOnlySpan<byte> value)
    {
        if (!value.IsEmpty)
        {
            _encoder.Write(_pending, known, KnownHeaders.NameOf(known), value);
        }
    }

    private void FinishHeaderBlock(int streamId, int start, bool endStream)
    {
        var flags = endStream ? Http2Frames.EndStream : (byte)0;
        var length = _pending.Length - start - Http2Frames.HeaderLength;
        if (length <= MaxSentFrame)
        {
            _pending.SetFrameHeader(start, length, Http2FrameType.Headers, (byte)(flags | Http2Frames.EndHeaders), streamId);
            return;
        }

        _pending.SetFrameHeader(start, MaxSentFrame, Http2FrameType.Headers, flags, streamId);
        var at = start + Http2Frames.HeaderLength + MaxSentFrame;
        for (var left = length - MaxSentFrame; left > 0; left -= MaxSentFrame)
        {
            var part = Math.Min(left, MaxSentFrame);
            _pending.InsertFrameHeader(at, part, Http2FrameType.Continuation, part == left ? Http2Frames.EndHeaders : (byte)0, streamId);
            at += Http2Frames.HeaderLength + part;
        }
    }

    // Whether the peer makes us hold more frames than is reasonable: it sends what has to be answered and does not read the answers.
    private bool IsOutputFlooded => _pending.Frames + _inFlight.Frames > Options.MaxOutboundFrames
        || _pending.ControlFrames + _inFlight.ControlFrames > Options.MaxOutboundControlFrames;

    private void WriteLoop()
    {
        while (true)
        {
            var mark = Http2Wakeups.Mark();
            if (!TakePending(out var shutdown))
            {
                if (shutdown)
                {
                    ShutdownWrite();
                }

                return;
            }

            var write = Transport.WriteAsync(_inFlight.Written).GetAwaiter();
            Http2Wakeups.Run(mark);
            if (!write.IsCompleted)
            {
                _writeAwaiter = write;
                write.UnsafeOnCompleted(_onWritten);
                return;
            }

            if (!write.GetResult())
            {
                OnWriteFailed();
            }
        }
    }

    // What was in flight is sent; what was gathered meanwhile is next. False ends the sending, until somebody flushes again.
    private bool TakePending(out bool shutdown)
    {
        shutdown = false;
        lock (Gate)
        {
            _inFlight.Clear(OutputHighWater * 2);
            if (_pending.Length > 0 && !_broken)
            {
                (_pending, _inFlight) = (_inFlight, _pending);
                Pump();
                return true;
            }

            _writing = false;
            shutdown = _shutdownWhenFlushed && !_broken;
            _shutdownWhenFlushed = false;
            if (Streams.Count == 0 || _broken)
            {
                _inFlight.Release();
                _pending.Release();
            }

            return false;
        }
    }

    private void OnWritten()
    {
        if (!_writeAwaiter.GetResult())
        {
            OnWriteFailed();
        }

        WriteLoop();
    }

    private void OnWriteFailed()
    {
        lock (Gate)
        {
            _broken = true;
        }

        // The reader notices, and ends the streams.
        Transport.Abort();
    }

    private void ShutdownWrite()
    {
        lock (Gate)
        {
            if (_closing)
            {
                _lingerTimer?.Change(IdleLingerTime, Timeout.InfiniteTimeSpan);
            }
        }

        var shutdown = Transport.ShutdownWriteAsync();
        if (!shutdown.IsCompletedSuccessfully)
        {
            _ = shutdown.AsTask();
        }
    }
}
