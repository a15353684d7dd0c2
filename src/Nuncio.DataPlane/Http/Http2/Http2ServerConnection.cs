using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Nuncio.DataPlane.Errors;
using Nuncio.DataPlane.Transport;

namespace Nuncio.DataPlane.Http.Http2;

/// <summary>
/// A client's HTTP/2 connection, with prior knowledge or after ALPN chose <c>h2</c>: hands each request to the processor on the thread that read it.
/// </summary>
internal sealed partial class Http2ServerConnection : Http2Connection
{
    private const int MaxPooledStreams = 64;

    private readonly HttpStreamProcessor _processor;
    private readonly ILogger _logger;
    private readonly Stack<Http2ServerStream> _pool = new();
    private int _processing;
    private readonly PrematureResets _resets;
    private long _requests;
    private long _idleSince;
    private readonly ITimer? _idleTimer;
    private readonly ITimer? _durationTimer;
    private readonly ITimer? _prefaceTimer;

    /// <summary>A connection over an accepted transport.</summary>
    public Http2ServerConnection(
        TransportConnection transport,
        DownstreamConnectionInfo connection,
        HttpStreamProcessor processor,
        Http2Options options,
        TimeProvider time,
        ILogger? logger = null)
        : base(transport, options, time, true)
    {
        Downstream = connection;
        _processor = processor;
        _resets = new PrematureResets(time);
        _logger = logger ?? NullLogger.Instance;
        _idleSince = time.GetTimestamp();
        if (options.IdleTimeout is { } idle && idle > TimeSpan.Zero)
        {
            _idleTimer = time.CreateTimer(static state => ((Http2ServerConnection)state!).OnIdleTimer(), this, idle, Timeout.InfiniteTimeSpan);
        }

        if (options.PrefaceTimeout is { } preface && preface > TimeSpan.Zero)
        {
            _prefaceTimer = time.CreateTimer(
                static state => ((Http2ServerConnection)state!).Abort(StreamResetReason.Timeout), this, preface, Timeout.InfiniteTimeSpan);
        }

        if (options.MaxConnectionDuration is { } duration && duration > TimeSpan.Zero)
        {
            _durationTimer = time.CreateTimer(static state => ((Http2ServerConnection)state!).Drain(), this, duration, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>What is known of the client.</summary>
    public DownstreamConnectionInfo Downstream { get; }

    /// <summary>Requests that are being answered.</summary>
    public int ActiveStreams => Volatile.Read(ref _processing);

    /// <inheritdoc/>
    public override void OnStreamClosed(Http2Stream stream)
    {
        lock (Gate)
        {
            if (Streams.Count == 0)
            {
                _idleSince = Time.GetTimestamp();
            }
        }

        base.OnStreamClosed(stream);
    }

    /// <inheritdoc/>
    public override void OnAbortHandled(Http2Stream stream)
    {
        var owner = (Http2ServerStream)stream.Owner;
        lock (Gate)
        {
            owner.AbortCalls--;
            RecycleIfDone(owner);
        }
    }

    /// <summary>Writes a response head.</summary>
    public void WriteHeaders(Http2ServerStream owner, HeaderMap headers, bool endStream)
    {
        var stream = owner.Stream;
        var mark = Http2Wakeups.Mark();
        lock (Gate)
        {
            if (!stream.IsOpen || stream.LocalEnded)
            {
                return;
            }

            WriteHeaderBlock(stream, headers, Http2BlockKind.Response, endStream, owner.IsUpgrade);
        }

        Http2Wakeups.Run(mark);
        if (endStream)
        {
            RequestFlush();
        }
    }

    /// <summary>Ends a response with trailers.</summary>
    public void WriteTrailers(Http2ServerStream owner, HeaderMap trailers)
    {
        var stream = owner.Stream;
        var mark = Http2Wakeups.Mark();
        lock (Gate)
        {
            if (!stream.IsOpen || stream.LocalEnded)
            {
                return;
            }

            WriteHeaderBlock(stream, trailers, Http2BlockKind.Trailers, true, false);
        }

        Http2Wakeups.Run(mark);
        RequestFlush();
    }

    /// <summary>Sets or removes a stream's abort handler.</summary>
    public void SetAbortHandler(Http2ServerStream owner, IStreamAbortHandler? handler)
    {
        var mark = Http2Wakeups.Mark();
        lock (Gate)
        {
            owner.AbortHandler = handler;
            if (owner.AbortReason != StreamResetReason.None)
            {
                ScheduleAbort(owner.Stream, owner.AbortReason);
            }
        }

        Http2Wakeups.Run(mark);
    }

    /// <summary>The processor is done with a request.</summary>
    public void OnProcessed(Http2ServerStream owner)
    {
        try
        {
            owner.Processing.GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            LogProcessorFailed(e, Downstream.Id);
        }

        owner.Processing = default;
        var stream = owner.Stream;
        var mark = Http2Wakeups.Mark();
        lock (Gate)
        {
            _processing--;
            _resets.CountRequest();
            owner.AbortHandler = null;
            owner.IsDone = true;
            if (stream.IsOpen)
            {
                // The request was not read to its end, which is fine once it is answered; or there is no full answer.
                ResetLocked(stream, stream.LocalEnded ? Http2ErrorCode.NoError : Http2ErrorCode.InternalError, StreamResetReason.LocalReset, false);
            }

            DropReceived(stream);
        }

        Http2Wakeups.Run(mark);
        RequestFlush();
        lock (Gate)
        {
            RecycleIfDone(owner);
        }
    }

    /// <inheritdoc/>
    protected override void ScheduleAbort(Http2Stream stream, StreamResetReason reason)
    {
        var owner = (Http2ServerStream)stream.Owner;
        owner.AbortReason = reason;
        if (owner.AbortHandler is { } handler)
        {
            owner.AbortHandler = null;
            owner.AbortReason = StreamResetReason.None;
            owner.AbortCalls++;
            Http2Wakeups.AddAbort(stream, handler, reason);
        }
    }

    /// <inheritdoc/>
    protected override void OnEnded()
    {
        _idleTimer?.Dispose();
        _durationTimer?.Dispose();
        _prefaceTimer?.Dispose();
    }

    /// <inheritdoc/>
    protected override void OnPeerSettings() => _prefaceTimer?.Dispose();

    /// <inheritdoc/>
    protected override void OnReceived(Http2Stream stream, int length) => ((Http2ServerStream)stream.Owner).AddReceived(length);

    /// <inheritdoc/>
    protected override bool IsIdleStream(int streamId) => streamId > LastPeerStreamId || (streamId & 1) == 0;

    /// <inheritdoc/>
    protected override void OnGoAway(int lastStreamId)
    {
        // A client says that it will open no more streams; it closes when it has its answers.
    }

    /// <inheritdoc/>
    protected override void AddSettings(Http2OutputBuffer output)
    {
        output.WriteSetting(Http2Setting.MaxConcurrentStreams, Options.MaxConcurrentStreams);
        if (Options.AllowConnect)
        {
            output.WriteSetting(Http2Setting.EnableConnectProtocol, 1);
        }
    }

    /// <inheritdoc/>
    protected override Http2ErrorCode OnRemoteReset(Http2Stream stream)
    {
        var owner = (Http2ServerStream)stream.Owner;
        return _resets.IsAttack(owner.ResponseStarted, owner.Started) ? Http2ErrorCode.EnhanceYourCalm : Http2ErrorCode.NoError;
    }

    /// <inheritdoc/>
    protected override Http2ErrorCode OnHeaderBlock(int streamId, ReadOnlySpan<byte> block, bool endStream, bool dependsOnItself)
    {
        if ((streamId & 1) == 0)
        {
            return Http2ErrorCode.ProtocolError;
        }

        if (streamId > LastPeerStreamId)
        {
            return OnRequest(streamId, block, endStream, dependsOnItself);
        }

        var mark = Http2Wakeups.Mark();
        Http2ErrorCode error;
        lock (Gate)
        {
            error = OnTrailers(streamId, block, endStream, dependsOnItself);
        }

        Http2Wakeups.Run(mark);
        RequestFlush();
        return error;
    }

    private Http2ErrorCode OnTrailers(int streamId, ReadOnlySpan<byte> block, bool endStream, bool dependsOnItself)
    {
        if (!Streams.TryGetValue(streamId, out var stream))
        {
            return TryDecode(block, null, Http2BlockKind.Trailers, out _) ? OnBlockOfClosedStream(streamId) : Http2ErrorCode.CompressionError;
        }

        var owner = (Http2ServerStream)stream.Owner;
        if (!TryDecode(block, stream.RemoteEnded ? null : owner.RequestTrailers, Http2BlockKind.Trailers, out var outcome))
        {
            return Http2ErrorCode.CompressionError;
        }

        if (stream.RemoteEnded)
        {
            FailStream(streamId, stream, Http2ErrorCode.StreamClosed);
        }
        else if (outcome == Http2BlockOutcome.TooLarge)
        {
            Options.Metrics?.HeaderOverflow.Increment();
            ResetLocked(stream, Http2ErrorCode.EnhanceYourCalm, StreamResetReason.Overflow, true);
        }
        else if (!endStream || dependsOnItself || outcome == Http2BlockOutcome.Malformed || IsLengthWrong(stream, true))
        {
            return FailMessage(streamId, stream);
        }
        else
        {
            Options.Metrics?.Trailers.Increment();
            EndRemotely(stream);
        }

        return Http2ErrorCode.NoError;
    }

    private Http2ErrorCode OnRequest(int streamId, ReadOnlySpan<byte> block, bool endStream, bool dependsOnItself)
    {
        LastPeerStreamId = streamId;
        Http2ServerStream owner;
        lock (Gate)
        {
            owner = _pool.Count > 0 ? _pool.Pop() : new Http2ServerStream(this);
        }

        owner.Prepare();
        if (!TryDecode(block, owner.RequestHeaders, Http2BlockKind.Request, out var outcome))
        {
            OnUnreadable(owner, LocalReplies.Http2CodecDetails);
            return Http2ErrorCode.CompressionError;
        }

        var stream = owner.Stream;
        if (outcome == Http2BlockOutcome.Valid && owner.RequestHeaders.TryGet(KnownHeader.ContentLength, out var length))
        {
            stream.ExpectedLength = long.Parse(length, System.Globalization.CultureInfo.InvariantCulture);
        }

        var error = Http2ErrorCode.NoError;
        var accepted = false;
        lock (Gate)
        {
            if (IsTerminated || FinalGoAwaySent)
            {
                // Beyond the last stream that GOAWAY named: the client tries it elsewhere.
            }
            else if (dependsOnItself || outcome == Http2BlockOutcome.Malformed || IsLengthWrong(stream, endStream))
            {
                error = FailMessage(streamId, null);
            }
            else if (outcome == Http2BlockOutcome.TooLarge)
            {
                Options.Metrics?.HeaderOverflow.Increment();
                FailStream(streamId, null, Http2ErrorCode.EnhanceYourCalm);
            }
            else if (outcome == Http2BlockOutcome.Refused)
            {
                Options.Metrics?.RejectedWithUnderscores.Increment();
                FailStream(streamId, null, Http2ErrorCode.RefusedStream);
            }
            else if (Streams.Count >= Options.MaxConcurrentStreams || _processing >= Options.MaxConcurrentStreams)
            {
                // Also requests that the client has reset, as long as they are being dealt with.
                FailStream(streamId, null, Http2ErrorCode.RefusedStream);
            }
            else
            {
                accepted = true;
                _processing++;
                Open(stream, streamId);
                stream.RemoteEnded = endStream;
            }
        }

        if (!accepted)
        {
            if (error != Http2ErrorCode.NoError && !dependsOnItself)
            {
                OnUnreadable(owner, LocalReplies.Http2MessagingDetails);
            }

            lock (Gate)
            {
                Recycle(owner);
            }

            RequestFlush();
            return error;
        }

        owner.Start(endStream, Time.GetTimestamp());
        if (Options.MaxRequestsPerConnection > 0 && ++_requests >= Options.MaxRequestsPerConnection)
        {
            Drain();
        }

        Process(owner);
        return Http2ErrorCode.NoError;
    }

    // It has come all the same, and its connection ends with it.
    private void OnUnreadable(Http2ServerStream owner, string details)
    {
        EndedInRequest = true;
        // What was read before the fault may mean something else than the client said: as with Envoy nothing of it is logged.
        owner.RequestHeaders.Clear();
        owner.Start(endStream: true, Time.GetTimestamp());
        _processor.OnUnreadable(owner, details);
    }

    private void Process(Http2ServerStream owner)
    {
        try
        {
            owner.Processing = _processor.ProcessAsync(owner);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            owner.Processing = ValueTask.FromException(e);
        }

        ValueTaskAwaiter awaiter = owner.Processing.GetAwaiter();
        if (awaiter.IsCompleted)
        {
            OnProcessed(owner);
        }
        else
        {
            awaiter.UnsafeOnCompleted(owner.OnProcessed);
        }
    }

    // An abort handler that is being called still means this request; it must not find another one's.
    private void RecycleIfDone(Http2ServerStream owner)
    {
        if (owner.IsDone && owner.AbortCalls == 0)
        {
            owner.IsDone = false;
            Recycle(owner);
        }
    }

    private void Recycle(Http2ServerStream owner)
    {
        if (_pool.Count < MaxPooledStreams && !IsTerminated)
        {
            _pool.Push(owner);
        }
    }

    private void OnIdleTimer()
    {
        TimeSpan left;
        lock (Gate)
        {
            var idle = Options.IdleTimeout!.Value;
            left = Streams.Count > 0 ? idle : idle - Time.GetElapsedTime(_idleSince);
        }

        if (left <= TimeSpan.Zero)
        {
            Drain();
        }
        else
        {
            _idleTimer?.Change(left, Timeout.InfiniteTimeSpan);
        }
    }

    [LoggerMessage(EventId = 2001, Level = LogLevel.Error, Message = "A request of connection {Connection} failed in the proxy itself.")]
    private partial void LogProcessorFailed(Exception exception, long connection);
}
