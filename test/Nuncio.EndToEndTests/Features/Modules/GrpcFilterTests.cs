using System.Net;
using System.Net.Http.Headers;

namespace Nuncio.EndToEndTests.Features.Modules;

/// <summary>Filters of the Module for clients that cannot speak gRPC, and its statistics.</summary>
[Manifest(Common.Everywhere)]
[Manifest("""
    Module ambassador:
      config:
        enable_grpc_web: true
        enable_grpc_http11_bridge: true
        grpc_stats: { all_methods: true }
    Mapping echo: { hostname: "*", prefix: /test.Echo/, rewrite: "", grpc: true, service: $(h2:echo) }
    """)]
public class GrpcFilterTests(GatewayOf<GrpcFilterTests> group) : IClassFixture<GatewayOf<GrpcFilterTests>>
{
    private static readonly byte[] Message = [0, 0, 0, 0, 2, 8, 1];

    [SkippableTheory, DataPlanes, Feature("MOD-04")]
    public async Task GrpcWeb_GetsTheTrailersAtTheEndOfTheBody(DataPlane plane)
    {
        var gateway = await group.On(plane);

        using var response = await CallAsync(gateway, "application/grpc-web+proto", Message);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/grpc-web+proto");
        var body = await response.Content.ReadAsByteArrayAsync();
        body[..Message.Length].ShouldBe(Message);
        body[Message.Length].ShouldBe((byte)0x80);
        System.Text.Encoding.ASCII.GetString(body[(Message.Length + 5)..]).ShouldContain("grpc-status:0");
        group.Upstreams.Requests("h2:echo").Last()["content-type"].ShouldBe("application/grpc");
    }

    [SkippableTheory, DataPlanes, Feature("MOD-04")]
    public async Task GrpcOverHttp11_GetsTheStatusAsHeader(DataPlane plane)
    {
        var gateway = await group.On(plane);

        using var response = await CallAsync(gateway, "application/grpc", Message);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Headers.GetValues("grpc-status").ShouldBe(["0"]);
        (await response.Content.ReadAsByteArrayAsync()).ShouldBe(Message);
        group.Upstreams.Requests("h2:echo").Last()["x-seen-protocol"].ShouldBe("HTTP/2");
    }

    [SkippableTheory, DataPlanes, Feature("MOD-05")]
    public async Task GrpcStats_CountsCallsByServiceAndMethod(DataPlane plane)
    {
        var gateway = await group.On(plane);
        using var response = await CallAsync(gateway, "application/grpc", Message);

        var line = await gateway.WaitForMetricAsync(
            text => text.StartsWith("envoy_cluster_grpc_", StringComparison.Ordinal) && text.Contains("success", StringComparison.Ordinal));

        line.ShouldContain("Call");
        line.ShouldContain("test");
    }

    private static async Task<HttpResponseMessage> CallAsync(FeatureGateway gateway, string contentType, byte[] body)
    {
        using var http = new HttpClient();
        return await http.PostAsync(
            new Uri($"http://127.0.0.1:{gateway.Port()}/test.Echo/Call"),
            new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue(contentType) } });
    }
}
