using Nuncio.DataPlane.Transport.Quic;

namespace Nuncio.DataPlane.Http.Http3;

/// <summary>Our control stream (RFC 9114 section 6.2.1): SETTINGS, and GOAWAY when the end is near.</summary>
internal sealed class Http3ControlStream
{
    /// <summary>For GOAWAY: whatever is on its way is still taken (section 5.2).</summary>
    public const long NoLimit = QuicInteger.MaxValue - 3;

    private const long Nothing = long.MaxValue;

    private readonly QuicTransportConnection _transport;
    private readonly Http3Options _options;
    private readonly Lock _gate = new();
    private QuicTransportStream? _stream;
    private long _wanted = Nothing;
    private long _sent = Nothing;
    private bool _isWriting;
    private bool _isOver;

    public Http3ControlStream(QuicTransportConnection transport, Http3Options options)
    {
        _transport = transport;
        _options = options;
    }

    /// <summary>A GOAWAY was sent, or will be as soon as the client lets us.</summary>
    public bool IsEndAnnounced
    {
        get
        {
            lock (_gate)
            {
                return _wanted != Nothing;
            }
        }
    }

    /// <summary>Opens the stream and sends SETTINGS. It stays open for as long as the connection, whose end ends it.</summary>
    public async Task RunAsync()
    {
        if (await _transport.OpenUnidirectionalStreamAsync() is not { } stream)
        {
            return;
        }

        var output = new Http3OutputBuffer();
        output.WriteInteger(Http3StreamType.Control);
        output.StartFrame(Http3FrameType.Settings);

        // No dynamic table and no blocked streams, which are the defaults.
        output.WriteInteger(Http3Setting.MaxFieldSectionSize);
        output.WriteInteger(_options.MaxHeaderBytes);
        if (_options.AllowExtendedConnect)
        {
            output.WriteInteger(Http3Setting.EnableConnectProtocol);
            output.WriteInteger(1);
        }

        output.EndFrame();
        var isSent = await stream.WriteAsync(output.Written, end: false);
        output.Release();
        var isOver = !isSent;
        if (isSent)
        {
            lock (_gate)
            {
                _stream = stream;
                isOver = _isOver;
            }

            await WriteGoAwaysAsync();
        }

        if (isOver)
        {
            await stream.CloseAsync();
        }
    }

    /// <summary>The connection has ended: lets go of the stream, which would keep the platform's part of the connection in memory.</summary>
    public async Task EndAsync()
    {
        QuicTransportStream? stream;
        lock (_gate)
        {
            stream = _isOver ? null : _stream;
            _isOver = true;
        }

        if (stream is not null)
        {
            await stream.CloseAsync();
        }
    }

    /// <summary>Tells that requests from this stream on are not answered; never more than was told before.</summary>
    public void SendGoAway(long firstRefused)
    {
        lock (_gate)
        {
            if (firstRefused >= _wanted)
            {
                return;
            }

            _wanted = firstRefused;
        }

        _ = WriteGoAwaysAsync();
    }

    private async Task WriteGoAwaysAsync()
    {
        while (true)
        {
            long next;
            lock (_gate)
            {
                if (_stream is null || _isWriting || _sent == _wanted)
                {
                    return;
                }

                _isWriting = true;
                next = _wanted;
            }

            var output = new Http3OutputBuffer();
            output.StartFrame(Http3FrameType.GoAway);
            output.WriteInteger(next);
            output.EndFrame();
            await _stream.WriteAsync(output.Written, end: false);
            output.Release();
            lock (_gate)
            {
                _isWriting = false;
                _sent = next;
            }
        }
    }
}
