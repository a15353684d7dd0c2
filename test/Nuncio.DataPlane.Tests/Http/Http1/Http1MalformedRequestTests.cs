using Nuncio.DataPlane.Http.Http1;

namespace Nuncio.DataPlane.Tests.Http.Http1;

/// <summary>What two readers could take in two ways is answered and never processed, and nothing after it on the connection is either.</summary>
public sealed class Http1MalformedRequestTests
{
    private const string Smuggled = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";

    [Theory]
    [InlineData("GET / HTTP/1.1\nHost: x\n\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost: x\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\nA: b\rc: d\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\nA: b\0\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\nA\0: b\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400)]
    [InlineData("GET https://y/ HTTP/1.1\r\nHost: x\r\n\r\n", 403)]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\n A: b\r\nHost: x\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\nno-colon\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\n: empty\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\nna(me: v\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\nn\u00e4me: v\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\nhost: x\r\n\r\n", 400)]
    [InlineData("GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400)]
    [InlineData("GET /  HTTP/1.1\r\nHost: x\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1 \r\nHost: x\r\n\r\n", 400)]
    [InlineData(" GET / HTTP/1.1\r\nHost: x\r\n\r\n", 400)]
    [InlineData("GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n", 400)]
    [InlineData("GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", 400)]
    [InlineData("GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.2\r\nHost: x\r\n\r\n", 426)]
    [InlineData("GET / HTTP/2.0\r\nHost: x\r\n\r\n", 426)]
    [InlineData("GET /\u00e4 HTTP/1.1\r\nHost: x\r\n\r\n", 400)]
    [InlineData("GET / http/1.1\r\nHost: x\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.10\r\nHost: x\r\n\r\n", 400)]
    [InlineData("GET /\r\nHost: x\r\n\r\n", 400)]
    [InlineData("GET /\r\n\r\n", 400)]
    [InlineData("get / HTTP/1.1\r\nHost: x\r\n\r\n", 400)]
    [InlineData("FOO / HTTP/1.1\r\nHost: x\r\n\r\n", 400)]
    [InlineData("GE@T / HTTP/1.1\r\nHost: x\r\n\r\n", 400)]
    [InlineData("GET index.html HTTP/1.1\r\nHost: x\r\n\r\n", 400)]
    [InlineData("GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400)]
    [InlineData("GET http:///a HTTP/1.1\r\nHost: x\r\n\r\n", 400)]
    [InlineData("GET http://user@x/a HTTP/1.1\r\nHost: x\r\n\r\n", 400)]
    [InlineData("GET * HTTP/1.1\r\nHost: x\r\n\r\n", 400)]
    [InlineData("CONNECT /a HTTP/1.1\r\nHost: x\r\n\r\n", 400)]
    [InlineData("CONNECT x:1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", 400)]
    [InlineData("GET / HTTP/1.0\r\n\r\n", 426)]
    [InlineData("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3, 3\r\n\r\nabc", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +3\r\n\r\nabc", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -3\r\n\r\nabc", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x3\r\n\r\nabc", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3 \u00a0\r\n\r\nabc", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \r\n\r\nabc", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\nabc", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501)]
    [InlineData("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501)]
    [InlineData("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 501)]
    [InlineData("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501)]
    [InlineData("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n", 501)]
    [InlineData("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\r\n\r\n", 501)]
    [InlineData("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\u000bchunked\r\n\r\n0\r\n\r\n", 400)]
    public async Task Request_ThatIsMalformed_IsRefusedAndTheConnectionCloses(string request, int status)
    {
        await using var fixture = new Http1Fixture();

        await fixture.SendAsync(request + Smuggled);
        await fixture.EndAsync();
        var response = await fixture.ReceiveAllAsync();

        response.ShouldStartWith($"HTTP/1.1 {status} ");
        response.ShouldContain("connection: close\r\n");
        response.LastIndexOf("HTTP/1.1", StringComparison.Ordinal).ShouldBe(0);
        fixture.Processor.Seen.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("x\r\nabc\r\n0\r\n\r\n")]
    [InlineData("\r\nabc\r\n0\r\n\r\n")]
    [InlineData(" 3\r\nabc\r\n0\r\n\r\n")]
    [InlineData("3 \r\nabc\r\n0\r\n\r\n")]
    [InlineData("0x3\r\nabc\r\n0\r\n\r\n")]
    [InlineData("+3\r\nabc\r\n0\r\n\r\n")]
    [InlineData("-3\r\nabc\r\n0\r\n\r\n")]
    [InlineData("3\nabc\r\n0\r\n\r\n")]
    [InlineData("3\r\nabcd\r\n0\r\n\r\n")]
    [InlineData("3\r\nab\r\n0\r\n\r\n")]
    [InlineData("3\r\nabc\n0\r\n\r\n")]
    [InlineData("3;a\nb\r\nabc\r\n0\r\n\r\n")]
    [InlineData("3;a\rb\r\nabc\r\n0\r\n\r\n")]
    [InlineData("3;\0\r\nabc\r\n0\r\n\r\n")]
    [InlineData("ffffffffffffffff\r\nabc\r\n0\r\n\r\n")]
    [InlineData("10000000000000003\r\nabc\r\n0\r\n\r\n")]
    [InlineData("3\r\nabc\r\n0\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n")]
    [InlineData("3\r\nabc\r\n0\r\nContent-Length: 5\r\n\r\n")]
    [InlineData("3\r\nabc\r\n0\r\nHost: y\r\n\r\n")]
    [InlineData("3\r\nabc\r\n0\r\nA : b\r\n\r\n")]
    [InlineData("3\r\nabc\r\n0\r\nA: b\r\n c\r\n\r\n")]
    public async Task ChunkedBody_ThatIsMalformed_FailsAndNothingAfterItIsRead(string body)
    {
        await using var fixture = new Http1Fixture();

        await fixture.SendAsync("POST /first HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + body + Smuggled);
        await fixture.EndAsync();
        var response = await fixture.ReceiveAllAsync();

        response.ShouldNotContain("HTTP/1.1 200");
        fixture.Processor.Seen.ShouldBe(["POST x /first"]);
    }

    [Theory]
    [InlineData("\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc")]
    [InlineData("\r\n\r\n\u0016\u0003")]
    [InlineData("GE(T /")]
    [InlineData("{\"a\": 1")]
    [InlineData("\0")]
    public async Task Garbage_WithoutAnEnd_IsRefusedAtOnceAndTheConnectionCloses(string bytes)
    {
        await using var fixture = new Http1Fixture(options: Http1ServerOptions.Default with { DelayedCloseTimeout = TimeSpan.FromMilliseconds(10) });

        await fixture.SendAsync(bytes);
        var response = await fixture.ReceiveAllAsync();

        response.ShouldStartWith("HTTP/1.1 400 ");
        response.ShouldContain("connection: close\r\n");
    }

    [Fact]
    public async Task Head_AboveItsLimit_Is431()
    {
        var options = Http1ServerOptions.Default with { MaxHeaderBytes = 1024 };

        var response = await Http1Fixture.ExchangeAsync("GET / HTTP/1.1\r\nHost: x\r\nA: " + new string('a', 2000) + "\r\n\r\n", options: options);

        response.ShouldStartWith("HTTP/1.1 431 ");
    }

    [Fact]
    public async Task Head_AboveItsLimitAndWithoutEnd_Is431()
    {
        var options = Http1ServerOptions.Default with { MaxHeaderBytes = 1024 };

        var response = await Http1Fixture.ExchangeAsync("GET /" + new string('a', 20000), options: options);

        response.ShouldStartWith("HTTP/1.1 431 ");
    }

    [Fact]
    public async Task Head_WithTooManyFields_Is431()
    {
        var fields = string.Concat(Enumerable.Range(0, 101).Select(i => $"a{i}: b\r\n"));

        var response = await Http1Fixture.ExchangeAsync("GET / HTTP/1.1\r\n" + fields + "\r\n");

        response.ShouldStartWith("HTTP/1.1 431 ");
        response.ShouldContain("http1.too_many_headers");
    }
}
