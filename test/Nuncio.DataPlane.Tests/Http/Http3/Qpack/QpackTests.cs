using System.Text;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Http.Http2;
using Nuncio.DataPlane.Http.Http3;
using Nuncio.DataPlane.Http.Http3.Qpack;

namespace Nuncio.DataPlane.Tests.Http.Http3.Qpack;

public sealed class QpackTests
{
    // RFC 9204 appendix A, from its text: index, name, value.
    private const string StaticTable = """
        0 :authority
        1 :path /
        2 age 0
        3 content-disposition
        4 content-length 0
        5 cookie
        6 date
        7 etag
        8 if-modified-since
        9 if-none-match
        10 last-modified
        11 link
        12 location
        13 referer
        14 set-cookie
        15 :method CONNECT
        16 :method DELETE
        17 :method GET
        18 :method HEAD
        19 :method OPTIONS
        20 :method POST
        21 :method PUT
        22 :scheme http
        23 :scheme https
        24 :status 103
        25 :status 200
        26 :status 304
        27 :status 404
        28 :status 503
        29 accept */*
        30 accept application/dns-message
        31 accept-encoding gzip, deflate, br
        32 accept-ranges bytes
        33 access-control-allow-headers cache-control
        34 access-control-allow-headers content-type
        35 access-control-allow-origin *
        36 cache-control max-age=0
        37 cache-control max-age=2592000
        38 cache-control max-age=604800
        39 cache-control no-cache
        40 cache-control no-store
        41 cache-control public, max-age=31536000
        42 content-encoding br
        43 content-encoding gzip
        44 content-type application/dns-message
        45 content-type application/javascript
        46 content-type application/json
        47 content-type application/x-www-form-urlencoded
        48 content-type image/gif
        49 content-type image/jpeg
        50 content-type image/png
        51 content-type text/css
        52 content-type text/html; charset=utf-8
        53 content-type text/plain
        54 content-type text/plain;charset=utf-8
        55 range bytes=0-
        56 strict-transport-security max-age=31536000
        57 strict-transport-security max-age=31536000; includesubdomains
        58 strict-transport-security max-age=31536000; includesubdomains; preload
        59 vary accept-encoding
        60 vary origin
        61 x-content-type-options nosniff
        62 x-xss-protection 1; mode=block
        63 :status 100
        64 :status 204
        65 :status 206
        66 :status 302
        67 :status 400
        68 :status 403
        69 :status 421
        70 :status 425
        71 :status 500
        72 accept-language
        73 access-control-allow-credentials FALSE
        74 access-control-allow-credentials TRUE
        75 access-control-allow-headers *
        76 access-control-allow-methods get
        77 access-control-allow-methods get, post, options
        78 access-control-allow-methods options
        79 access-control-expose-headers content-length
        80 access-control-request-headers content-type
        81 access-control-request-method get
        82 access-control-request-method post
        83 alt-svc clear
        84 authorization
        85 content-security-policy script-src 'none'; object-src 'none'; base-uri 'none'
        86 early-data 1
        87 expect-ct
        88 forwarded
        89 if-range
        90 origin
        91 purpose prefetch
        92 server
        93 timing-allow-origin *
        94 upgrade-insecure-requests 1
        95 user-agent
        96 x-forwarded-for
        97 x-frame-options deny
        98 x-frame-options sameorigin
        """;

    [Fact]
    public void StaticTable_EveryEntry_IsThatOfTheRfcAndIsFoundAndCoded()
    {
        var lines = StaticTable.ReplaceLineEndings("\n").Split('\n');
        QpackStaticTable.Count.ShouldBe(99);
        lines.Length.ShouldBe(99);
        for (var i = 0; i < lines.Length; i++)
        {
            var parts = lines[i].Split(' ', 3);
            parts[0].ShouldBe($"{i}");
            var name = Encoding.ASCII.GetBytes(parts[1]);
            var value = Encoding.ASCII.GetBytes(parts.Length > 2 ? parts[2] : "");
            Encoding.ASCII.GetString(QpackStaticTable.At(i).Name).ShouldBe(parts[1]);
            Encoding.ASCII.GetString(QpackStaticTable.At(i).Value).ShouldBe(Encoding.ASCII.GetString(value));
            QpackStaticTable.At(i).Known.ShouldBe(KnownHeaders.Find(name));
            QpackStaticTable.Find(name, value, out var hasValue).ShouldBe(i);
            hasValue.ShouldBeTrue();

            // As an indexed field line of one or two bytes, and as a reference to the name alone.
            byte[] indexed = i < 63 ? [0, 0, (byte)(0xC0 | i)] : [0, 0, 0xFF, (byte)(i - 63)];
            Http3Bytes.Section((parts[1], parts.Length > 2 ? parts[2] : "")).ShouldBe(indexed);
            Decode(indexed).ShouldBe([$"{parts[1]}: {Encoding.ASCII.GetString(value)}"]);
            byte[] named = i < 15 ? [0, 0, (byte)(0x50 | i), 2, (byte)'4', (byte)'2'] : [0, 0, 0x5F, (byte)(i - 15), 2, (byte)'4', (byte)'2'];
            Decode(named).ShouldBe([$"{parts[1]}: 42"]);
        }
    }

    [Theory]
    [InlineData("x-unknown", "v", -1)]
    [InlineData("a-name-that-is-longer-than-any-name-in-the-whole-static-table", "v", -1)]
    [InlineData("", "", -1)]
    [InlineData("content-type", "text/nothing", 44)]
    [InlineData(":status", "418", 24)]
    public void StaticTable_OtherNamesAndValues_GiveTheNameOrNothing(string name, string value, int expected)
    {
        QpackStaticTable.Find(Encoding.ASCII.GetBytes(name), Encoding.ASCII.GetBytes(value), out var hasValue).ShouldBe(expected);
        hasValue.ShouldBeFalse();
    }

    // RFC 9204 appendix B.1, which needs no dynamic table.
    [Fact]
    public void Decode_RfcExample_GivesItsHeader() => Decode(Convert.FromHexString("0000510b2f696e6465782e68746d6c")).ShouldBe([":path: /index.html"]);

    // The value of RFC 7541 appendix C.4.1.
    [Fact]
    public void Decode_HuffmanValue_IsRead() =>
        Decode(Convert.FromHexString("0000508cf1e3c2e5f23a6ba0ab90f4ff")).ShouldBe([":authority: www.example.com"]);

    [Theory]
    [InlineData("0000237061740161", "pat: a")] // a literal name
    [InlineData("0000337061740161", "pat: a")] // the same, never to be indexed
    [InlineData("00005f45022f61", "authorization: /a")] // a static name
    [InlineData("00007f45022f61", "authorization: /a")] // the same, never to be indexed
    [InlineData("00002f0125a849e95ba97d7f0161", "custom-key: a")] // a Huffman-coded name of 8 bytes
    [InlineData("007f0ac1", ":path: /")] // a base is there and never used
    public void Decode_LiteralsOfEveryKind_GiveTheirHeaders(string hex, string header) => Decode(Convert.FromHexString(hex)).ShouldBe([header]);

    [Theory]
    [InlineData("")] // no prefix
    [InlineData("00")] // half a prefix
    [InlineData("0100")] // needs an entry of the dynamic table
    [InlineData("0200d1")] // needs an entry and has none
    [InlineData("0080d1")] // a base below zero (section 4.5.1.2)
    [InlineData("0081d1")]
    [InlineData("ff8080808080808080800000")] // a count without end
    [InlineData("00ff80808080808080808001")] // a base without end
    [InlineData("000080")] // indexed, dynamic
    [InlineData("0000bf00")]
    [InlineData("000010")] // indexed, after the base
    [InlineData("00001f00")]
    [InlineData("000040016100")] // a dynamic name
    [InlineData("0000600161")] // a dynamic name, never to be indexed
    [InlineData("0000000161")] // a name after the base
    [InlineData("0000080161")] // a name after the base, never to be indexed
    [InlineData("0000ff24")] // entry 99
    [InlineData("0000ffffffffff7f")] // entry of a number that is too large
    [InlineData("0000ff")] // half an index
    [InlineData("00005f540161")] // name of entry 99
    [InlineData("00005f")] // half a name index
    [InlineData("000051")] // a name and no value
    [InlineData("00005105616263")] // a value longer than the section
    [InlineData("0000517fffffffff7f")] // a value of a length that is too large
    [InlineData("000024706174")] // a name longer than the section
    [InlineData("000023706174")] // a literal name and no value
    [InlineData("000027ffffffff7f61")] // a name of a length that is too large
    [InlineData("00005181ff")] // Huffman: no symbol, all padding of eight ones
    [InlineData("000051810000")] // Huffman: padding with zeros
    [InlineData("00005184fffffffc")] // Huffman: the end of the string
    public void Decode_WhatBreaksTheRfc_Fails(string hex)
    {
        var reader = new Http2HeaderReader(1024, 100);
        reader.Start(new HeaderMap(), Http2BlockKind.Request);

        QpackDecoder.Decode(Convert.FromHexString(hex), reader).ShouldBeFalse();
    }

    [Fact]
    public void Decode_EveryPrefixOfASection_FailsOrGivesTheHeadersBeforeTheCut()
    {
        (string, string)[] headers =
        [
            (":method", "GET"), ("user-agent", "something/1.0 (long enough)"), ("x-own", "1"), ("x-other-of-mine", "text of some length"), ("accept", "*/*"),
        ];
        var section = Http3Bytes.Section(headers);
        var whole = 0;
        for (var length = 0; length <= section.Length; length++)
        {
            var map = new HeaderMap();
            var reader = new Http2HeaderReader(1024, 100);
            reader.Start(map, Http2BlockKind.Request);
            if (QpackDecoder.Decode(section.AsSpan(0, length), reader)) whole++;
            map.Count.ShouldBeLessThanOrEqualTo(headers.Length);
        }

        // Behind the prefix and behind each header.
        whole.ShouldBe(headers.Length + 1);
    }

    [Theory]
    [InlineData("authorization", "secret", 0x70)]
    [InlineData("cookie", "secret", 0x70)]
    [InlineData("set-cookie", "secret", 0x70)]
    [InlineData("proxy-authorization", "secret", 0x30)]
    [InlineData("user-agent", "me", 0x50)]
    [InlineData("x-own", "me", 0x20)]
    public void Encode_Secrets_AreNeverToBeIndexed(string name, string value, int pattern)
    {
        var section = Http3Bytes.Section((name, value));

        (section[2] & 0xF0).ShouldBe(pattern);
        Decode(section).ShouldBe([$"{name}: {value}"]);
    }

    [Fact]
    public void Encode_ManyRandomMessages_DecodeToTheSame()
    {
        var random = new Random(13);
        string[] names = ["accept", "content-type", "cookie", "server", "x-a", "x-a-rather-long-name-of-our-own", "authorization", "date"];
        for (var round = 0; round < 3000; round++)
        {
            var headers = new (string Name, string Value)[random.Next(0, 12)];
            for (var i = 0; i < headers.Length; i++)
            {
                headers[i] = (names[random.Next(names.Length)] + (random.Next(3) == 0 ? random.Next(1000).ToString(System.Globalization.CultureInfo.InvariantCulture) : ""),
                    new string((char)random.Next('!', '~'), random.Next(0, random.Next(10) == 0 ? 5000 : 40)));
            }

            Decode(Http3Bytes.Section(headers), 1 << 20).ShouldBe(headers.Select(header => $"{header.Name}: {header.Value}"));
        }
    }

    [Fact]
    public void OutputBuffer_FramesOfAllLengths_ComeBackOneAfterTheOther()
    {
        var output = new Http3OutputBuffer();
        int[] lengths = [0, 1, 63, 64, 20_000, 100_000];
        foreach (var length in lengths)
        {
            output.StartFrame(Http3FrameType.Headers);
            output.Write(new byte[length]);
            output.EndFrame();
            output.WriteFrameHeader(Http3FrameType.Data, length);
            output.Write(new byte[length]);
        }

        var rest = output.Written.Span;
        foreach (var expected in lengths.SelectMany(length => new[] { (1L, length), (0L, length) }))
        {
            DataPlane.Transport.Quic.QuicInteger.TryRead(rest, out var type, out var typeLength).ShouldBeTrue();
            DataPlane.Transport.Quic.QuicInteger.TryRead(rest[typeLength..], out var length, out var lengthLength).ShouldBeTrue();
            (type, (int)length).ShouldBe(expected);
            rest = rest[(typeLength + lengthLength + (int)length)..];
        }

        rest.IsEmpty.ShouldBeTrue();
        output.Release();
        output.Length.ShouldBe(0);
        output.Written.IsEmpty.ShouldBeTrue();
    }

    private static List<string> Decode(byte[] section, int maxBytes = 8192)
    {
        var seen = new HeaderMap();
        foreach (var kind in new[] { Http2BlockKind.Request, Http2BlockKind.Response })
        {
            seen.Clear();
            var reader = new Http2HeaderReader(maxBytes, 1000);
            reader.Start(seen, kind);
            QpackDecoder.Decode(section, reader).ShouldBeTrue();
            if (reader.Outcome == Http2BlockOutcome.Valid) break;
        }

        var headers = new List<string>();
        foreach (var header in seen) headers.Add($"{Encoding.Latin1.GetString(header.Name)}: {Encoding.Latin1.GetString(header.Value)}");
        return headers;
    }
}
