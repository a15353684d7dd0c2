using System.Text;
using Nuncio.ParityTests.Http2;
using Nuncio.ParityTests.Static;
using static Nuncio.ParityTests.Static.Resources;

namespace Nuncio.ParityTests.Areas;

/// <summary>HTTP/2 on either side, and what a bad peer makes of it.</summary>
internal static class Http2Area
{
    private static readonly byte[] Get = HeaderBlock.Write(Does.Pseudo("GET", "/one/?raw"));

    public static Area Value { get; } = new(
        "HTTP/2",
        [Listener("http2", "", Chain(Http("http2", string.Join(',',
            Route("/one/", "h2-one"),
            Route("/two/", "h2-two"),
            Route("/impatient/", "h2-two", "\"timeout\":\"0.3s\","),
            Route("/retried/", "h2-two", "\"retry_policy\":{\"retry_on\":\"5xx,reset,refused-stream\",\"num_retries\":2},"),
            Route("/idle/", "h2-two", "\"timeout\":\"0s\",\"idle_timeout\":\"0.3s\",")))))],
        [Cluster("h2-one", "", "h1:a"), Cluster("h2-two", OverHttp2, "h2:a")],
        [.. Downstream(), .. Upstream(), .. Raw()]);

    private static IEnumerable<Scenario> Downstream() =>
    [
        Does.Http2("h2-get", "http2", "/one/a"),
        Does.Http2("h2-post", "http2", "/one/a", body: "hello"u8.ToArray()),
        Does.Http2("h2-post-with-length", "http2", "/one/a", "content-length: 5\r\n", "hello"u8.ToArray()),
        Does.Http2("h2-post-empty", "http2", "/one/a", body: []),
        Does.Http2("h2-post-large", "http2", "/one/a", body: Encoding.ASCII.GetBytes(new string('b', 100_000))),
        Does.Http2("h2-request-trailers", "http2", "/one/a", body: "hello"u8.ToArray(), trailers: "x-t: 1\r\n"),
        Does.Http2("h2-head", "http2", "/one/a", method: "HEAD"),
        Does.Http2("h2-options", "http2", "/one/a", method: "OPTIONS"),
        Does.Http2("h2-own-method", "http2", "/one/a", method: "BREW"),
        Does.Http2("h2-no-route", "http2", "/nowhere/"),
        Does.Http2("h2-host-with-port", "http2", "/one/", authority: "example.com:8080"),
        Does.Http2("h2-cookies", "http2", "/one/", "cookie: a=1\r\ncookie: b=2\r\n"),
        Does.Http2("h2-te", "http2", "/one/", "te: trailers\r\n"),
        Does.Http2("h2-user-agent", "http2", "/one/", "user-agent: parity\r\nx-forwarded-for: 10.1.2.3\r\n"),
        Does.Http2("h2-large-answer", "http2", "/one/", "x-do: large\r\n"),
        Does.Http2("h2-chunked-answer", "http2", "/one/", "x-do: chunked\r\n"),
        Does.Http2("h2-answer-trailers", "http2", "/one/", "x-do: trailers\r\n"),
        Does.Http2("h2-answer-until-close", "http2", "/one/", "x-do: untilclose\r\n"),
        Does.Http2("h2-answer-204", "http2", "/one/", "x-do: 204\r\n"),
        Does.Http2("h2-answer-304", "http2", "/one/", "x-do: 304\r\n"),
        Does.Http2("h2-answer-100", "http2", "/one/", "x-do: 100\r\n"),
        Does.Http2("h2-answer-103", "http2", "/one/", "x-do: 103\r\n"),
        Does.Http2("h2-answer-close", "http2", "/one/", "x-do: close\r\n"),
        Does.Http2("h2-answer-garbage", "http2", "/one/", "x-do: garbage\r\n"),
        Does.Http2("h2-answer-says-close", "http2", "/one/", "x-do: saysclose\r\n"),
        Does.Http2("h2-answer-cookies", "http2", "/one/", "x-do: cookies\r\n"),
        Does.Http2("h2-expect", "http2", "/one/", "expect: 100-continue\r\ncontent-length: 5\r\n", "hello"u8.ToArray()),
    ];

    private static IEnumerable<Scenario> Upstream() =>
    [
        Does.Http2("h2h2-get", "http2", "/two/a"),
        Does.Http2("h2h2-post", "http2", "/two/a", body: "hello"u8.ToArray()),
        Does.Http2("h2h2-post-large", "http2", "/two/a", body: Encoding.ASCII.GetBytes(new string('b', 200_000))),
        Does.Http2("h2h2-trailers", "http2", "/two/a", "x-do: trailers\r\n", "hello"u8.ToArray(), "x-t: 1\r\n"),
        Does.Http2("h2h2-head", "http2", "/two/a", method: "HEAD"),
        Does.Http2("h2h2-103", "http2", "/two/a", "x-do: 103\r\n"),
        Does.Http2("h2h2-large", "http2", "/two/a", "x-do: large\r\n"),
        Does.Http2("h2h2-503", "http2", "/two/a", "x-do: 503\r\n"),
        Does.Http2("h2h2-retried-503", "http2", "/retried/a", "x-do: 503\r\n"),
        Does.Http2("h2h2-timeout", "http2", "/impatient/a", "x-do: silent\r\n", takes: TimeSpan.FromSeconds(0.3)),
        Does.Http2("h2h2-idle-timeout", "http2", "/idle/a", "x-do: silent\r\n", takes: TimeSpan.FromSeconds(0.3)),
        .. new[] { 0, 1, 2, 5, 7, 8, 11, 13 }.Select(code => Does.Http2($"h2h2-reset-{code}", "http2", "/two/a", $"x-do: reset {code}\r\n")),
        Does.Http2("h2h2-retried-reset", "http2", "/retried/a", "x-do: reset 2\r\n"),
        Does.Http2("h2h2-retried-refused", "http2", "/retried/a", "x-do: reset 7\r\n"),
        Does.Http2("h2h2-reset-after", "http2", "/two/a", "x-do: reset-after 2\r\n"),
        Does.Http2("h2h2-close", "http2", "/two/a", "x-do: close\r\n"),
        Does.Http2("h2h2-close-after", "http2", "/two/a", "x-do: close-after\r\n"),
        Does.Http2("h2h2-goaway", "http2", "/two/a", "x-do: goaway\r\n"),
        .. new[] { "upper", "connection", "nostatus", "pseudo", "value", "length", "status" }.Select(
            what => Does.Http2($"h2h2-bad-{what}", "http2", "/two/a", $"x-do: bad {what}\r\n")),
        Does.Get("h1h2-get", "http2", "/two/a"),
        Does.Http1("h1h2-post", "http2", "POST /two/?ID HTTP/1.1\r\nhost: example.com\r\ncontent-length: 5\r\n\r\nhello"),
        Does.Http1(
            "h1h2-chunked", "http2",
            "POST /two/?ID HTTP/1.1\r\nhost: example.com\r\ntransfer-encoding: chunked\r\ntrailer: x-t\r\n\r\n5\r\nhello\r\n0\r\nx-t: 1\r\n\r\n"),
        Does.Http1("h1h2-head", "http2", "HEAD /two/?ID HTTP/1.1\r\nhost: example.com\r\n\r\n"),
        Does.Get("h1h2-trailers", "http2", "/two/a", "x-do: trailers\r\n"),
        Does.Get("h1h2-reset", "http2", "/two/a", "x-do: reset 8\r\n"),
        Does.Get("h1h2-reset-after", "http2", "/two/a", "x-do: reset-after 8\r\n"),
        Does.Get("h1h2-retried", "http2", "/retried/a", "x-do: reset 7\r\n"),
        Does.Get("h1h2-timeout", "http2", "/impatient/a", "x-do: silent\r\n", TimeSpan.FromSeconds(0.3)),
        Does.Get("h1h2-headers", "http2", "/two/a", "connection: x-hop\r\nx-hop: 1\r\nte: trailers\r\nkeep-alive: 1\r\n"),
    ];

    // Streams and connections that break the protocol.
    private static IEnumerable<Scenario> Raw() =>
    [
        Does.Frames("frames-get", "http2", Http2Wire.Frame(WireFrame.Headers, 5, 1, Get)),
        Does.Frames("frames-even-stream", "http2", Http2Wire.Frame(WireFrame.Headers, 5, 2, Get)),
        Does.Frames("frames-stream-0", "http2", Http2Wire.Frame(WireFrame.Headers, 5, 0, Get)),
        Does.Frames("frames-data-first", "http2", Http2Wire.Frame(WireFrame.Data, 1, 1, 1, 2, 3)),
        Does.Frames("frames-data-stream-0", "http2", Http2Wire.Frame(WireFrame.Data, 1, 0, 1, 2, 3)),
        Does.Frames("frames-continuation-first", "http2", Http2Wire.Frame(WireFrame.Continuation, 4, 1, Get)),
        Does.Frames(
            "frames-split-headers", "http2", Http2Wire.Frame(WireFrame.Headers, 1, 1, Get[..20]), Http2Wire.Frame(WireFrame.Continuation, 4, 1, Get[20..])),
        Does.Frames(
            "frames-interrupted-headers", "http2", Http2Wire.Frame(WireFrame.Headers, 1, 1, Get[..20]),
            Http2Wire.Frame(WireFrame.Ping, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8)),
        Does.Frames("frames-bad-block", "http2", Http2Wire.Frame(WireFrame.Headers, 5, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF)),
        Does.Frames("frames-window-zero", "http2", Http2Wire.Frame(WireFrame.WindowUpdate, 0, 0, Http2Wire.Number(0))),
        Does.Frames("frames-window-too-large", "http2", Http2Wire.Frame(WireFrame.WindowUpdate, 0, 0, Http2Wire.Number(int.MaxValue))),
        Does.Frames("frames-ping-short", "http2", Http2Wire.Frame(WireFrame.Ping, 0, 0, 1, 2, 3)),
        Does.Frames("frames-settings-broken", "http2", Http2Wire.Frame(WireFrame.Settings, 0, 0, 1, 2, 3)),
        Does.Frames("frames-settings-push", "http2", Http2Wire.Frame(WireFrame.Settings, 0, 0, [0, 2, .. Http2Wire.Number(2)])),
        Does.Frames("frames-settings-frame-size", "http2", Http2Wire.Frame(WireFrame.Settings, 0, 0, [0, 5, .. Http2Wire.Number(1)])),
        Does.Frames("frames-too-large", "http2", Http2Wire.Frame(WireFrame.Headers, 5, 1, new byte[20_000])),
        Does.Frames("frames-unknown-type", "http2", Http2Wire.Frame(0xEE, 0, 0, 1, 2), Http2Wire.Frame(WireFrame.Headers, 5, 1, Get)),
        Does.Frames("frames-push", "http2", Http2Wire.Frame(5, 4, 1, Http2Wire.Number(2))),
        Does.Frames("frames-reset-idle", "http2", Http2Wire.Frame(WireFrame.Reset, 0, 1, Http2Wire.Number(8))),
        .. new (string Name, (string, string)[] Headers)[]
        {
            ("method-missing", [(":scheme", "http"), (":authority", "a"), (":path", "/one/")]),
            ("path-missing", [(":method", "GET"), (":scheme", "http"), (":authority", "a")]),
            ("path-empty", [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "")]),
            ("path-relative", [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "one/")]),
            ("path-absolute", [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "http://a/one/")]),
            ("path-space", [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/one/ a")]),
            ("scheme-missing", [(":method", "GET"), (":authority", "a"), (":path", "/one/")]),
            ("scheme-odd", [(":method", "GET"), (":scheme", "ftp"), (":authority", "a"), (":path", "/one/")]),
            ("authority-missing", [(":method", "GET"), (":scheme", "http"), (":path", "/one/")]),
            ("host-instead", [(":method", "GET"), (":scheme", "http"), (":path", "/one/"), ("host", "example.com")]),
            ("host-differs", [.. Does.Pseudo("GET", "/one/"), ("host", "other.example.com")]),
            ("authority-userinfo", [.. Does.Pseudo("GET", "/one/", "user@example.com")]),
            ("method-twice", [(":method", "GET"), .. Does.Pseudo("GET", "/one/")]),
            ("pseudo-late", [(":method", "GET"), (":scheme", "http"), (":path", "/one/"), ("x-a", "1"), (":authority", "a")]),
            ("pseudo-unknown", [.. Does.Pseudo("GET", "/one/"), (":other", "1")]),
            ("upper-case", [.. Does.Pseudo("GET", "/one/"), ("X-Upper", "1")]),
            ("connection", [.. Does.Pseudo("GET", "/one/"), ("connection", "close")]),
            ("transfer-encoding", [.. Does.Pseudo("GET", "/one/"), ("transfer-encoding", "chunked")]),
            ("te-gzip", [.. Does.Pseudo("GET", "/one/"), ("te", "gzip")]),
            ("keep-alive", [.. Does.Pseudo("GET", "/one/"), ("keep-alive", "1")]),
            ("value-newline", [.. Does.Pseudo("GET", "/one/"), ("x-a", "o\r\nne")]),
            ("value-nul", [.. Does.Pseudo("GET", "/one/"), ("x-a", "o\0ne")]),
            ("value-spaces", [.. Does.Pseudo("GET", "/one/"), ("x-a", " one ")]),
            ("name-empty", [.. Does.Pseudo("GET", "/one/"), ("", "one")]),
            ("name-space", [.. Does.Pseudo("GET", "/one/"), ("x a", "one")]),
            ("length-wrong", [.. Does.Pseudo("GET", "/one/"), ("content-length", "5")]),
            ("length-text", [.. Does.Pseudo("GET", "/one/"), ("content-length", "five")]),
            ("method-odd", [.. Does.Pseudo("GE T", "/one/")]),
            ("many-headers", [.. Does.Pseudo("GET", "/one/"), .. Enumerable.Range(0, 120).Select(i => ($"x-{i}", "1"))]),
        }.Select(bad => Does.Frames(
            "frames-" + bad.Name, "http2", Http2Wire.Frame(WireFrame.Headers, 5, 1, HeaderBlock.Write([.. bad.Headers, ("x-id", "frames-" + bad.Name)])))),
    ];
}
