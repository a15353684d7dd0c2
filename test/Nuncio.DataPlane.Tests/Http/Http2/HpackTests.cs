using System.Text;
using Nuncio.DataPlane.Http;
using Nuncio.DataPlane.Http.Http2;
using Nuncio.DataPlane.Http.Http2.Hpack;

namespace Nuncio.DataPlane.Tests.Http.Http2;

public sealed class HpackTests
{
    // RFC 7541 appendix C.4: three requests with Huffman coding on one connection; C.6 is the same for responses with a table of 256 bytes.
    private static readonly string[] RfcRequests =
    [
        "828684418cf1e3c2e5f23a6ba0ab90f4ff",
        "828684be5886a8eb10649cbf",
        "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
    ];

    private static readonly string[] RfcResponses =
    [
        "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3",
        "4883640effc1c0bf",
        "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
    ];

    [Fact]
    public void Decode_RfcRequests_GivesTheirHeadersAndTableSizes()
    {
        var decoder = new HpackDecoder(4096);
        Decode(decoder, RfcRequests[0]).ShouldBe([":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"]);
        decoder.TableSize.ShouldBe(57);
        Decode(decoder, RfcRequests[1]).ShouldBe([":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com", "cache-control: no-cache"]);
        decoder.TableSize.ShouldBe(110);
        Decode(decoder, RfcRequests[2])
            .ShouldBe([":method: GET", ":scheme: https", ":path: /index.html", ":authority: www.example.com", "custom-key: custom-value"]);
        decoder.TableSize.ShouldBe(164);
    }

    [Fact]
    public void Decode_RfcResponsesWithASmallTable_EvictsAsTheRfcDoes()
    {
        var decoder = new HpackDecoder(256);
        Decode(decoder, RfcResponses[0], Http2BlockKind.Response).ShouldContain(":status: 302");
        decoder.TableSize.ShouldBe(222);
        Decode(decoder, RfcResponses[1], Http2BlockKind.Response).ShouldBe(
            [":status: 307", "cache-control: private", "date: Mon, 21 Oct 2013 20:13:21 GMT", "location: https://www.example.com"]);
        decoder.TableSize.ShouldBe(222);
        Decode(decoder, RfcResponses[2], Http2BlockKind.Response).ShouldBe(
        [
            ":status: 200", "cache-control: private", "date: Mon, 21 Oct 2013 20:13:22 GMT", "location: https://www.example.com", "content-encoding: gzip",
            "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
        ]);
        decoder.TableSize.ShouldBe(215);
    }

    [Fact]
    public void Huffman_AnyBytes_ComeBack()
    {
        var random = new Random(7);
        for (var round = 0; round < 2000; round++)
        {
            var text = new byte[random.Next(0, 200)];
            random.NextBytes(text);
            var encoded = new byte[HpackHuffman.EncodedLength(text)];
            HpackHuffman.Encode(text, encoded);
            var decoded = new byte[HpackHuffman.MaxDecodedLength(encoded.Length)];
            HpackHuffman.Decode(encoded, decoded).ShouldBe(text.Length);
            decoded.AsSpan(0, text.Length).SequenceEqual(text).ShouldBeTrue();
        }
    }

    [Theory]
    [InlineData("ff")] // eight ones of padding
    [InlineData("00")] // a symbol, then zeros
    [InlineData("fffffffc")] // the end-of-string symbol
    public void Huffman_BadPadding_IsRefused(string hex)
    {
        var encoded = Convert.FromHexString(hex);
        HpackHuffman.Decode(encoded, new byte[64]).ShouldBe(-1);
    }

    [Theory]
    [InlineData("80")] // index 0
    [InlineData("be")] // an index of the empty dynamic table
    [InlineData("ff8080808001")] // a number without end
    [InlineData("4003616263")] // no value
    [InlineData("400a6162")] // a text longer than the block
    [InlineData("823f00")] // a size update after a header
    [InlineData("3fe2ff03")] // a size over our limit
    public void Decode_WhatBreaksTheRfc_Fails(string hex)
    {
        var decoder = new HpackDecoder(4096);
        var reader = new Http2HeaderReader(1024, 100);
        reader.Start(new HeaderMap(), Http2BlockKind.Request);
        decoder.Decode(Convert.FromHexString(hex), reader).ShouldBeFalse();
    }

    [Fact]
    public void Encode_ManyRandomMessages_DecodeToTheSame()
    {
        var random = new Random(11);
        var encoder = new HpackEncoder();
        var decoder = new HpackDecoder(4096);
        for (var round = 0; round < 3000; round++)
        {
            if (round % 100 == 99) encoder.SetPeerLimit((uint)random.Next(0, 5000));
            var sent = new HeaderMap();
            for (var i = random.Next(0, 12); i >= 0; i--)
            {
                sent.Add(
                    Encoding.ASCII.GetBytes("x-" + random.Next(0, 40)), Encoding.ASCII.GetBytes(new string((char)random.Next('a', 'z'), random.Next(0, 300))));
            }

            var output = new Http2OutputBuffer();
            encoder.StartBlock(output);
            foreach (var header in sent) encoder.Write(output, header.Known, header.Name, header.Value);
            var received = new HeaderMap();
            var reader = new Http2HeaderReader(1 << 20, 1000);
            reader.Start(received, Http2BlockKind.Trailers);
            decoder.Decode(output.Written.Span, reader).ShouldBeTrue();
            reader.Finish(false).ShouldBe(Http2BlockOutcome.Valid);
            Lines(received).ShouldBe(Lines(sent));
            encoder.TableSize.ShouldBeLessThanOrEqualTo(4096);
            decoder.TableSize.ShouldBe(encoder.TableSize);
            output.Release();
        }
    }

    [Fact]
    public void Encode_TheSameMessageAgain_TakesAByteForEachHeader()
    {
        var encoder = new HpackEncoder();
        var output = new Http2OutputBuffer();
        (KnownHeader Known, string Value)[] headers = [(KnownHeader.Status, "200"), (KnownHeader.Server, "envoy"), (KnownHeader.ContentType, "text/plain")];
        for (var round = 0; round < 2; round++)
        {
            output.Clear(0);
            encoder.StartBlock(output);
            foreach (var (known, value) in headers) encoder.Write(output, known, KnownHeaders.NameOf(known), Encoding.ASCII.GetBytes(value));
        }

        output.Length.ShouldBe(3);
    }

    [Fact]
    public void Encode_Secrets_AreNeverIndexed()
    {
        var encoder = new HpackEncoder();
        var output = new Http2OutputBuffer();
        encoder.Write(output, KnownHeader.Authorization, KnownHeaders.NameOf(KnownHeader.Authorization), "Bearer secret"u8);
        (output.Written.Span[0] & 0xF0).ShouldBe(0x10);
        encoder.TableSize.ShouldBe(0);
    }

    private static string[] Decode(HpackDecoder decoder, string hex, Http2BlockKind kind = Http2BlockKind.Request)
    {
        var map = new HeaderMap();
        var reader = new Http2HeaderReader(64 * 1024, 100);
        reader.Start(map, kind);
        decoder.Decode(Convert.FromHexString(hex), reader).ShouldBeTrue();
        reader.Finish(false).ShouldBe(Http2BlockOutcome.Valid);
        return Lines(map);
    }

    private static string[] Lines(HeaderMap map)
    {
        var lines = new List<string>();
        foreach (var header in map) lines.Add($"{Encoding.Latin1.GetString(header.Name)}: {Encoding.Latin1.GetString(header.Value)}");
        return [.. lines];
    }
}
