using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Nuncio.DataPlane.Errors;
using Nuncio.DataPlane.Time;
using Nuncio.DataPlane.Transport.Quic;

namespace Nuncio.DataPlane.Http.Http3;

/// <summary>A client's HTTP/3 connection (RFC 9114): each request has a stream of its own and is handed to the processor on the thread that read it.</summary>
internal sealed partial class Http3ServerConnection
{
    // How long a client has to hear that no more requests are taken before those that still come are refused.
    private static readonly TimeSpan LastCall = TimeSpan.FromSeconds(1);

    // How long after the last answer a client has to close by itself. What is lost with the connection is at most a request that came too late.
    private static readonly TimeSpan Linger = TimeSpan.FromMilliseconds(100);

    private readonly QuicTransportConnection _transport;
    private readonly HttpStreamProcessor _processor;
    private readonly ILogger _logger;
    private readonly int _maxConcurrentStreams;
    private readonly PrematureResets _resets;
    private readonly Lock _gate = new();
    private readonly ITimer? _idleTimer;
    private readonly ITimer? _durationTimer;
    private ITimer? _drainTimer;
    private int _open;
    private long _requests;
    private long _idleSince;
    private long _nextRequest;
    private bool _ending;
    private bool _draining;
    private bool _refusing;
    private bool _closing;
    private bool _ended;

    /// <summary>A connection whose handshake is done.</summary>
    public Http3ServerConnection(
        QuicTransportConnection transport,
        DownstreamConnectionInfo connection,
        HttpStreamProcessor processor,
        Http3Options options,
        int maxConcurrentStreams,
        TimerService timers,
        ILogger? logger = null)
    {
        _transport = transport;
        _processor = processor;
        _maxConcurrentStreams = maxConcurrentStreams;
        _logger = logger ?? NullLogger.Instance;
        Downstream = connection;
        Options = options;
        Timers = timers;
        Time = timers.Time;
        _resets = new PrematureResets(Time);
        _control = new Http3ControlStream(transport, options);
        _idleSince = Time.GetTimestamp();
        if (options.IdleTimeout is { } idle)
        {
            _idleTimer = Time.CreateTimer(static state => ((Http3ServerConnection)state!).OnIdleTimer(), this, idle, Timeout.InfiniteTimeSpan);
        }

        if (options.MaxConnectionDuration is { } duration)
        {
            _durationTimer = Time.CreateTimer(static state => ((Http3ServerConnection)state!).Drain(), this, duration, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>What is known of the client.</summary>
    public DownstreamConnectionInfo Downstream { get; }

    /// <summary>The settings.</summary>
    public Http3Options Options { get; }

    /// <summary>For deadlines of requests.</summary>
    public TimerService Timers { get; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; }

    /// <summary>The client broke the protocol.</summary>
    public bool IsFailed { get; private set; }

    /// <summary>It ended while a request was under way.</summary>
    public bool EndedInRequest { get; private set; }

    /// <summary>Serves until the connection has ended.</summary>
    public async Task RunAsync()
    {
        _ = _control.RunAsync();
        try
        {
            while (await _transport.AcceptStreamAsync() is { } stream)
            {
                if (stream.IsBidirectional)
                {
                    AcceptRequest(stream);
                }
                else
                {
                    _ = ReadUnidirectionalAsync(stream);
                }
            }
        }
        finally
        {
            lock (_gate)
            {
                _ended = true;
                EndedInRequest |= _open > 0;
                _drainTimer?.Dispose();
            }

            _idleTimer?.Dispose();
            _durationTimer?.Dispose();
            _transport.Close((long)Http3ErrorCode.NoError);
            _ = _control.EndAsync();
        }
    }

    /// <summary>Tells the client that it shall make no more requests (RFC 9114 section 5.2); those that come all the same are taken.</summary>
    public void AnnounceEnd()
    {
        lock (_gate)
        {
            _ending = true;
            if (_nextRequest == 0)
            {
                // Who is about to make its first request may take GOAWAY before it for a server that does not work: it is told with that one.
                return;
            }
        }

        _control.SendGoAway(Http3ControlStream.NoLimit);
    }

    /// <summary>
    /// Takes no more requests once the client could know, and closes when the open ones are done. Those that come too late are refused, which tells the
    /// client that they can be made elsewhere.
    /// </summary>
    public void Drain()
    {
        lock (_gate)
        {
            if (_draining || _ended)
            {
                return;
            }

            _draining = true;
            if (!_control.IsEndAnnounced)
            {
                AnnounceEnd();
                _drainTimer = Time.CreateTimer(static state => ((Http3ServerConnection)state!).Refuse(), this, LastCall, Timeout.InfiniteTimeSpan);
                return;
            }
        }

        Refuse();
    }

    /// <summary>Ends it at once, from any thread.</summary>
    public void Abort() => _transport.Close((long)Http3ErrorCode.InternalError);

    /// <summary>Ends it because the client broke the protocol.</summary>
    public void Fail(Http3ErrorCode error)
    {
        IsFailed = true;
        lock (_gate)
        {
            EndedInRequest |= _open > 0;
        }

        _transport.Close((long)error);
    }

    /// <summary>The client has reset a request before its answer was complete.</summary>
    public void OnClientReset(bool isAnswered, long started)
    {
        Options.Metrics?.ReceivedReset.Increment();
        if (_resets.IsAttack(isAnswered, started))
        {
            Fail(Http3ErrorCode.ExcessiveLoad);
        }
    }

    /// <summary>The connection has ended under a stream, which may be over before that is known otherwise.</summary>
    public void OnLost(bool inRequest)
    {
        if (inRequest)
        {
            lock (_gate)
            {
                EndedInRequest = true;
            }
        }
    }

    /// <summary>A stream was reset from here.</summary>
    public void CountSentReset() => Options.Metrics?.SentReset.Increment();

    private void AcceptRequest(QuicTransportStream transport)
    {
        var drains = false;
        var isRefused = false;
        var isEnding = false;
        lock (_gate)
        {
            // The platform holds the client to its limit, but lets it open another stream as soon as one has ended, which may be before that is known here,
            // or before what was begun for a client that has given up has come to its end. Hence as many again, and no more.
            isRefused = _refusing || _open >= 2L * _maxConcurrentStreams;
            if (!isRefused)
            {
                _open++;
                _nextRequest = Math.Max(_nextRequest, transport.Id + 4);
                isEnding = _ending;
                drains = Options.MaxRequestsPerConnection > 0 && ++_requests >= Options.MaxRequestsPerConnection;
            }
        }

        if (isRefused)
        {
            _ = RefuseAsync(transport);
            return;
        }

        if (isEnding)
        {
            _control.SendGoAway(Http3ControlStream.NoLimit);
        }

        if (drains)
        {
            Drain();
        }

        _ = ServeAsync(new Http3ServerStream(this, transport));
    }

    private static async Task RefuseAsync(QuicTransportStream transport)
    {
        transport.AbortWrite((long)Http3ErrorCode.RequestRejected);
        transport.AbortRead((long)Http3ErrorCode.RequestRejected);
        await transport.CloseAsync();
    }

    private async Task ServeAsync(Http3ServerStream stream)
    {
        try
        {
            await AnswerAsync(stream, await stream.ReadHeadAsync());
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            LogProcessorFailed(e, Downstream.Id);
        }

        _resets.CountRequest();
        await stream.FinishAsync();
        lock (_gate)
        {
            if (--_open == 0)
            {
                _idleSince = Time.GetTimestamp();
            }
        }

        CloseIfDone();
    }

    private ValueTask AnswerAsync(Http3ServerStream stream, Http3HeadOutcome outcome)
    {
        switch (outcome)
        {
            case Http3HeadOutcome.Request:
                return _processor.ProcessAsync(stream);
            case Http3HeadOutcome.TimedOut:
                return _processor.RejectAsync(stream, 408, LocalReplies.HeaderTimeoutDetails);
            case Http3HeadOutcome.TooLarge:
                stream.Reset(Http3ErrorCode.ExcessiveLoad);
                break;
            case Http3HeadOutcome.Refused:
                Options.Metrics?.RejectedWithUnderscores.Increment();
                stream.Reset(Http3ErrorCode.RequestRejected);
                break;
            case Http3HeadOutcome.WithoutBody:
                _processor.OnUnreadable(stream, LocalReplies.Http3LengthDetails);
                stream.Reset(Http3ErrorCode.MessageError);
                break;
            case Http3HeadOutcome.Malformed:
                // What was read before the fault may mean something else than the client said: nothing of it is logged.
                stream.RequestHeaders.Clear();
                _processor.OnUnreadable(stream, LocalReplies.Http3MessagingDetails);
                if (Options.StreamErrorOnInvalidHttpMessage)
                {
                    stream.Reset(Http3ErrorCode.MessageError);
                }
                else
                {
                    Fail(Http3ErrorCode.MessageError);
                }

                break;
            case Http3HeadOutcome.Incomplete:
                stream.Reset(Http3ErrorCode.RequestIncomplete);
                break;
        }

        return default;
    }

    private void Refuse()
    {
        lock (_gate)
        {
            if (_refusing || _ended)
            {
                return;
            }

            _refusing = true;
            _control.SendGoAway(_nextRequest);
        }

        CloseIfDone();
    }

    // The client closes when it has heard of the end and has its answers; who does not is closed.
    private void CloseIfDone()
    {
        lock (_gate)
        {
            if (!_refusing || _open > 0 || _closing || _ended)
            {
                return;
            }

            _closing = true;
            _drainTimer?.Dispose();
            _drainTimer = Time.CreateTimer(
                static state => ((Http3ServerConnection)state!)._transport.Close((long)Http3ErrorCode.NoError), this, Linger, Timeout.InfiniteTimeSpan);
        }
    }

    private void OnIdleTimer()
    {
        TimeSpan left;
        lock (_gate)
        {
            var idle = Options.IdleTimeout!.Value;
            left = _open > 0 ? idle : idle - Time.GetElapsedTime(_idleSince);
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

    [LoggerMessage(EventId = 2002, Level = LogLevel.Error, Message = "A request of connection {Connection} failed in the proxy itself.")]
    private partial void LogProcessorFailed(Exception exception, long connection);
}
