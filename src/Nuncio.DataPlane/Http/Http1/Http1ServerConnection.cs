using System.Text;
using Nuncio.DataPlane.Time;
using Nuncio.DataPlane.Transport;

namespace Nuncio.DataPlane.Http.Http1;

/// <summary>
/// Serves HTTP/1.1 on one connection: reads a head, has the request processed, goes on. While a request is processed the read for the next one is
/// pending already; that is how a client that goes away is noticed.
/// </summary>
public sealed class Http1ServerConnection : IHttp1InputObserver, IDeadlineOwner
{
    /// <summary>What a client may still send after its answer, and have thrown away: far more than is on the way when the answer is.</summary>
    private const long MaxLingerBytes = 64 * 1024 * 1024;

    /// <summary>For how long it may do so, as a multiple of the delayed close timeout, which limits each pause in it.</summary>
    private const int LingerPauses = 10;

    private static readonly Http1Failure HeaderTimeout = new(408, Errors.LocalReplies.HeaderTimeoutDetails);

    private readonly TransportConnection _transport;
    private readonly HttpStreamProcessor _processor;
    private readonly TimerService _timers;
    private readonly LazyDeadline _deadline;
    private readonly Http1Input _input;
    private readonly Http1Output _output;
    private readonly Http1BodyReader _body;
    private readonly long _opened;
    private readonly byte[] _scheme;
    private Http1ServerStream? _stream;
    private int _phase = (int)Phase.Request;
    private volatile bool _endAnnounced;
    private volatile bool _draining;
    private int _searched;
    private int _requests;

    /// <summary>A connection that is served by <see cref="RunAsync"/>.</summary>
    public Http1ServerConnection(
        TransportConnection transport, DownstreamConnectionInfo connection, Http1ServerOptions options, HttpStreamProcessor processor, TimerService timers)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(timers);
        _transport = transport;
        Info = connection;
        Options = options;
        _processor = processor;
        _timers = timers;
        _deadline = new LazyDeadline(timers, this);
        _input = new Http1Input(transport, this);
        _output = new Http1Output(transport);
        _body = new Http1BodyReader(_input, options.MaxHeaderBytes, options.MaxHeaderCount, options.EnableTrailers);
        _opened = timers.NowMilliseconds;
        _scheme = connection.IsTls ? "https"u8.ToArray() : "http"u8.ToArray();
    }

    // What the connection is waiting for, and so what a deadline or a drain means.
    private enum Phase
    {
        Idle,
        Head,
        HeadTimedOut,
        Request,
        Lingering,
        Closed,
    }

    /// <summary>Who it is.</summary>
    public DownstreamConnectionInfo Info { get; }

    internal Http1ServerOptions Options { get; }

    internal bool IsDraining => _endAnnounced || _draining;

    internal bool IsLastRequest => (Options.MaxRequestsPerConnection > 0 && _requests >= Options.MaxRequestsPerConnection)
        || (Options.MaxConnectionDuration > TimeSpan.Zero && LifeLeft <= TimeSpan.Zero);

    private TimeSpan LifeLeft => Options.MaxConnectionDuration - TimeSpan.FromMilliseconds(_timers.NowMilliseconds - _opened);

    /// <summary>Serves until the connection ends.</summary>
    /// <param name="prefix">Bytes that were read already; copied.</param>
    public async Task RunAsync(ReadOnlyMemory<byte> prefix = default)
    {
        try
        {
            if (!prefix.IsEmpty)
            {
                _input.Prefill(prefix.Span);
            }

            if (await ServeAsync())
            {
                await LingerAsync();
            }
        }
        finally
        {
            Enter(Phase.Closed);
            _deadline.End();
            _stream?.Abort(this, StreamResetReason.ConnectionTermination);
            _output.Drop();
            await _transport.DisposeAsync();
            _input.Release();
        }
    }

    /// <summary>The next response says that the connection closes after it; until then nothing changes.</summary>
    public void AnnounceEnd() => _endAnnounced = true;

    /// <summary>No more requests: an idle connection closes at once, a busy one after its response, which says so.</summary>
    public void Drain()
    {
        _draining = true;

        // A head that is still coming is no request yet, and may never be one.
        if (TryLeave(Phase.Idle, Phase.Closed) || TryLeave(Phase.Head, Phase.Closed))
        {
            _ = CloseIdleAsync();
        }
    }

    /// <summary>Ends it now, from any thread.</summary>
    public void Abort() => _transport.Abort();

    internal void StopReading() => _input.Interrupt();

    // The request was read to its end: from here on a read can only bring the next request, or the client's end.
    internal void WatchForAbort()
    {
        if (!_body.HasSurplus)
        {
            _input.Arm(_body.IsLending);
        }
    }

    void IHttp1InputObserver.OnInputRead(int read)
    {
        var stream = Volatile.Read(ref _stream);
        if (read <= 0 && stream is not null && !(read == 0 && stream.IsTunnel))
        {
            stream.Abort(this, StreamResetReason.ConnectionTermination);
        }
    }

    void IDeadlineOwner.OnDeadline()
    {
        if (TryLeave(Phase.Head, Phase.HeadTimedOut))
        {
            _input.Interrupt();
        }
        else if (TryLeave(Phase.Idle, Phase.Closed))
        {
            (Options.MaxConnectionDuration > TimeSpan.Zero && LifeLeft <= TimeSpan.Zero
                ? Options.Metrics?.DownstreamConnectionsMaxDurationReached
                : Options.Metrics?.DownstreamConnectionsIdleTimeout)?.Increment();
            _ = CloseIdleAsync();
        }
        else if (Volatile.Read(ref _phase) == (int)Phase.Lingering)
        {
            _transport.Abort();
        }
    }

    // True: the peer may still be sending what will not be read, so that closing at once could destroy the answer on its way.
    private async ValueTask<bool> ServeAsync()
    {
        while (true)
        {
            // A connection holds no stream while it is idle.
            Http1ServerStream? stream = null;
            Http1Failure? failure = null;
            while (_input.Length == 0 || !TryReadHead(stream ??= RentStream(), out failure))
            {
                if (!BeginWaiting())
                {
                    return false;
                }

                var read = await _input.FillAsync(Http1Input.SmallBuffer);
                if (Volatile.Read(ref _phase) == (int)Phase.HeadTimedOut)
                {
                    failure = HeaderTimeout;
                    break;
                }

                if (read <= 0 || !EndWaiting())
                {
                    return false;
                }
            }

            stream ??= RentStream();
            Enter(Phase.Request);
            _deadline.Clear();
            _requests++;
            Volatile.Write(ref _stream, stream);
            if (_requests == 1 && ReferenceEquals(failure, Http1Failure.NotHttp))
            {
                // A peer that begins with another protocol, a broken HTTP/2 preface for instance, would misread an answer in this one.
                Volatile.Write(ref _stream, null);
                return false;
            }

            if (failure is not null)
            {
                if (failure.Status != 408)
                {
                    Options.Metrics?.DownstreamConnectionsProtocolError.Increment();
                }

                stream.Refuse();
                await _processor.RejectAsync(stream, failure.Status, failure.Details);
                Volatile.Write(ref _stream, null);
                return stream.ResponseEnded;
            }

            if (stream.ExpectsContinue && !await AnswerExpectAsync(stream))
            {
                return false;
            }

            if (stream.RequestEndedWithHeaders)
            {
                WatchForAbort();
            }

            await _processor.ProcessAsync(stream);
            Volatile.Write(ref _stream, null);
            _body.Return();
            if (!stream.MayContinue)
            {
                if (Options.MaxRequestsPerConnection > 0 && _requests >= Options.MaxRequestsPerConnection)
                {
                    Options.Metrics?.DownstreamConnectionsMaxRequestsReached.Increment();
                }
                else if (IsDraining)
                {
                    Options.Metrics?.DownstreamConnectionsDrainClose.Increment();
                }

                return stream.EndsBeforeClient;
            }

            Http1ServerStreamPool.Return(stream);
        }
    }

    private Http1ServerStream RentStream()
    {
        var stream = Http1ServerStreamPool.Rent();
        stream.Begin(this, _body, _output);
        return stream;
    }

    // False: more bytes are needed.
    private bool TryReadHead(Http1ServerStream stream, out Http1Failure? failure)
    {
        failure = null;
        while (_searched == 0 && _input.Span.StartsWith("\r\n"u8))
        {
            // RFC 9112 section 2.2: an empty line before a request line is some old client's.
            _input.Consume(2);
        }

        var span = _input.Span;
        var end = span[_searched..].IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            failure = span.Length > Options.MaxHeaderBytes ? Http1Failure.HeadersTooLarge
                : HasBareLineFeed(span, _searched) || !BeginsWithMethod(span) ? Http1Failure.Malformed : null;
            _searched = Math.Max(0, span.Length - 3);
            return failure is not null;
        }

        end += _searched + 4;
        _searched = 0;
        if (end > Options.MaxHeaderBytes)
        {
            failure = Http1Failure.HeadersTooLarge;
            return true;
        }

        failure = Http1RequestParser.Parse(span[..end], stream.RequestHeaders, _scheme, Options, out var framing, out var isHttp10);
        if (failure is null && isHttp10 && !AcceptHttp10(stream))
        {
            failure = Http1Failure.Http10;
        }

        _input.Consume(end);
        if (failure is null)
        {
            stream.Accept(framing, isHttp10);
        }

        return true;
    }

    private bool AcceptHttp10(Http1ServerStream stream)
    {
        if (Options.AcceptHttp10 && Options.DefaultHostForHttp10.Length > 0 && !stream.RequestHeaders.Contains(KnownHeader.Authority))
        {
            stream.RequestHeaders.Add(KnownHeader.Authority, Encoding.ASCII.GetBytes(Options.DefaultHostForHttp10));
        }

        return Options.AcceptHttp10;
    }

    // Envoy answers before it knows what becomes of the request, and the upstream never sees the expectation.
    private ValueTask<bool> AnswerExpectAsync(Http1ServerStream stream)
    {
        stream.RequestHeaders.Remove(KnownHeader.Expect);
        Options.Metrics?.CountResponse(100, Info.HttpMetrics);
        _output.Write("HTTP/1.1 100 Continue\r\n\r\n"u8);
        return _output.FlushAsync();
    }

    // Whatever it is, TLS for instance, waiting for the end of its head would be waiting for ever.
    private static bool BeginsWithMethod(ReadOnlySpan<byte> span)
    {
        var end = span.IndexOfAnyExcept(Http1Chars.Token);
        return end < 0 || (end == 0 ? span is [(byte)'\r'] : span[end] == ' ');
    }

    // A line feed that no carriage return precedes never becomes the end of a head that we accept, so there is no point in waiting for it.
    private static bool HasBareLineFeed(ReadOnlySpan<byte> span, int from)
    {
        while (span[from..].IndexOf((byte)'\n') is >= 0 and var next)
        {
            from += next;
            if (from == 0 || span[from - 1] != '\r')
            {
                return true;
            }

            from++;
        }

        return false;
    }

    // False: the connection is to close instead.
    private bool BeginWaiting()
    {
        if (_input.Length > 0)
        {
            if (Volatile.Read(ref _phase) != (int)Phase.Head)
            {
                Enter(Phase.Head);
                SetDeadline(Options.RequestHeadersTimeout);
                if (_draining && TryLeave(Phase.Head, Phase.Request))
                {
                    return false;
                }
            }

            return true;
        }

        // Nothing but an empty line has come: that was not the beginning of a head.
        TryLeave(Phase.Head, Phase.Request);
        if (_draining || !TryLeave(Phase.Request, Phase.Idle))
        {
            return false;
        }

        SetDeadline(Options.MaxConnectionDuration > TimeSpan.Zero && (Options.IdleTimeout == TimeSpan.Zero || LifeLeft < Options.IdleTimeout)
            ? LifeLeft : Options.IdleTimeout);

        // Drain may have looked at the phase before it was Idle and after we looked at the flag.
        return !_draining || !TryLeave(Phase.Idle, Phase.Request);
    }

    private bool EndWaiting() => TryLeave(Phase.Idle, Phase.Request) || Volatile.Read(ref _phase) == (int)Phase.Head;

    private void SetDeadline(TimeSpan delay)
    {
        if (delay > TimeSpan.Zero)
        {
            _deadline.Set(delay);
        }
        else
        {
            _deadline.Clear();
        }
    }

    // Closing with unread bytes would be a reset, which takes the answer from a client that still sends: what comes is thrown away, for as long as the client
    // gets on with it and within bounds of time and bytes.
    private async ValueTask LingerAsync()
    {
        var pause = Options.DelayedCloseTimeout;
        if (pause <= TimeSpan.Zero)
        {
            return;
        }

        var left = pause * LingerPauses;
        var began = _timers.NowMilliseconds;
        Enter(Phase.Lingering);
        SetDeadline(pause);
        if (!await _output.FlushAsync())
        {
            return;
        }

        _transport.NoteEndByUs();
        await _transport.ShutdownWriteAsync();
        _input.Resume();
        for (var dropped = 0L; dropped < MaxLingerBytes; dropped += _input.Length)
        {
            _input.Consume(_input.Length);
            var read = await _input.FillAsync(Http1Input.LargeBuffer);
            if (read == Http1Input.Interrupted)
            {
                // By who has come too late, the head's deadline for instance.
                _input.Resume();
                continue;
            }

            if (read <= 0)
            {
                return;
            }

            var rest = left - TimeSpan.FromMilliseconds(_timers.NowMilliseconds - began);
            if (rest <= TimeSpan.Zero)
            {
                return;
            }

            SetDeadline(rest < pause ? rest : pause);
        }

        // It sends faster than it can have read the answer: its bytes wait now, and so do we.
        _input.Consume(_input.Length);
        _input.Release();
        await Task.Delay(pause, _timers.Time);
    }

    // With an end that the client can tell from a failure; it may be about to send.
    private async Task CloseIdleAsync()
    {
        await _transport.ShutdownWriteAsync();
        _transport.Abort();
    }

    private void Enter(Phase phase) => Volatile.Write(ref _phase, (int)phase);

    private bool TryLeave(Phase from, Phase to) => Interlocked.CompareExchange(ref _phase, (int)to, (int)from) == (int)from;
}
