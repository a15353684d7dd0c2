using System.Text;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Http.Http2;

namespace Nuncio.DataPlane.Tests.Http.Http2;

public sealed class Http2HeaderReaderTests
{
    private const string Get = ":method: GET|:scheme: http|:authority: a|:path: /";

    [Theory]
    [InlineData(Get)]
    [InlineData(Get + "|te: trailers|content-length: 0")]
    [InlineData(":method: OPTIONS|:scheme: http|:authority: a|:path: *")]
    [InlineData(":method: CONNECT|:authority: a:443")]
    [InlineData(":method: GET|:scheme: http|:path: /|host: a")]
    public void Request_WithinTheRules_IsValid(string lines) => Read(lines, Http2BlockKind.Request, out _).ShouldBe(Http2BlockOutcome.Valid);

    [Theory]
    [InlineData(":method: GET|:scheme: http|:authority: a")]
    [InlineData(":method: GET|:scheme: http|:authority: a|:path: ")]
    [InlineData(":method: GET|:scheme: http|:authority: a|:path: a/b")]
    [InlineData(":method: GET|:scheme: http|:authority: a|:path: /a b")]
    [InlineData(":method: G ET|:scheme: http|:authority: a|:path: /")]
    [InlineData(":method: GET|:scheme: http|:authority: u@a|:path: /")]
    [InlineData(":method: GET|:scheme: http|:path: /")]
    [InlineData(":method: GET|:scheme: http|:authority: |:path: /")]
    [InlineData(":method: GET|:scheme: http|:authority: |:path: /|host: a")]
    [InlineData(":method: GET|:scheme: http|:path: /|host: ")]
    [InlineData(Get + "|host: ")]
    [InlineData(":method: CONNECT")]
    [InlineData(Get + "|:method: GET")]
    [InlineData(Get + "|x: 1|:extra: 1")]
    [InlineData("x: 1|" + Get)]
    [InlineData(Get + "|:status: 200")]
    [InlineData(Get + "|:unknown: 1")]
    [InlineData(Get + "|Upper: 1")]
    [InlineData(Get + "|: 1")]
    [InlineData(Get + "|a b: 1")]
    [InlineData(Get + "|x: a\rb")]
    [InlineData(Get + "|x: a\nb")]
    [InlineData(Get + "|x: a\0b")]
    [InlineData(Get + "|connection: close")]
    [InlineData(Get + "|transfer-encoding: chunked")]
    [InlineData(Get + "|keep-alive: 1")]
    [InlineData(Get + "|upgrade: h2c")]
    [InlineData(Get + "|proxy-connection: close")]
    [InlineData(Get + "|te: gzip")]
    [InlineData(Get + "|content-length: 1|content-length: 1")]
    [InlineData(Get + "|content-length: -1")]
    [InlineData(Get + "|content-length: 1, 1")]
    [InlineData(Get + "|host: a|host: b")]
    [InlineData(":method: CONNECT|:scheme: http|:authority: a|:path: /")]
    [InlineData(":method: CONNECT|:protocol: websocket|:scheme: http|:authority: a|:path: /")] // not announced
    [InlineData(":method: GET|:protocol: websocket|:scheme: http|:authority: a|:path: /")]
    public void Request_OutsideTheRules_IsMalformed(string lines) => Read(lines, Http2BlockKind.Request, out _).ShouldBe(Http2BlockOutcome.Malformed);

    [Theory]
    [InlineData("x: 1", false)]
    [InlineData(":status: 99", false)]
    [InlineData(":status: 101", false)]
    [InlineData(":status: 20x", false)]
    [InlineData(":status: 200|:status: 200", false)]
    [InlineData(":status: 200|connection: close", false)]
    [InlineData(":status: 103|link: x", true)]
    [InlineData(":status: 200", true)]
    public void Response_NeedsOneUsefulStatus(string lines, bool valid) =>
        Read(lines, Http2BlockKind.Response, out _).ShouldBe(valid ? Http2BlockOutcome.Valid : Http2BlockOutcome.Malformed);

    [Fact]
    public void Trailers_WithAPseudoHeader_AreMalformed() => Read(":path: /", Http2BlockKind.Trailers, out _).ShouldBe(Http2BlockOutcome.Malformed);

    [Fact]
    public void Request_WithHostBesideAuthority_KeepsAuthorityOnly()
    {
        Read(Get + "|host: other", Http2BlockKind.Request, out var map).ShouldBe(Http2BlockOutcome.Valid);
        map.GetText(":authority").ShouldBe("a");
        map.Contains(KnownHeader.Host).ShouldBeFalse();
    }

    [Fact]
    public void Request_WithCookieCrumbs_HasOneCookieHeader()
    {
        Read(Get + "|cookie: a=1|x: y|cookie: b=2|cookie: c=3", Http2BlockKind.Request, out var map).ShouldBe(Http2BlockOutcome.Valid);
        map.GetText("cookie").ShouldBe("a=1; b=2; c=3");
        map.CountOf("cookie"u8).ShouldBe(1);
    }

    [Fact]
    public void Block_OverTheLimits_IsTooLargeAndStoresNoMore()
    {
        var map = new HeaderMap();
        var reader = new Http2HeaderReader(200, 100);
        reader.Start(map, Http2BlockKind.Trailers);
        for (var i = 0; i < 1000; i++) reader.OnHeader(KnownHeader.None, "name"u8, "value"u8);
        reader.Finish(false).ShouldBe(Http2BlockOutcome.TooLarge);
        map.ByteSize.ShouldBeLessThanOrEqualTo(200);
        reader = new Http2HeaderReader(20_000, 10);
        map.Clear();
        reader.Start(map, Http2BlockKind.Trailers);
        for (var i = 0; i < 1000; i++) reader.OnHeader(KnownHeader.None, "name"u8, "value"u8);
        reader.Finish(false).ShouldBe(Http2BlockOutcome.TooLarge);
        map.Count.ShouldBe(10);
    }

    private static Http2BlockOutcome Read(string lines, Http2BlockKind kind, out HeaderMap map)
    {
        map = new HeaderMap();
        var reader = new Http2HeaderReader(8192, 100);
        reader.Start(map, kind);
        foreach (var line in lines.Split('|'))
        {
            var colon = line.IndexOf(':', line.StartsWith(':') ? 1 : 0);
            if (colon < 0) colon = 0;
            var name = Encoding.Latin1.GetBytes(line[..colon]);
            reader.OnHeader(KnownHeaders.Find(name), name, Encoding.Latin1.GetBytes(line[(colon + 1)..].TrimStart(' ')));
        }

        return reader.Finish(false);
    }
}
