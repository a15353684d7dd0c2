using System.Threading.Tasks.Sources;

namespace Nuncio.DataPlane.Http.Http2;

/// <summary>
/// What both sides' streams have in common: windows, received bytes that wait for their reader, a write that waits for its windows. Everything
/// but the Complete methods is guarded by the connection's lock.
/// </summary>
internal sealed class Http2Stream : IValueTaskSource, IValueTaskSource<StreamResetReason>, IValueTaskSource<BodyRead>, IValueTaskSource<ClientHeadersRead>
{
    private ManualResetValueTaskSourceCore<BodyRead> _readSource;
    private ManualResetValueTaskSourceCore<StreamResetReason> _writeSource;
    private ManualResetValueTaskSourceCore<ClientHeadersRead> _headersSource;

    private Segment[] _segments = [];
    private int _firstSegment;
    private int _segmentCount;
    private int _handedOut;

    /// <summary>A stream of one of the two sides, whose object is <paramref name="owner"/>.</summary>
    public Http2Stream(Http2Connection connection, object owner)
    {
        Connection = connection;
        Owner = owner;
    }

    public Http2Connection Connection { get; }

    /// <summary>The <see cref="Http2ServerStream"/> or <see cref="Http2ClientStream"/>.</summary>
    public object Owner { get; }

    /// <summary>0 until the stream is on the wire.</summary>
    public int Id { get; private set; }

    /// <summary>What the peer lets us send; may be negative after its SETTINGS.</summary>
    public long SendWindow { get; set; }

    /// <summary>What we let the peer send.</summary>
    public int ReceiveWindow { get; set; }

    /// <summary>Consumed, but not yet given back by WINDOW_UPDATE.</summary>
    public int Unacknowledged { get; set; }

    /// <summary>The peer's END_STREAM has come.</summary>
    public bool RemoteEnded { get; set; }

    /// <summary>Our END_STREAM is written or buffered.</summary>
    public bool LocalEnded { get; set; }

    /// <summary>Counts among the connection's open streams.</summary>
    public bool IsOpen { get; set; }

    /// <summary>Why it ended early, on either side.</summary>
    public StreamResetReason ResetReason { get; set; }

    /// <summary>Nobody wants what the peer still sends.</summary>
    public bool ReadStopped { get; set; }

    /// <summary>The message's Content-Length, or -1 for none that binds.</summary>
    public long ExpectedLength { get; set; }

    /// <summary>Bytes of DATA received, without padding.</summary>
    public long ReceivedLength { get; set; }

    /// <summary>A read waits.</summary>
    public bool ReadWaiting { get; private set; }

    /// <summary>A read of a head waits.</summary>
    public bool HeadersWaiting { get; private set; }

    /// <summary>A write waits.</summary>
    public bool WriteWaiting { get; private set; }

    /// <summary>What is left of a waiting write.</summary>
    public ReadOnlyMemory<byte> WriteRest { get; set; }

    /// <summary>The waiting write ends the stream.</summary>
    public bool WriteEnds { get; private set; }

    /// <summary>In the connection's queue of streams that could send.</summary>
    public bool IsQueued { get; set; }

    /// <summary>The next one in that queue.</summary>
    public Http2Stream? NextQueued { get; set; }

    /// <summary>Received bytes that are not handed out yet exist.</summary>
    public bool HasReceived => _segmentCount > 0 && (_handedOut == 0 || _segmentCount > 1 || Head.End - Head.Start > _handedOut);

    private ref Segment Head => ref _segments[_firstSegment];

    /// <summary>Makes a used object a new stream.</summary>
    public void Prepare()
    {
        Id = 0;
        SendWindow = ReceivedLength = 0;
        ExpectedLength = -1;
        ReceiveWindow = Unacknowledged = 0;
        RemoteEnded = LocalEnded = IsOpen = ReadStopped = false;
        ResetReason = StreamResetReason.None;
        ReadWaiting = HeadersWaiting = WriteWaiting = WriteEnds = false;
        WriteRest = default;
    }

    /// <summary>Puts it on the wire.</summary>
    public void Open(int id, long sendWindow, int receiveWindow)
    {
        Id = id;
        SendWindow = sendWindow;
        ReceiveWindow = receiveWindow;
        IsOpen = true;
    }

    /// <summary>Stores received bytes for the reader.</summary>
    public void Store(ReadOnlySpan<byte> data)
    {
        if (_segmentCount > 0)
        {
            // What many small frames bring fills one buffer, so that they cost no more memory than their bytes.
            ref var tail = ref _segments[(_firstSegment + _segmentCount - 1) & (_segments.Length - 1)];
            var fitting = Math.Min(data.Length, tail.Buffer.Length - tail.End);
            data[..fitting].CopyTo(tail.Buffer.AsSpan(tail.End));
            tail.End += fitting;
            data = data[fitting..];
        }

        if (data.IsEmpty)
        {
            return;
        }

        if (_segmentCount == _segments.Length)
        {
            var bigger = new Segment[Math.Max(4, _segments.Length * 2)];
            for (var i = 0; i < _segmentCount; i++)
            {
                bigger[i] = _segments[(_firstSegment + i) & (_segments.Length - 1)];
            }

            _segments = bigger;
            _firstSegment = 0;
        }

        ref var added = ref _segments[(_firstSegment + _segmentCount++) & (_segments.Length - 1)];
        added.Buffer = Http2Segments.Rent(data.Length, _segmentCount > 1);
        data.CopyTo(added.Buffer);
        added.Start = 0;
        added.End = data.Length;
    }

    /// <summary>Takes back what the last read handed out; returns how much that was.</summary>
    public int Consume()
    {
        var consumed = _handedOut;
        if (consumed == 0)
        {
            return 0;
        }

        _handedOut = 0;
        ref var head = ref Head;
        head.Start += consumed;
        if (head.Start == head.End)
        {
            DropHead();
        }

        return consumed;
    }

    /// <summary>Hands out the next piece; there must be one.</summary>
    public BodyRead Take()
    {
        ref var head = ref Head;
        _handedOut = head.End - head.Start;
        return new BodyRead(head.Buffer.AsMemory(head.Start, _handedOut), RemoteEnded && _segmentCount == 1);
    }

    /// <summary>
    /// Gives up what is stored but for what the reader has in its hands (its buffer may be in use just now); returns how many bytes that were.
    /// </summary>
    public int Discard()
    {
        var discarded = 0;
        while (_segmentCount > (_handedOut > 0 ? 1 : 0))
        {
            ref var tail = ref _segments[(_firstSegment + _segmentCount - 1) & (_segments.Length - 1)];
            discarded += tail.End - tail.Start;
            Http2Segments.Return(tail.Buffer);
            tail = default;
            _segmentCount--;
        }

        if (_segmentCount > 0)
        {
            discarded += Head.End - Head.Start - _handedOut;
            Head.End = Head.Start + _handedOut;
        }

        return discarded;
    }

    /// <summary>Lets a read wait.</summary>
    public ValueTask<BodyRead> WaitForRead()
    {
        _readSource.Reset();
        ReadWaiting = true;
        return new ValueTask<BodyRead>(this, _readSource.Version);
    }

    /// <summary>Lets a read of a head wait.</summary>
    public ValueTask<ClientHeadersRead> WaitForHeaders()
    {
        _headersSource.Reset();
        HeadersWaiting = true;
        return new ValueTask<ClientHeadersRead>(this, _headersSource.Version);
    }

    /// <summary>Lets a write wait with what is left of it.</summary>
    public short WaitForWrite(ReadOnlyMemory<byte> rest, bool ends)
    {
        _writeSource.Reset();
        WriteWaiting = true;
        WriteRest = rest;
        WriteEnds = ends;
        return _writeSource.Version;
    }

    /// <summary>Schedules a waiting read's completion.</summary>
    public void WakeRead(BodyRead read)
    {
        ReadWaiting = false;
        Http2Wakeups.AddRead(this, read);
    }

    /// <summary>Schedules the completion of a waiting read of a head.</summary>
    public void WakeHeaders(ClientHeadersRead read)
    {
        HeadersWaiting = false;
        Http2Wakeups.AddHeaders(this, read);
    }

    /// <summary>Schedules a waiting write's completion.</summary>
    public void WakeWrite(StreamResetReason reason)
    {
        WriteWaiting = false;
        WriteRest = default;
        Http2Wakeups.AddWrite(this, reason);
    }

    /// <summary>Completes the read; without the lock.</summary>
    public void CompleteRead(BodyRead read) => _readSource.SetResult(read);

    /// <summary>Completes the write; without the lock.</summary>
    public void CompleteWrite(StreamResetReason reason) => _writeSource.SetResult(reason);

    /// <summary>Completes the read of a head; without the lock.</summary>
    public void CompleteHeaders(ClientHeadersRead read) => _headersSource.SetResult(read);

    void IValueTaskSource.GetResult(short token) => _writeSource.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _writeSource.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _writeSource.OnCompleted(continuation, state, token, flags & ~ValueTaskSourceOnCompletedFlags.UseSchedulingContext);

    StreamResetReason IValueTaskSource<StreamResetReason>.GetResult(short token) => _writeSource.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<StreamResetReason>.GetStatus(short token) => _writeSource.GetStatus(token);

    void IValueTaskSource<StreamResetReason>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _writeSource.OnCompleted(continuation, state, token, flags & ~ValueTaskSourceOnCompletedFlags.UseSchedulingContext);

    BodyRead IValueTaskSource<BodyRead>.GetResult(short token) => _readSource.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<BodyRead>.GetStatus(short token) => _readSource.GetStatus(token);

    void IValueTaskSource<BodyRead>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _readSource.OnCompleted(continuation, state, token, flags & ~ValueTaskSourceOnCompletedFlags.UseSchedulingContext);

    ClientHeadersRead IValueTaskSource<ClientHeadersRead>.GetResult(short token) => _headersSource.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<ClientHeadersRead>.GetStatus(short token) => _headersSource.GetStatus(token);

    void IValueTaskSource<ClientHeadersRead>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _headersSource.OnCompleted(continuation, state, token, flags & ~ValueTaskSourceOnCompletedFlags.UseSchedulingContext);

    private void DropHead()
    {
        ref var head = ref Head;
        Http2Segments.Return(head.Buffer);
        head = default;
        _firstSegment = (_firstSegment + 1) & (_segments.Length - 1);
        _segmentCount--;
    }

    private struct Segment
    {
        public byte[] Buffer;
        public int Start;
        public int End;
    }
}
