using System.Text;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Http.Http1;
using Nuncio.DataPlane.Tests.Http.Http2;

namespace Nuncio.DataPlane.Tests.Http.Http1;

public sealed class Http1ClientConnectionTests : IHttpClientConnectionOwner
{
    private readonly MemoryTransport _upstream;
    private readonly Http1ClientConnection _connection;
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _available;

    public Http1ClientConnectionTests()
    {
        (_upstream, var client) = MemoryTransport.CreatePair();
        _connection = new Http1ClientConnection(client, Http1ClientOptions.Default with { EnableTrailers = true }) { Owner = this };
    }

    public void OnStreamsAvailable(HttpClientConnection connection) => Interlocked.Increment(ref _available);

    public void OnClosed(HttpClientConnection connection) => _closed.TrySetResult();

    [Theory]
    [InlineData("GET", true, "GET /p HTTP/1.1\r\nhost: x\r\na: b\r\n\r\n")]
    [InlineData("POST", true, "POST /p HTTP/1.1\r\nhost: x\r\na: b\r\ncontent-length: 0\r\n\r\n")]
    [InlineData("DELETE", true, "DELETE /p HTTP/1.1\r\nhost: x\r\na: b\r\n\r\n")]
    public async Task Request_WithoutBody_IsWritten(string method, bool endStream, string expected)
    {
        await _connection.OpenStream()!.WriteHeadersAsync(Head(method), endStream);

        (await SentAsync(expected.Length)).ShouldBe(expected);
    }

    [Fact]
    public async Task Request_WithBodyOfUnknownLength_IsChunked()
    {
        var stream = _connection.OpenStream()!;
        var trailers = new HeaderMap();
        trailers.Add("t"u8, "v"u8);

        await stream.WriteHeadersAsync(Head("POST"), false);
        await stream.WriteBodyAsync("abc"u8.ToArray(), false);
        await stream.WriteTrailersAsync(trailers);

        const string expected = "POST /p HTTP/1.1\r\nhost: x\r\na: b\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nt: v\r\n\r\n";
        (await SentAsync(expected.Length)).ShouldBe(expected);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "200", "abc", true)]
    [InlineData("HTTP/1.1 200\r\nContent-Length: 3\r\n\r\nabc", "200", "abc", true)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "200", "abc", true)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc", "200", "abc", false)]
    [InlineData("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", "200", "abc", false)]
    [InlineData("HTTP/1.0 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\nabc", "200", "abc", true)]
    [InlineData("HTTP/1.1 204 No Content\r\n\r\n", "204", "", true)]
    [InlineData("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", "304", "", true)]
    public async Task Response_IsReadAndTheConnectionUsedAgainWhereItMayBe(string response, string status, string body, bool reusable)
    {
        var (headers, read, error) = await ExchangeAsync("GET", response);

        error.ShouldBe(StreamResetReason.None);
        headers.GetText(":status").ShouldBe(status);
        read.ShouldBe(body);
        _connection.AvailableStreams.ShouldBe(reusable ? 1 : 0);
        _closed.Task.IsCompleted.ShouldBe(!reusable);
    }

    [Fact]
    public async Task Response_ToHead_HasNoBody()
    {
        var (_, body, error) = await ExchangeAsync("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n");

        error.ShouldBe(StreamResetReason.None);
        body.ShouldBe("");
        _connection.AvailableStreams.ShouldBe(1);
    }

    [Fact]
    public async Task Response_ToTheEndOfTheConnection_IsRead()
    {
        var stream = await RequestAsync("GET");
        await _upstream.WriteAsync("HTTP/1.1 200 OK\r\n\r\nabc"u8.ToArray());
        await _upstream.ShutdownWriteAsync();

        (await stream.ReadHeadersAsync()).EndStream.ShouldBeFalse();

        (await ReadBodyAsync(stream)).ShouldBe(("abc", StreamResetReason.None));
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc")]
    [InlineData("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nA : b\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n")]
    [InlineData("HTTP/1.1 200 O\0K\r\n\r\n")]
    [InlineData("HTTP/1.1 20 OK\r\n\r\n")]
    [InlineData("HTTP/1.1 2000 OK\r\n\r\n")]
    [InlineData("HTTP/1.1 099 OK\r\n\r\n")]
    [InlineData("HTTP/2.0 200 OK\r\n\r\n")]
    [InlineData("ICY 200 OK\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n")]
    public async Task Response_ThatIsMalformed_IsAProtocolErrorAndTheConnectionCloses(string response)
    {
        var stream = await RequestAsync("GET");
        await _upstream.WriteAsync(Encoding.Latin1.GetBytes(response));

        (await stream.ReadHeadersAsync()).Error.ShouldBe(StreamResetReason.ProtocolError);
        stream.Release();

        _closed.Task.IsCompleted.ShouldBeTrue();
    }

    [Fact]
    public async Task BytesBehindAResponse_CloseTheConnection()
    {
        var (_, body, error) = await ExchangeAsync("GET", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");

        error.ShouldBe(StreamResetReason.None);
        body.ShouldBe("abc");
        _connection.OpenStream().ShouldBeNull();
        _closed.Task.IsCompleted.ShouldBeTrue();
    }

    [Fact]
    public async Task BytesWhileIdle_CloseTheConnection()
    {
        await ExchangeAsync("GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");

        await _upstream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"u8.ToArray());

        await _closed.Task.WaitAsync(Until.Limit);
        _connection.OpenStream().ShouldBeNull();
    }

    [Fact]
    public async Task EndWhileIdle_ClosesTheConnection()
    {
        await ExchangeAsync("GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");

        await _upstream.ShutdownWriteAsync();

        await _closed.Task.WaitAsync(Until.Limit);
    }

    [Fact]
    public async Task Body_ShorterThanAnnounced_Fails()
    {
        var stream = await RequestAsync("GET");
        await _upstream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"u8.ToArray());
        await _upstream.ShutdownWriteAsync();
        await stream.ReadHeadersAsync();

        (await ReadBodyAsync(stream)).ShouldBe(("abc", StreamResetReason.ConnectionTermination));
        stream.Release();
        _closed.Task.IsCompleted.ShouldBeTrue();
    }

    [Fact]
    public async Task Informational_ComeOneByOneBeforeTheFinalHead()
    {
        var stream = await RequestAsync("GET");
        await _upstream.WriteAsync("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"u8.ToArray());

        var seen = new List<int>();
        for (var i = 0; i < 3; i++)
        {
            (await stream.ReadHeadersAsync()).Error.ShouldBe(StreamResetReason.None);
            seen.Add(stream.ResponseHeaders.Status);
        }

        seen.ShouldBe([100, 103, 200]);
    }

    [Fact]
    public async Task Reset_EndsAPendingRead()
    {
        var stream = await RequestAsync("GET");
        var read = stream.ReadHeadersAsync();

        stream.Reset(StreamResetReason.Timeout);

        (await read).Error.ShouldBe(StreamResetReason.Timeout);
        _closed.Task.IsCompleted.ShouldBeTrue();
    }

    [Fact]
    public async Task Trailers_AreRead()
    {
        var stream = await RequestAsync("GET");
        await _upstream.WriteAsync("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nGrpc-Status: 0\r\n\r\n"u8.ToArray());
        await stream.ReadHeadersAsync();

        (await ReadBodyAsync(stream)).ShouldBe(("a", StreamResetReason.None));

        stream.ResponseTrailers.GetText("grpc-status").ShouldBe("0");
    }

    private static HeaderMap Head(string method)
    {
        var headers = new HeaderMap();
        headers.Add(KnownHeader.Method, Encoding.ASCII.GetBytes(method));
        headers.Add(KnownHeader.Path, "/p"u8);
        headers.Add(KnownHeader.Authority, "x"u8);
        headers.Add(KnownHeader.Scheme, "http"u8);
        headers.Add("a"u8, "b"u8);
        return headers;
    }

    private static async Task<(string Body, StreamResetReason Error)> ReadBodyAsync(HttpClientStream stream)
    {
        var body = new MemoryStream();
        while (true)
        {
            var read = await stream.ReadBodyAsync().AsTask().WaitAsync(Until.Limit);
            body.Write(read.Data.Span);
            if (read.EndStream)
            {
                return (Encoding.Latin1.GetString(body.ToArray()), read.Error);
            }
        }
    }

    private async Task<HttpClientStream> RequestAsync(string method)
    {
        var stream = _connection.OpenStream()!;
        await stream.WriteHeadersAsync(Head(method), true);
        return stream;
    }

    private async Task<(HeaderMap Headers, string Body, StreamResetReason Error)> ExchangeAsync(string method, string response)
    {
        var stream = await RequestAsync(method);
        await _upstream.WriteAsync(Encoding.Latin1.GetBytes(response));
        var headers = await stream.ReadHeadersAsync();
        var copy = new HeaderMap();
        copy.AddAll(stream.ResponseHeaders);
        var (body, error) = headers.EndStream ? ("", headers.Error) : await ReadBodyAsync(stream);
        stream.Release();
        return (copy, body, error);
    }

    private async Task<string> SentAsync(int length)
    {
        var text = new StringBuilder();
        var buffer = new byte[4096];
        while (text.Length < length)
        {
            var read = await _upstream.ReadAsync(buffer).AsTask().WaitAsync(Until.Limit);
            read.ShouldBeGreaterThan(0);
            text.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }

        return text.ToString();
    }
}
