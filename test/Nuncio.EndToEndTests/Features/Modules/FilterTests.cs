using System.Net;
using System.Net.Http.Headers;

namespace Nuncio.EndToEndTests.Features.Modules;

/// <summary>Filters of the Module that look into requests and responses.</summary>
[Manifest(Common.Everywhere)]
[Manifest("""
    Module ambassador:
      config:
        grpc_stats: { all_methods: true }
        lua_scripts: |
          function envoy_on_request(handle)
            handle:headers():add("x-lua-request", handle:headers():get(":path"))
          end
          function envoy_on_response(handle)
            handle:headers():add("x-lua-response", "yes")
          end
    Mapping all: { hostname: "*", prefix: /all/, service: $(a) }
    Mapping grpc: { hostname: "*", prefix: /test.Echo/, rewrite: "", grpc: true, stats_name: echo, service: $(h2:grpc) }
    """)]
public class FilterTests(GatewayOf<FilterTests> group) : IClassFixture<GatewayOf<FilterTests>>
{
    [SkippableTheory, DataPlanes, Feature("MOD-01")]
    public async Task LuaScript_ChangesHeadersOfRequestsAndResponses(DataPlane plane)
    {
        var reply = await (await group.On(plane)).GetAsync("/all/x");

        reply.Seen("x-lua-request").ShouldBe("/all/x");
        reply["x-lua-response"].ShouldBe("yes");
    }

    [SkippableTheory, DataPlanes, Feature("MOD-05")]
    public async Task GrpcStats_CountEachMethod(DataPlane plane)
    {
        var gateway = await group.On(plane);
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://127.0.0.1:{gateway.Port()}/test.Echo/Count")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent([0, 0, 0, 0, 2, 8, 1]) { Headers = { ContentType = new MediaTypeHeaderValue("application/grpc") } },
        };

        using var response = await http.SendAsync(request);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        await gateway.WaitForMetricAsync(line => line.Contains("grpc", StringComparison.Ordinal) && line.Contains("Count", StringComparison.Ordinal));
    }
}
