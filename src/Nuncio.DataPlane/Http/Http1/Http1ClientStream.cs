using System.Globalization;
using System.Runtime.CompilerServices;
using Nuncio.DataPlane.Async;

namespace Nuncio.DataPlane.Http.Http1;

/// <summary>The one stream of an HTTP/1.1 client connection, used again for each request.</summary>
internal sealed class Http1ClientStream : HttpClientStream
{
    // An upstream that sends nothing but 1xx heads would otherwise keep a request busy for ever at no cost to itself.
    private const int MaxInformational = 64;

    private readonly Http1ClientConnection _connection;
    private readonly Http1ClientOptions _options;
    private readonly Http1BodyReader _body;
    private readonly Http1Input _input;
    private readonly Http1Output _output;
    private volatile StreamResetReason _failure;
    private HeaderSpelling? _spelling;
    private bool _isHead;
    private bool _isConnect;
    private bool _isUpgrade;
    private bool _chunked;
    private bool _requestComplete;
    private volatile bool _requestSent;
    private bool _headComplete;
    private bool _keepAlive;
    private bool _tunnel;
    private int _informational;
    private long _outputBefore;

    public Http1ClientStream(Http1ClientConnection connection, Http1ClientOptions options)
    {
        _connection = connection;
        _options = options;
        _input = connection.Input;
        _output = connection.Output;
        _body = new Http1BodyReader(_input, options.MaxHeaderBytes, options.MaxHeaderCount, options.EnableTrailers);
        _body.Attach(ResponseTrailers);
        Version = HttpProtocolVersion.Http11;
    }

    /// <summary>
    /// Ready for a new request. Before the connection counts as idle, so that bytes arriving from then on meet a stream that has asked for nothing.
    /// </summary>
    public void Begin()
    {
        ResponseHeaders.Clear();
        ResponseTrailers.Clear();
        _failure = StreamResetReason.None;
        _isHead = _isConnect = _isUpgrade = _chunked = _requestComplete = _headComplete = _keepAlive = _tunnel = false;
        _requestSent = false;
        _informational = 0;
        _outputBefore = _output.Total;
        BytesSent = BytesReceived = 0;
        _body.BeginNone();
    }

    /// <summary>The connection is being closed under it.</summary>
    public void Fail(StreamResetReason reason)
    {
        if (_failure == StreamResetReason.None)
        {
            _failure = reason;
        }
    }

    /// <summary>Bytes came.</summary>
    public void OnInputRead(int read)
    {
        if (read > 0 && !_requestSent)
        {
            // An answer before the question is the rest of an earlier exchange.
            Fail(StreamResetReason.ProtocolError);
        }
    }

    /// <inheritdoc/>
    internal override Transport.TransportConnection Transport => _connection.Transport;

    /// <inheritdoc/>
    public override ValueTask<StreamResetReason> WriteHeadersAsync(HeaderMap headers, bool endStream)
    {
        var method = headers.Get(KnownHeader.Method);
        _isHead = method.SequenceEqual("HEAD"u8);
        _isConnect = method.SequenceEqual("CONNECT"u8);
        _isUpgrade = headers.Contains(KnownHeader.Upgrade) && headers.Contains(KnownHeader.Connection);
        ReadOnlySpan<byte> framing = default;
        if (!headers.Contains(KnownHeader.ContentLength) && !_isConnect && !_isUpgrade)
        {
            if (!endStream)
            {
                _chunked = true;
                framing = "transfer-encoding: chunked\r\n"u8;
            }
            else if (!MeansNoBody(method))
            {
                framing = "content-length: 0\r\n"u8;
            }
        }

        Http1HeadWriter.WriteRequest(_output, headers, _options.HeaderCase, _isUpgrade, framing);
        return endStream ? EndRequest() : default;
    }

    /// <inheritdoc/>
    public override ValueTask<StreamResetReason> WriteBodyAsync(ReadOnlyMemory<byte> data, bool endStream)
    {
        if (_failure != StreamResetReason.None)
        {
            return new ValueTask<StreamResetReason>(_failure);
        }

        if (data.Length > 0)
        {
            if (_chunked)
            {
                Http1HeadWriter.WriteChunkSize(_output, data.Length);
            }

            var write = WriteDataAsync(data);
            if (!write.IsCompletedSuccessfully)
            {
                return FinishWriteAsync(write, endStream);
            }

            if (!write.Result)
            {
                return new ValueTask<StreamResetReason>(Broken());
            }

            if (_chunked)
            {
                _output.Write("\r\n"u8);
            }
        }

        return endStream ? EndBody(null) : default;
    }

    /// <inheritdoc/>
    public override ValueTask<StreamResetReason> WriteTrailersAsync(HeaderMap trailers) => EndBody(_options.EnableTrailers ? trailers : null);

    /// <inheritdoc/>
    public override ValueTask<StreamResetReason> FlushAsync()
    {
        if (_failure != StreamResetReason.None)
        {
            return new ValueTask<StreamResetReason>(_failure);
        }

        _requestSent = true;
        var flush = _output.FlushAsync();
        return flush.IsCompletedSuccessfully ? new ValueTask<StreamResetReason>(flush.Result ? StreamResetReason.None : Broken()) : FinishFlushAsync(flush);
    }

    /// <inheritdoc/>
    public override ValueTask<ClientHeadersRead> ReadHeadersAsync()
    {
        if (_input.Length > 0 && TryReadHead(out var read))
        {
            return new ValueTask<ClientHeadersRead>(read);
        }

        return ReadHeadersSlowAsync();
    }

    /// <inheritdoc/>
    public override ValueTask<BodyRead> ReadBodyAsync()
    {
        var read = _body.ReadAsync();
        if (!read.IsCompletedSuccessfully)
        {
            return FinishReadAsync(read);
        }

        return new ValueTask<BodyRead>(Counted(read.Result));
    }

    /// <inheritdoc/>
    public override void Reset(StreamResetReason reason)
    {
        if (!(_requestComplete && _headComplete && _body.IsComplete))
        {
            _connection.Close(reason == StreamResetReason.None ? StreamResetReason.LocalReset : reason);
        }
    }

    /// <inheritdoc/>
    public override void Release()
    {
        _body.Return();
        var complete = _requestComplete && _headComplete && _body.IsComplete;
        _connection.OnStreamReleased(
            complete, complete && _keepAlive && !_tunnel && _failure == StreamResetReason.None && !_output.IsBroken && _input.Length == 0);
    }

    // Envoy's rule for "content-length: 0": these methods say nothing about a body that is not there.
    private static bool MeansNoBody(ReadOnlySpan<byte> method) =>
        method.SequenceEqual("GET"u8) || method.SequenceEqual("HEAD"u8) || method.SequenceEqual("DELETE"u8) || method.SequenceEqual("TRACE"u8)
        || method.SequenceEqual("CONNECT"u8);

    private ValueTask<bool> WriteDataAsync(ReadOnlyMemory<byte> data)
    {
        _requestSent = true;
        return _output.WriteAsync(data);
    }

    private ValueTask<StreamResetReason> EndRequest()
    {
        _requestComplete = true;
        return FlushAsync();
    }

    private ValueTask<StreamResetReason> EndBody(HeaderMap? trailers)
    {
        if (_chunked)
        {
            Http1HeadWriter.WriteLastChunk(_output, trailers, _options.HeaderCase);
        }

        return _isUpgrade || _isConnect ? EndTunnelAsync() : EndRequest();
    }

    // The end of a tunnel's client side is the end of the connection's sending side.
    [AsyncMethodBuilder(typeof(PooledBuilder<>))]
    private async ValueTask<StreamResetReason> EndTunnelAsync()
    {
        var sent = await EndRequest();
        await _connection.ShutdownWriteAsync();
        return sent;
    }

    [AsyncMethodBuilder(typeof(PooledBuilder<>))]
    private async ValueTask<StreamResetReason> FinishWriteAsync(ValueTask<bool> write, bool endStream)
    {
        if (!await write)
        {
            return Broken();
        }

        if (_chunked)
        {
            _output.Write("\r\n"u8);
        }

        return endStream ? await EndBody(null) : StreamResetReason.None;
    }

    [AsyncMethodBuilder(typeof(PooledBuilder<>))]
    private async ValueTask<StreamResetReason> FinishFlushAsync(ValueTask<bool> flush) => await flush ? StreamResetReason.None : Broken();

    private StreamResetReason Broken()
    {
        Fail(StreamResetReason.ConnectionTermination);
        return _failure;
    }

    [AsyncMethodBuilder(typeof(PooledBuilder<>))]
    private async ValueTask<BodyRead> FinishReadAsync(ValueTask<BodyRead> read) => Counted(await read);

    private BodyRead Counted(BodyRead read)
    {
        BytesReceived += read.Data.Length;
        BytesSent = _output.Total - _outputBefore;
        if (read.Error == StreamResetReason.None)
        {
            return read;
        }

        Fail(read.Error);
        return BodyRead.Failed(_failure);
    }

    [AsyncMethodBuilder(typeof(PooledBuilder<>))]
    private async ValueTask<ClientHeadersRead> ReadHeadersSlowAsync()
    {
        while (true)
        {
            if (_failure != StreamResetReason.None)
            {
                return new ClientHeadersRead(true, _failure);
            }

            var filled = await _input.FillAsync(Http1Input.SmallBuffer);
            if (filled <= 0)
            {
                if (filled == 0 && _input.Length > 0)
                {
                    // An end in the middle of a head: not a connection that was closed, an answer that is none.
                    Fail(StreamResetReason.ProtocolError);
                }

                return new ClientHeadersRead(true, Broken());
            }

            if (TryReadHead(out var read))
            {
                return read;
            }
        }
    }

    // False: more bytes are needed.
    private bool TryReadHead(out ClientHeadersRead read)
    {
        if (_failure != StreamResetReason.None)
        {
            read = new ClientHeadersRead(true, _failure);
            return true;
        }

        var span = _input.Span;
        var end = span.IndexOf("\r\n\r\n"u8);
        if (end < 0 && span.Length <= _options.MaxHeaderBytes && MayBecomeHead(span))
        {
            read = default;
            return false;
        }

        if (end < 0 || end > _options.MaxHeaderBytes || !ParseHead(span[..(end + 4)], out var endStream))
        {
            Fail(StreamResetReason.ProtocolError);
            read = new ClientHeadersRead(true, _failure);
            return true;
        }

        _input.Consume(end + 4);
        BytesReceived += end + 4;
        BytesSent = _output.Total - _outputBefore;
        read = new ClientHeadersRead(endStream);
        return true;
    }

    // What is no HTTP, or has a line that ends otherwise than a line of HTTP/1.1, gets no better by waiting for more.
    private static bool MayBecomeHead(ReadOnlySpan<byte> span)
    {
        var start = "HTTP/1."u8;
        if (!span.StartsWith(start[..Math.Min(span.Length, start.Length)]))
        {
            return false;
        }

        var at = 0;
        while (span[at..].IndexOf((byte)'\n') is >= 0 and var next)
        {
            at += next;
            if (span[at - 1] != '\r')
            {
                return false;
            }

            at++;
        }

        return true;
    }

    // HTTP/1.x SSS[ reason]; an empty reason without its space is common enough to be let through.
    private bool ParseHead(ReadOnlySpan<byte> head, out bool endStream)
    {
        endStream = false;
        var lineEnd = head.IndexOf((byte)'\n') + 1;
        var line = head[..(lineEnd - 1)];
        if (line.Length < 13 || !line.StartsWith("HTTP/1."u8) || line[7] is not ((byte)'0' or (byte)'1') || line[8] != ' ' || line[^1] != '\r'
            || line[12] is not ((byte)' ' or (byte)'\r') || line[..^1].ContainsAny(Http1Chars.NotInValue)
            || !int.TryParse(line.Slice(9, 3), NumberStyles.None, CultureInfo.InvariantCulture, out var status) || status < 100)
        {
            return false;
        }

        ResponseHeaders.Clear();
        if (_options.PreserveCase)
        {
            _spelling ??= new HeaderSpelling { CapitalisesOthers = _options.CapitalisesOthers };
            _spelling.Clear();
            ResponseHeaders.Spelling = _spelling;
        }

        ResponseHeaders.Add(KnownHeader.Status, line.Slice(9, 3));
        var framing = Http1FieldParser.Begin();
        if (Http1FieldParser.Parse(head[lineEnd..], ResponseHeaders, ref framing, _options.MaxHeaderCount, hostAsAuthority: false) is not null)
        {
            return false;
        }

        return BeginResponse(status, line[7] == '1', framing, out endStream);
    }

    // RFC 9112 section 6.3, and refusal where it speaks of robustness.
    private bool BeginResponse(int status, bool isHttp11, in Http1Framing framing, out bool endStream)
    {
        endStream = false;
        if (framing.HasTransferEncoding && (framing.ContentLength >= 0 || !isHttp11))
        {
            return false;
        }

        // These have no body: whoever announces one disagrees with us about where the next answer begins.
        if ((status < 200 || status == 204) && status != 101 && (framing.HasTransferEncoding || framing.ContentLength > 0))
        {
            return false;
        }

        if (status == 101)
        {
            _headComplete = _tunnel = _isUpgrade;
            _body.BeginUntilEnd();
            return _isUpgrade;
        }

        if (status < 200)
        {
            return ++_informational <= MaxInformational;
        }

        _headComplete = true;
        _keepAlive = framing.ConnectionClose ? false : isHttp11 || framing.ConnectionKeepAlive;
        if (_isConnect && status < 300)
        {
            _tunnel = true;
            _body.BeginUntilEnd();
        }
        else if (_isHead || status is 204 or 304)
        {
            _body.BeginNone();
        }
        else if (framing.Chunked)
        {
            _body.BeginChunked();
        }
        else if (framing.ContentLength >= 0)
        {
            _body.BeginLength(framing.ContentLength);
        }
        else
        {
            _keepAlive = false;
            _body.BeginUntilEnd();
        }

        endStream = _body.IsComplete;
        return true;
    }
}
