using System.Net;
using System.Net.Http.Headers;

namespace Nuncio.EndToEndTests.Features.Traffic;

[Collection(nameof(PlainGroup))]
public class ProtocolTests(GatewayOf<PlainGroup> group)
{
    private static readonly string[] Handshake =
        ["connection: Upgrade", "upgrade: websocket", "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==", "sec-websocket-version: 13"];

    [SkippableTheory, DataPlanes, Feature("TRF-30")]
    [Manifest("""
        Mapping ws: { hostname: "*", prefix: /ws/, allow_upgrade: [websocket], service: $(ws) }
        Mapping no-ws: { hostname: "*", prefix: /no-ws/, service: $(ws) }
        """)]
    public async Task WebSocket_WhereAllowed_CarriesBytesBothWays(DataPlane plane)
    {
        var gateway = await group.On(plane);
        await using var client = await gateway.ConnectAsync();

        var switched = await client.GetAsync("/ws/", "example.com", Handshake);
        await client.Wire.WriteAsync("hello");

        switched.Status.ShouldBe(101);
        switched["sec-websocket-accept"].ShouldBe("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        System.Text.Encoding.ASCII.GetString(await client.Wire.ReadExactlyAsync(5)).ShouldBe("hello");
        (await gateway.GetAsync("/no-ws/", "example.com", Handshake)).Status.ShouldBe(403);
    }

    [SkippableTheory, DataPlanes, Feature("TRF-31")]
    [Manifest("""
        Mapping grpc: { hostname: "*", prefix: /test.Echo/, rewrite: "", grpc: true, service: $(h2:grpc) }
        """)]
    public async Task Grpc_OverHttp2_ReachesAnUpstreamInTheClearWithItsTrailers(DataPlane plane)
    {
        var gateway = await group.On(plane);
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://127.0.0.1:{gateway.Port()}/test.Echo/Call")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent([0, 0, 0, 0, 2, 8, 1]) { Headers = { ContentType = new MediaTypeHeaderValue("application/grpc") } },
        };
        request.Headers.Add("te", "trailers");

        using var response = await http.SendAsync(request);

        (await response.Content.ReadAsByteArrayAsync()).ShouldBe([0, 0, 0, 0, 2, 8, 1]);
        response.TrailingHeaders.GetValues("grpc-status").ShouldBe(["0"]);
        var seen = group.Upstreams.Requests("h2:grpc").Last();
        seen.Target.ShouldBe("/test.Echo/Call");
        seen["x-seen-protocol"].ShouldBe("HTTP/2");
        seen["te"].ShouldBe("trailers");
    }
}
