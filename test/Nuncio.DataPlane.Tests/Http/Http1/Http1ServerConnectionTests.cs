using System.Text;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Http.Http1;

namespace Nuncio.DataPlane.Tests.Http.Http1;

public sealed class Http1ServerConnectionTests
{
    private const string Get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

    [Fact]
    public async Task Requests_OnOneConnection_AreAnsweredInOrder()
    {
        await using var fixture = new Http1Fixture();

        await fixture.SendAsync(Get + "GET /b HTTP/1.1\r\nHost: y\r\n\r\n");
        await fixture.EndAsync();
        var response = await fixture.ReceiveAllAsync();

        response.ShouldBe("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
        fixture.Processor.Seen.ShouldBe(["GET x /a", "GET y /b"]);
    }

    [Fact]
    public async Task Request_InSinglesBytes_IsRead()
    {
        await using var fixture = new Http1Fixture();

        foreach (var letter in "\r\nPOST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;ext=1\r\nabc\r\n0\r\nA: b\r\n\r\n")
        {
            await fixture.SendAsync(letter.ToString());
        }

        (await fixture.ReceiveAsync("abc")).ShouldBe("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc");
    }

    [Theory]
    [InlineData("GET http://y:81/p?q HTTP/1.1\r\nHost: x\r\n\r\n", "GET y:81 /p?q")]
    [InlineData("GET http://y?q HTTP/1.1\r\nHost: x\r\n\r\n", "GET y /?q")]
    [InlineData("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "OPTIONS x *")]
    [InlineData("CONNECT y:443 HTTP/1.1\r\nHost: x\r\n\r\n", "CONNECT y:443 ")]
    public async Task Target_InEachForm_IsUnderstood(string request, string seen)
    {
        await using var fixture = new Http1Fixture(static stream => Http1Fixture.RespondAsync(stream, "ok"));

        await fixture.SendAsync(request);
        await fixture.ReceiveAsync("\r\n\r\n");

        fixture.Processor.Seen.ShouldBe([seen]);
    }

    [Theory]
    [InlineData("HTTP/1.0", "", "connection: close")]
    [InlineData("HTTP/1.0", "Connection: keep-alive\r\n", "connection: keep-alive")]
    [InlineData("HTTP/1.1", "Connection: close\r\n", "connection: close")]
    [InlineData("HTTP/1.1", "Connection: foo, Close\r\n", "connection: close")]
    public async Task Persistence_ByVersionAndConnection_IsSaid(string version, string field, string expected)
    {
        var options = Http1ServerOptions.Default with { AcceptHttp10 = true };

        var response = await Http1Fixture.ExchangeAsync($"GET / {version}\r\nHost: x\r\n{field}\r\n", options: options);

        response.ShouldContain(expected + "\r\n");
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("Connection: close\r\n", 3)]
    public async Task LastWrite_OfWhatClosesAfterwards_IsSaidBefore(string field, int expected)
    {
        await using var fixture = new Http1Fixture(static async stream =>
        {
            await stream.WriteHeadersAsync(new HeaderMap { Status = 200 }, false);
            await stream.FlushAsync();
            await stream.WriteBodyAsync("one"u8.ToArray(), false);
            await stream.FlushAsync();
            await stream.WriteBodyAsync("two"u8.ToArray(), true);
        });

        await fixture.SendAsync($"GET / HTTP/1.1\r\nHost: x\r\n{field}\r\n");
        await fixture.ReceiveAsync("0\r\n\r\n");

        fixture.Server.Writes.ShouldBe(3);
        fixture.Server.LastWrite.ShouldBe(expected);
    }

    [Fact]
    public async Task Body_WithoutLength_IsChunked()
    {
        var response = await Http1Fixture.ExchangeAsync(Get, static async stream =>
        {
            await stream.WriteHeadersAsync(new HeaderMap { Status = 200 }, false);
            await stream.WriteBodyAsync("abc"u8.ToArray(), false);
            await stream.WriteBodyAsync(new byte[26], true);
        });

        response.ShouldBe("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n1a\r\n" + new string('\0', 26) + "\r\n0\r\n\r\n");
    }

    [Theory]
    [InlineData("HEAD", 200, false, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")]
    [InlineData("GET", 204, true, "HTTP/1.1 204 No Content\r\n\r\n")]
    [InlineData("GET", 304, true, "HTTP/1.1 304 Not Modified\r\n\r\n")]
    [InlineData("GET", 200, true, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")]
    public async Task Response_WithoutBody_IsFramedByMethodAndStatus(string method, int status, bool endStream, string expected)
    {
        var response = await Http1Fixture.ExchangeAsync($"{method} / HTTP/1.1\r\nHost: x\r\n\r\n", async stream =>
        {
            await stream.WriteHeadersAsync(new HeaderMap { Status = status }, endStream);
            if (!endStream)
            {
                await stream.WriteBodyAsync("ignored"u8.ToArray(), true);
            }
        });

        response.ShouldBe(expected);
    }

    [Fact]
    public async Task Body_LongerThanAnnounced_IsCut()
    {
        var response = await Http1Fixture.ExchangeAsync(Get, static async stream =>
        {
            var headers = new HeaderMap { Status = 200 };
            headers.Add(KnownHeader.ContentLength, "2"u8);
            await stream.WriteHeadersAsync(headers, false);
            await stream.WriteBodyAsync("abHTTP/1.1 200 OK"u8.ToArray(), true);
        });

        response.ShouldEndWith("\r\n\r\nab");
    }

    [Fact]
    public async Task Response_BeforeTheRequestIsComplete_ClosesTheConnection()
    {
        await using var fixture = new Http1Fixture(static stream => Http1Fixture.RespondAsync(stream, "early"));

        await fixture.SendAsync("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n");
        var response = await fixture.ReceiveAllAsync();

        response.ShouldContain("connection: close\r\n");
        response.ShouldEndWith("early");
    }

    [Fact]
    public async Task Expect_IsAnsweredAndRemoved()
    {
        string? expect = "";
        await using var fixture = new Http1Fixture(stream =>
        {
            expect = stream.RequestHeaders.GetText("expect");
            return Http1Fixture.EchoAsync(stream);
        });

        await fixture.SendAsync("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
        await fixture.ReceiveAsync("HTTP/1.1 100 Continue\r\n\r\n");
        await fixture.SendAsync("hi");

        (await fixture.ReceiveAsync("hi")).ShouldEndWith("content-length: 2\r\n\r\nhi");
        expect.ShouldBeNull();
    }

    [Fact]
    public async Task Upgrade_Accepted_IsATunnel()
    {
        await using var fixture = new Http1Fixture(static async stream =>
        {
            var headers = new HeaderMap { Status = 101 };
            headers.Add(KnownHeader.Connection, "Upgrade"u8);
            headers.Add(KnownHeader.Upgrade, "websocket"u8);
            await stream.WriteHeadersAsync(headers, false);
            await stream.FlushAsync();
            while (true)
            {
                var read = await stream.ReadBodyAsync();
                await stream.WriteBodyAsync(read.Data, read.EndStream);
                await stream.FlushAsync();
                if (read.EndStream)
                {
                    return;
                }
            }
        });

        await fixture.SendAsync("GET /ws HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n");
        (await fixture.ReceiveAsync("\r\n\r\n")).ShouldBe("HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n");
        await fixture.SendAsync("GET raw bytes\n\n");

        (await fixture.ReceiveAsync("bytes\n\n")).ShouldEndWith("\r\n\r\nGET raw bytes\n\n");
    }

    [Fact]
    public async Task Upgrade_ToH2c_IsIgnored()
    {
        string? upgrade = "";
        await using var fixture = new Http1Fixture(stream =>
        {
            upgrade = stream.RequestHeaders.GetText("upgrade");
            return Http1Fixture.EchoAsync(stream);
        });

        await fixture.SendAsync("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n" + Get);
        await fixture.EndAsync();

        (await fixture.ReceiveAllAsync()).Split("HTTP/1.1 200 OK").Length.ShouldBe(3);
        upgrade.ShouldBeNull();
    }

    [Fact]
    public async Task Client_ThatLeaves_AbortsTheRequest()
    {
        var aborted = new AbortProbe();
        await using var fixture = new Http1Fixture(async stream =>
        {
            stream.OnAborted(aborted);
            aborted.Waiting.SetResult();
            await aborted.Aborted.Task;
            stream.OnAborted(null);
        });

        await fixture.SendAsync(Get);
        await aborted.Waiting.Task.WaitAsync(Until.Limit);
        fixture.Abort();

        (await aborted.Aborted.Task.WaitAsync(Until.Limit)).ShouldBe(StreamResetReason.ConnectionTermination);
    }

    [Fact]
    public async Task AnnouncedEnd_WhileIdle_AnswersTheNextRequestAndCloses()
    {
        await using var fixture = new Http1Fixture();
        await fixture.SendAsync(Get);
        await fixture.ReceiveAsync("ok");

        fixture.Connection.AnnounceEnd();
        await fixture.SendAsync(Get);
        var response = await fixture.ReceiveAllAsync();

        response.ShouldContain("connection: close\r\n");
        response.ShouldEndWith("ok");
    }

    [Fact]
    public async Task Drain_WhileIdle_ClosesAtOnce()
    {
        await using var fixture = new Http1Fixture();
        await fixture.SendAsync(Get);
        await fixture.ReceiveAsync("ok");

        fixture.Connection.Drain();

        await fixture.Running.WaitAsync(Until.Limit);
    }

    [Theory]
    [InlineData("GET /")]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\n")]
    public async Task Drain_WithAHeadThatIsNotComplete_ClosesAtOnce(string part)
    {
        await using var fixture = new Http1Fixture();
        await fixture.SendAsync(Get);
        await fixture.ReceiveAsync("ok");
        await fixture.SendAsync(part);
        await Task.Delay(50);

        fixture.Connection.Drain();

        await fixture.Running.WaitAsync(Until.Limit);
    }

    [Fact]
    public async Task Drain_WhileBusy_ClosesAfterTheResponse()
    {
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var busy = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var fixture = new Http1Fixture(async stream =>
        {
            busy.SetResult();
            await go.Task;
            await Http1Fixture.EchoAsync(stream);
        });
        await fixture.SendAsync(Get);
        await busy.Task.WaitAsync(Until.Limit);

        fixture.Connection.Drain();
        go.SetResult();
        var response = await fixture.ReceiveAllAsync();

        response.ShouldContain("connection: close\r\n");
        response.ShouldEndWith("ok");
    }

    [Fact]
    public async Task StopReading_EndsAPendingRead()
    {
        var reason = StreamResetReason.None;
        await using var fixture = new Http1Fixture(
            async stream =>
            {
                var read = stream.ReadBodyAsync();
                stream.StopReading();
                reason = (await read).Error;
                await Http1Fixture.RespondAsync(stream, "enough");
            },
            Http1ServerOptions.Default with { DelayedCloseTimeout = TimeSpan.FromMilliseconds(50) });

        await fixture.SendAsync("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n");

        (await fixture.ReceiveAllAsync()).ShouldEndWith("enough");
        reason.ShouldBe(StreamResetReason.LocalReset);
    }

    [Fact]
    public async Task HeaderCase_ProperWords_CoversFramingToo()
    {
        var options = Http1ServerOptions.Default with { HeaderCase = Http1HeaderCase.ProperCaseWords };

        var response = await Http1Fixture.ExchangeAsync(
            "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            static async stream =>
            {
                var headers = new HeaderMap { Status = 200 };
                headers.Add("x-a_b-c2d"u8, "v"u8);
                await stream.WriteHeadersAsync(headers, false);
                await stream.WriteBodyAsync(default, true);
            },
            options);

        response.ShouldBe("HTTP/1.1 200 OK\r\nX-A_B-C2d: v\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n");
    }

    [Fact]
    public async Task HeadThatTakesTooLong_Is408()
    {
        var options = Http1ServerOptions.Default with { RequestHeadersTimeout = TimeSpan.FromMilliseconds(50), DelayedCloseTimeout = TimeSpan.FromMilliseconds(50) };
        await using var fixture = new Http1Fixture(options: options);

        await fixture.SendAsync("GET / HT");

        (await fixture.ReceiveAllAsync()).ShouldStartWith("HTTP/1.1 408 ");
    }

    private sealed class AbortProbe : IStreamAbortHandler
    {
        public TaskCompletionSource Waiting { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource<StreamResetReason> Aborted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void OnStreamAborted(StreamResetReason reason) => Aborted.TrySetResult(reason);
    }
}
