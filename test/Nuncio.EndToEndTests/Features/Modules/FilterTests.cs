namespace Nuncio.EndToEndTests.Features.Modules;

/// <summary>Filters of the Module that look into requests and responses.</summary>
[Manifest(Common.Everywhere)]
[Manifest("""
    Module ambassador:
      config:
        lua_scripts: |
          function envoy_on_request(handle)
            handle:headers():add("x-lua-request", handle:headers():get(":path"))
          end
          function envoy_on_response(handle)
            handle:headers():add("x-lua-response", "yes")
          end
    Mapping all: { hostname: "*", prefix: /all/, service: $(a) }
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
}
