using System.Buffers;
using Nuncio.DataPlane.Http.Http2.Hpack;
using Nuncio.DataPlane.Transport;

namespace Nuncio.DataPlane.Http.Http2;

/// <summary>
/// The frame layer of one HTTP/2 connection (RFC 9113), the same for both sides. One reader, which handles what a read brought frame by frame;
/// writers on any thread, which append frames to one buffer; one send at a time, of everything appended until then.
/// </summary>
/// <remarks>
/// <see cref="Gate"/> guards streams, windows and output. It is held for short, and nothing foreign is called under it (<see cref="Http2Wakeups"/>).
/// This part: life from preface to end. Reading and Writing are in the other parts.
/// </remarks>
internal abstract partial class Http2Connection : IBatchedOutput
{
    private const int ReadBufferSize = 32 * 1024;
    private const ulong DrainPing = 0x6E75_6E63_696F_0001;
    private const ulong KeepalivePing = 0x6E75_6E63_696F_0002;
    private static readonly TimeSpan LingerTime = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LastFlushTime = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan IdleLingerTime = TimeSpan.FromMilliseconds(50);

    private readonly bool _isServer;
    private ITimer? _lingerTimer;
    private ITimer? _keepaliveTimer;
    private bool _keepaliveOutstanding;
    private bool _closing;

    /// <summary>A connection over a connected transport; nothing is sent or read yet.</summary>
    protected Http2Connection(TransportConnection transport, Http2Options options, TimeProvider time, bool isServer)
    {
        Transport = transport;
        Options = options;
        Time = time;
        _isServer = isServer;
        _decoder = new HpackDecoder((int)Math.Min(options.HpackTableSize, 64 * 1024));
        HeaderReader = new Http2HeaderReader(options.MaxHeaderBytes, options.MaxHeaderCount, options.UnderscoreAction);
        _receiveWindow = Http2Frames.DefaultWindow;
        _onWritten = OnWritten;
    }

    /// <inheritdoc/>
    public IBatchedOutput? NextInBatch { get; set; }

    /// <summary>Guards everything that both the reader and writers touch.</summary>
    protected Lock Gate { get; } = new();

    /// <summary>The settings.</summary>
    protected Http2Options Options { get; }

    /// <summary>The clock.</summary>
    protected TimeProvider Time { get; }

    /// <summary>The byte stream.</summary>
    internal TransportConnection Transport { get; }

    /// <summary>A request was under way when it ended.</summary>
    public bool EndedInRequest { get; protected set; }

    /// <summary>Open streams by id.</summary>
    protected Dictionary<int, Http2Stream> Streams { get; } = [];

    /// <summary>Checks header blocks; the reading thread's.</summary>
    protected Http2HeaderReader HeaderReader { get; }

    /// <summary>The highest stream id of the peer's that was handled; what GOAWAY tells.</summary>
    protected int LastPeerStreamId { get; set; }

    /// <summary>Nothing more is possible: failed, or closed.</summary>
    protected bool IsTerminated { get; private set; }

    /// <summary>Our last GOAWAY is out: the connection ends with its last stream.</summary>
    protected bool FinalGoAwaySent { get; private set; }

    /// <summary>Handles the connection until its end. The transport is not disposed; the caller does that.</summary>
    /// <param name="received">Bytes of the connection that were read already.</param>
    public async Task RunAsync(ReadOnlyMemory<byte> received)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(Math.Max(ReadBufferSize, received.Length));
        try
        {
            received.CopyTo(buffer);
            var start = 0;
            var end = received.Length;
            Start();
            while (true)
            {
                if (!HandleInput(buffer.AsSpan(start, end - start), out var consumed))
                {
                    break;
                }

                start += consumed;
                if (start == end)
                {
                    // Between frames nothing is held.
                    ArrayPool<byte>.Shared.Return(buffer);
                    buffer = [];
                    start = end = 0;
                    if (await Transport.ReadAsync(Memory<byte>.Empty) < 0)
                    {
                        break;
                    }

                    buffer = ArrayPool<byte>.Shared.Rent(ReadBufferSize);
                }
                else
                {
                    buffer.AsSpan(start, end - start).CopyTo(buffer);
                    end -= start;
                    start = 0;
                }

                var read = await Transport.ReadAsync(buffer.AsMemory(end));
                if (read <= 0)
                {
                    break;
                }

                end += read;
            }

            await FinishAsync();
        }
        finally
        {
            Terminate(StreamResetReason.ConnectionTermination);
            ArrayPool<byte>.Shared.Return(buffer);
            _lingerTimer?.Dispose();
            _keepaliveTimer?.Dispose();
            _decoder.ReturnBuffers();
            ReturnBlock();
            OnEnded();
        }
    }

    /// <summary>Ends it at once, from any thread.</summary>
    public void Abort(StreamResetReason reason)
    {
        Terminate(reason);
        Transport.Abort();
    }

    /// <summary>
    /// Tells the peer that it shall open no more streams (RFC 9113 section 6.8). Those that it opens before it knows are taken; when it does, it is told the
    /// last one's id, and the connection closes as after <see cref="Drain"/>.
    /// </summary>
    public void AnnounceEnd()
    {
        lock (Gate)
        {
            if (IsTerminated || FinalGoAwaySent || _drainStarted || _endAnnounced)
            {
                return;
            }

            _endAnnounced = true;
            if (OpenedStreams == 0)
            {
                // A client that is about to open its first one may take a GOAWAY before it for a server that does not work: it is told with that one.
                return;
            }

            WriteAnnouncement();
        }

        RequestFlush();
    }

    /// <summary>
    /// Takes no new streams, and closes when the open ones are done (RFC 9113 section 6.8): the peer is told first without a limit, and after a
    /// round trip, when it knows, with the last stream's id.
    /// </summary>
    public void Drain()
    {
        lock (Gate)
        {
            if (IsTerminated || FinalGoAwaySent)
            {
                return;
            }

            if (_isServer && !_settingsSent)
            {
                _endAnnounced = true;
            }
            else if (Streams.Count == 0 || !_isServer)
            {
                SendFinalGoAway(Http2ErrorCode.NoError);
            }
            else if (!_drainStarted)
            {
                _drainStarted = true;
                if (!_endAnnounced)
                {
                    WriteAnnouncement();
                }
            }
        }

        CloseIfDone();
        RequestFlush();
    }

    /// <summary>A stream left the open ones; without the lock.</summary>
    public virtual void OnStreamClosed(Http2Stream stream) => CloseIfDone();

    /// <summary>An abort handler has returned; without the lock.</summary>
    public virtual void OnAbortHandled(Http2Stream stream)
    {
    }

    /// <summary>The connection is over; without the lock, once.</summary>
    protected virtual void OnEnded()
    {
    }

    /// <summary>A whole header block has come. Decodes it in any case.</summary>
    /// <param name="streamId">The stream.</param>
    /// <param name="block">The encoded headers.</param>
    /// <param name="endStream">END_STREAM is set.</param>
    /// <param name="dependsOnItself">A priority made the stream depend on itself.</param>
    protected abstract Http2ErrorCode OnHeaderBlock(int streamId, ReadOnlySpan<byte> block, bool endStream, bool dependsOnItself);

    /// <summary>Whether that stream has never been opened.</summary>
    protected abstract bool IsIdleStream(int streamId);

    /// <summary>The peer reset a stream; under the lock, after the stream's end was scheduled.</summary>
    protected virtual Http2ErrorCode OnRemoteReset(Http2Stream stream) => Http2ErrorCode.NoError;

    /// <summary>The peer's GOAWAY; without the lock.</summary>
    protected abstract void OnGoAway(int lastStreamId);

    /// <summary>The peer's settings have changed; without the lock.</summary>
    protected virtual void OnPeerSettings()
    {
    }

    /// <summary>Adds settings of this side to the first SETTINGS.</summary>
    protected abstract void AddSettings(Http2OutputBuffer output);

    /// <summary>Streams that were opened over the connection's life, for limits in proportion to them.</summary>
    protected long OpenedStreams { get; set; }

    private void WriteAnnouncement()
    {
        Options.Metrics?.GoAwaySent.Increment();
        _pending.WriteGoAway(Http2Frames.MaxWindow, Http2ErrorCode.NoError);
        _pending.WritePing(DrainPing, false);
    }

    /// <summary>Sends the last GOAWAY; under the lock.</summary>
    protected void SendFinalGoAway(Http2ErrorCode error)
    {
        if (!FinalGoAwaySent || error != Http2ErrorCode.NoError)
        {
            FinalGoAwaySent = true;
            Options.Metrics?.GoAwaySent.Increment();
            _pending.WriteGoAway(LastPeerStreamId, error);
        }
    }

    /// <summary>Ends all streams and refuses all further output but what is buffered.</summary>
    protected void Terminate(StreamResetReason reason)
    {
        var mark = Http2Wakeups.Mark();
        lock (Gate)
        {
            if (!IsTerminated)
            {
                IsTerminated = true;
                EndedInRequest |= Streams.Count > 0;
                foreach (var stream in Streams.Values)
                {
                    stream.IsOpen = false;
                    Options.Metrics?.StreamsActive.Decrement();
                    EndEarly(stream, reason, true);
                }

                Streams.Clear();
            }
        }

        Http2Wakeups.Run(mark);
    }

    /// <summary>Closes the connection once its last stream is done, where that was announced.</summary>
    protected void CloseIfDone()
    {
        lock (Gate)
        {
            if (Streams.Count > 0 || _closing || !(FinalGoAwaySent || _drainStarted))
            {
                return;
            }

            SendFinalGoAway(Http2ErrorCode.NoError);
            _closing = true;
            _shutdownWhenFlushed = true;
            // The reader sees the peer's end; or this, a while after the last byte went out, or when it does not go out.
            _lingerTimer = Time.CreateTimer(static state => ((Http2Connection)state!).Transport.Abort(), this, LastFlushTime, Timeout.InfiniteTimeSpan);
        }

        RequestFlush();
    }

    private void Start()
    {
        lock (Gate)
        {
            if (!_isServer)
            {
                Http2Frames.Preface.CopyTo(_pending.Space(Http2Frames.Preface.Length));
                _pending.Advance(Http2Frames.Preface.Length);
            }

            var at = _pending.Length;
            _pending.EnsureSpace(128);
            _pending.Advance(Http2Frames.HeaderLength);
            if (Options.HpackTableSize != 4096)
            {
                _pending.WriteSetting(Http2Setting.HeaderTableSize, Math.Min(Options.HpackTableSize, 64 * 1024));
            }

            if (Options.InitialStreamWindowSize != Http2Frames.DefaultWindow)
            {
                _pending.WriteSetting(Http2Setting.InitialWindowSize, (uint)Options.InitialStreamWindowSize);
            }

            AddSettings(_pending);
            _pending.SetFrameHeader(at, _pending.Length - at - Http2Frames.HeaderLength, Http2FrameType.Settings, 0, 0);
            if (Options.InitialConnectionWindowSize > _receiveWindow)
            {
                _pending.WriteNumberFrame(Http2FrameType.WindowUpdate, 0, (uint)(Options.InitialConnectionWindowSize - _receiveWindow));
                _receiveWindow = Options.InitialConnectionWindowSize;
            }

            _settingsSent = true;
        }

        if (Options.KeepaliveInterval is { } interval && interval > TimeSpan.Zero)
        {
            _keepaliveTimer = Time.CreateTimer(static state => ((Http2Connection)state!).OnKeepalive(), this, interval, Timeout.InfiniteTimeSpan);
        }

        RequestFlush();
    }

    private void OnKeepalive()
    {
        lock (Gate)
        {
            if (IsTerminated)
            {
                return;
            }

            if (!_keepaliveOutstanding)
            {
                _keepaliveOutstanding = true;
                _pending.WritePing(KeepalivePing, false);
                _keepaliveTimer?.Change(Options.KeepaliveTimeout, Timeout.InfiniteTimeSpan);
            }
            else
            {
                _keepaliveOutstanding = false;
                Options.Metrics?.KeepaliveTimeout.Increment();
                _broken = true;
            }
        }

        if (_broken)
        {
            Abort(StreamResetReason.ConnectionTermination);
        }

        RequestFlush();
    }

    // The peer closed, or we do: what is buffered goes out; then the rest of what the peer still sends is read and thrown away for a while, because
    // closing with unread bytes would take back what was just sent.
    private async Task FinishAsync()
    {
        lock (Gate)
        {
            if (_broken || (_pending.Length == 0 && !_writing && !_failed))
            {
                return;
            }

            _shutdownWhenFlushed = true;
            Transport.NoteEndByUs();
            _lingerTimer ??= Time.CreateTimer(static state => ((Http2Connection)state!).Transport.Abort(), this, LingerTime, Timeout.InfiniteTimeSpan);
        }

        // The peer's end may be there already, and then nothing is sent after this.
        FlushEarly();
        var rest = ArrayPool<byte>.Shared.Rent(ReadBufferSize);
        try
        {
            while (await Transport.ReadAsync(rest) > 0)
            {
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rest);
        }
    }
}
