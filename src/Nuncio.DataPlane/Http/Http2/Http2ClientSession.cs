using Nuncio.DataPlane.Transport;

namespace Nuncio.DataPlane.Http.Http2;

/// <summary>The frame layer of a connection to an upstream. Whatever the upstream does wrong costs this connection only.</summary>
internal sealed class Http2ClientSession : Http2Connection
{
    /// <summary>What is assumed of the peer until its SETTINGS say (RFC 9113 recommends that nobody allows less).</summary>
    private const int StreamsBeforeSettings = 100;

    private const int MaxPooledStreams = 64;

    private readonly Http2ClientConnection _connection;
    private readonly Stack<Http2ClientStream> _pool = new();
    private int _nextStreamId = 1;
    private int _counted;
    private bool _closing;
    private bool _closedTold;
    private bool _peerHasGoneAway;

    /// <summary>The session of a connection.</summary>
    public Http2ClientSession(Http2ClientConnection connection, TransportConnection transport, Http2Options options, TimeProvider time)
        : base(transport, options, time, false) => _connection = connection;

    /// <summary>Streams that count now.</summary>
    public int ActiveStreams => Volatile.Read(ref _counted);

    /// <summary>No new stream will be possible.</summary>
    public bool IsClosing => _closing || IsTerminated;

    /// <summary>How many more streams may be opened.</summary>
    public int AvailableStreams
    {
        get
        {
            lock (Gate)
            {
                return IsClosing ? 0 : Math.Max(0, Limit - _counted);
            }
        }
    }

    private int Limit => (int)Math.Min(Options.MaxConcurrentStreams, PeerMaxConcurrentStreams < 0 ? StreamsBeforeSettings : PeerMaxConcurrentStreams);

    /// <summary>Opens a stream, or null.</summary>
    public Http2ClientStream? Open()
    {
        Http2ClientStream owner;
        lock (Gate)
        {
            if (IsClosing || _counted >= Limit)
            {
                return null;
            }

            _counted++;
            owner = _pool.Count > 0 ? _pool.Pop() : new Http2ClientStream(this);
        }

        owner.Prepare();
        owner.IsCounted = true;
        return owner;
    }

    /// <summary>Opens no more streams, and closes after the last one.</summary>
    public void StopOpening()
    {
        lock (Gate)
        {
            _closing = true;
            if (_counted > 0)
            {
                return;
            }
        }

        Drain();
    }

    /// <summary>Writes a request's head and so puts the stream on the wire.</summary>
    public StreamResetReason WriteHeaders(Http2ClientStream owner, HeaderMap headers, bool endStream)
    {
        var stream = owner.Stream;
        var mark = Http2Wakeups.Mark();
        StreamResetReason reason;
        lock (Gate)
        {
            reason = stream.ResetReason;
            if (reason == StreamResetReason.None)
            {
                reason = CanOpen(headers, owner);
            }

            if (reason == StreamResetReason.None)
            {
                owner.IsHead = headers.Get(KnownHeader.Method).SequenceEqual("HEAD"u8);
                Open(stream, _nextStreamId);
                _nextStreamId += 2;
                WriteHeaderBlock(stream, headers, Http2BlockKind.Request, endStream, owner.UpgradeProtocol is not null);
                owner.AddSent(headers.ByteSize);
            }
            else
            {
                EndEarly(stream, reason, false);
            }
        }

        Http2Wakeups.Run(mark);
        if (endStream)
        {
            RequestFlush();
        }

        return reason;
    }

    /// <summary>Ends a request with trailers.</summary>
    public StreamResetReason WriteTrailers(Http2ClientStream owner, HeaderMap trailers)
    {
        var stream = owner.Stream;
        var mark = Http2Wakeups.Mark();
        lock (Gate)
        {
            if (stream.ResetReason != StreamResetReason.None || !stream.IsOpen || stream.LocalEnded)
            {
                return stream.ResetReason;
            }

            WriteHeaderBlock(stream, trailers, Http2BlockKind.Trailers, true, false);
        }

        Http2Wakeups.Run(mark);
        RequestFlush();
        return StreamResetReason.None;
    }

    /// <summary>The next head.</summary>
    public ValueTask<ClientHeadersRead> ReadHeadersAsync(Http2ClientStream owner)
    {
        var stream = owner.Stream;
        lock (Gate)
        {
            if (owner.UnreadHeads > 0)
            {
                return new ValueTask<ClientHeadersRead>(TakeHead(owner));
            }

            return stream.ResetReason != StreamResetReason.None
                ? new ValueTask<ClientHeadersRead>(new ClientHeadersRead(true, stream.ResetReason))
                : stream.WaitForHeaders();
        }
    }

    /// <summary>The caller is done with a stream.</summary>
    public void Release(Http2ClientStream owner)
    {
        var stream = owner.Stream;
        var mark = Http2Wakeups.Mark();
        lock (Gate)
        {
            if (stream.IsOpen)
            {
                ResetLocked(stream, Http2ErrorCode.Cancel, StreamResetReason.LocalReset, false);
            }
            else if (owner.IsCounted)
            {
                // Never was on the wire, or the connection is gone.
                OnClosing(stream);
                Http2Wakeups.AddClosed(stream);
            }

            DropReceived(stream);
        }

        Http2Wakeups.Run(mark);
        RequestFlush();
        lock (Gate)
        {
            if (_pool.Count < MaxPooledStreams && !IsClosing)
            {
                _pool.Push(owner);
            }
        }
    }

    /// <inheritdoc/>
    public override void OnStreamClosed(Http2Stream stream)
    {
        bool available;
        bool last;
        lock (Gate)
        {
            available = !IsClosing;
            last = _closing && _counted == 0;
        }

        if (last)
        {
            Drain();
        }

        base.OnStreamClosed(stream);
        if (available)
        {
            _connection.Owner?.OnStreamsAvailable(_connection);
        }
    }

    /// <inheritdoc/>
    protected override void OnClosing(Http2Stream stream)
    {
        var owner = (Http2ClientStream)stream.Owner;
        if (owner.IsCounted)
        {
            owner.IsCounted = false;
            _counted--;
        }
    }

    /// <inheritdoc/>
    protected override void OnEnded()
    {
        lock (Gate)
        {
            // Streams that ended with the connection still belong to their requests.
            _connection.EndedInRequest = _counted > 0;
        }

        TellClosed();
    }

    /// <inheritdoc/>
    protected override void OnReceived(Http2Stream stream, int length) => ((Http2ClientStream)stream.Owner).AddReceived(length);

    /// <inheritdoc/>
    protected override bool MayReceiveData(Http2Stream stream)
    {
        var owner = (Http2ClientStream)stream.Owner;
        return owner.FinalHeadSeen;
    }

    /// <inheritdoc/>
    protected override bool IsIdleStream(int streamId) => streamId >= _nextStreamId || (streamId & 1) == 0;

    /// <inheritdoc/>
    protected override void AddSettings(Http2OutputBuffer output) => output.WriteSetting(Http2Setting.EnablePush, 0);

    /// <inheritdoc/>
    protected override void OnPeerSettings()
    {
        if (!IsClosing)
        {
            _connection.Owner?.OnStreamsAvailable(_connection);
        }
    }

    /// <inheritdoc/>
    protected override void OnGoAway(int lastStreamId)
    {
        var mark = Http2Wakeups.Mark();
        lock (Gate)
        {
            _closing = _peerHasGoneAway = true;
            foreach (var stream in Streams.Values)
            {
                if (stream.Id > lastStreamId)
                {
                    // Removed below: not while they are gone over.
                    EndEarly(stream, StreamResetReason.RemoteRefusedStream, true);
                }
            }

            foreach (var stream in Streams.Values)
            {
                if (stream.Id > lastStreamId)
                {
                    // Allowed by Dictionary: removing does not end an enumeration.
                    Close(stream, true);
                }
            }
        }

        Http2Wakeups.Run(mark);
        TellClosed();
        StopOpening();
    }

    /// <inheritdoc/>
    protected override Http2ErrorCode OnHeaderBlock(int streamId, ReadOnlySpan<byte> block, bool endStream, bool dependsOnItself)
    {
        var mark = Http2Wakeups.Mark();
        Http2ErrorCode error;
        lock (Gate)
        {
            error = OnBlock(streamId, block, endStream, dependsOnItself);
        }

        Http2Wakeups.Run(mark);
        RequestFlush();
        return error;
    }

    private static ClientHeadersRead TakeHead(Http2ClientStream owner)
    {
        if (owner.FirstHeadSeen && owner.NextHeaders is { Count: > 0 } next && owner.UnreadHeads == 1)
        {
            owner.ResponseHeaders.Clear();
            owner.ResponseHeaders.AddAll(next);
            next.Clear();
        }

        owner.FirstHeadSeen = true;
        owner.UnreadHeads--;
        return new ClientHeadersRead(owner.EndedWithHeaders && owner.UnreadHeads == 0);
    }

    private StreamResetReason CanOpen(HeaderMap headers, Http2ClientStream owner)
    {
        if (IsTerminated)
        {
            return StreamResetReason.ConnectionTermination;
        }

        if (FinalGoAwaySent || _peerHasGoneAway || _nextStreamId > int.MaxValue - 2)
        {
            return StreamResetReason.RemoteRefusedStream;
        }

        if (headers.TryGet(KnownHeader.Upgrade, out var protocol))
        {
            // Before its SETTINGS nobody knows what the upstream takes: as in Envoy it is asked for, and may refuse.
            if (PeerSettingsSeen && !PeerAllowsConnectProtocol)
            {
                return StreamResetReason.ProtocolError;
            }

            owner.UpgradeProtocol = protocol.ToArray();
        }

        return StreamResetReason.None;
    }

    private Http2ErrorCode OnBlock(int streamId, ReadOnlySpan<byte> block, bool endStream, bool dependsOnItself)
    {
        if (!Streams.TryGetValue(streamId, out var stream) || stream.RemoteEnded)
        {
            if (!TryDecode(block, null, Http2BlockKind.Trailers, out _))
            {
                return Http2ErrorCode.CompressionError;
            }

            return stream is not null ? Http2ErrorCode.StreamClosed : IsIdleStream(streamId) ? Http2ErrorCode.ProtocolError : OnBlockOfClosedStream(streamId);
        }

        var owner = (Http2ClientStream)stream.Owner;
        var map = owner.FinalHeadSeen ? owner.ResponseTrailers
            : owner.FirstHeadSeen || owner.UnreadHeads > 0 ? owner.NextHeaders ??= new HeaderMap()
            : owner.ResponseHeaders;
        if (map == owner.NextHeaders && map.Count > 0)
        {
            // An informational head that nobody read in time makes way.
            map.Clear();
            owner.UnreadHeads--;
        }

        var kind = owner.FinalHeadSeen ? Http2BlockKind.Trailers : Http2BlockKind.Response;
        if (!TryDecode(block, map, kind, out var outcome))
        {
            return Http2ErrorCode.CompressionError;
        }

        if (outcome == Http2BlockOutcome.TooLarge)
        {
            Options.Metrics?.HeaderOverflow.Increment();
            ResetLocked(stream, Http2ErrorCode.EnhanceYourCalm, StreamResetReason.Overflow, false);
            return Http2ErrorCode.NoError;
        }

        if (outcome == Http2BlockOutcome.Malformed || dependsOnItself || (owner.FinalHeadSeen && (!endStream || IsLengthWrong(stream, true))))
        {
            return FailMessage(streamId, stream);
        }

        owner.AddReceived(map.ByteSize);
        if (owner.FinalHeadSeen)
        {
            Options.Metrics?.Trailers.Increment();
            EndRemotely(stream);
            return Http2ErrorCode.NoError;
        }

        return OnHead(stream, owner, map, endStream);
    }

    private Http2ErrorCode OnHead(Http2Stream stream, Http2ClientStream owner, HeaderMap head, bool endStream)
    {
        var status = head.Status;
        if (status < 200)
        {
            if (endStream)
            {
                return FailMessage(stream.Id, stream);
            }
        }
        else
        {
            owner.FinalHeadSeen = true;
            owner.EndedWithHeaders = endStream;
            if (head.TryGet(KnownHeader.ContentLength, out var length) && !owner.IsHead && status != 304)
            {
                stream.ExpectedLength = long.Parse(length, System.Globalization.CultureInfo.InvariantCulture);
                if (IsLengthWrong(stream, endStream))
                {
                    return FailMessage(stream.Id, stream);
                }
            }

            if (owner.UpgradeProtocol is { } protocol && status is >= 200 and < 300)
            {
                head.Status = 101;
                head.Set(KnownHeader.Upgrade, protocol);
                head.Set(KnownHeader.Connection, "upgrade"u8);
            }
        }

        owner.UnreadHeads++;
        if (endStream)
        {
            EndRemotely(stream);
        }

        if (stream.HeadersWaiting)
        {
            stream.WakeHeaders(TakeHead(owner));
        }

        return Http2ErrorCode.NoError;
    }

    private void TellClosed()
    {
        lock (Gate)
        {
            if (_closedTold)
            {
                return;
            }

            _closedTold = true;
            _closing = true;
        }

        _connection.Owner?.OnClosed(_connection);
    }
}
