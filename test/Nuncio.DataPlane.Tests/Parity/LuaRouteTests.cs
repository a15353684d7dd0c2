using System.Security.Cryptography;
using Nuncio.Testing.Backends;

namespace Nuncio.DataPlane.Tests.Parity;

/// <summary>What routes say to scripts, and what scripts tell each other.</summary>
public sealed class LuaRouteTests
{
    private const string LuaType = "\"@type\":\"type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua\"";
    private const string RouteType = "\"@type\":\"type.googleapis.com/envoy.extensions.filters.http.lua.v3.LuaPerRoute\"";

    [Theory]
    [InlineData("/default", "x-who=default")]
    [InlineData("/named", "x-who=named")]
    [InlineData("/unknown", "x-who=")]
    [InlineData("/own", "x-who=own")]
    [InlineData("/off", "x-who=")]
    [InlineData("/context", "x-who=blue 3 true x")]
    public async Task Route_ChoosesTheScript(string path, string expected)
    {
        await using var backend = WireBackend.StartEcho();
        await using var pair = await ProxyPair.StartAsync(ProxyPair.Resources(
            $$$"""
            {"name":"h","domains":["*"],"routes":[
              {"match":{"prefix":"/named"},"route":{"cluster":"c"},"typed_per_filter_config":{"lua":{{{{RouteType}}},"name":"other"} } },
              {"match":{"prefix":"/unknown"},"route":{"cluster":"c"},"typed_per_filter_config":{"lua":{{{{RouteType}}},"name":"nobody"} } },
              {"match":{"prefix":"/own"},"route":{"cluster":"c"},"typed_per_filter_config":{"lua":{{{{RouteType}}},"source_code":{"inline_string":
                "function envoy_on_response(h) h:headers():add('x-who', 'own') end"} } } },
              {"match":{"prefix":"/off"},"route":{"cluster":"c"},"typed_per_filter_config":{"lua":{{{{RouteType}}},"disabled":true} } },
              {"match":{"prefix":"/context"},"route":{"cluster":"c"},"metadata":{"filter_metadata":{"lua":{"team":"blue","list":["x"]} } },
                "typed_per_filter_config":{"lua":{{{{RouteType}}},"name":"context","filter_context":{"level":3,"on":true} } } },
              {"match":{"prefix":"/"},"route":{"cluster":"c"} }]}
            """,
            ProxyPair.Cluster("c", "", (backend.Port, 1)),
            "",
            $$$"""
            {"name":"lua","typed_config":{{{{LuaType}}},"default_source_code":{"inline_string":"function envoy_on_response(h) h:headers():add('x-who', 'default') end"},
              "source_codes":{"other":{"inline_string":"function envoy_on_response(h) h:headers():add('x-who', 'named') end"},
                "context":{"inline_string":"function envoy_on_response(h) local c, m = h:filterContext(), h:metadata() h:headers():add('x-who', m:get('team') .. ' ' .. string.format('%d', c:get('level')) .. ' ' .. tostring(c:get('on')) .. ' ' .. m:get('list')[1]) end"} } } },
            """));
        pair.Rejections.ShouldBeEmpty();

        await pair.ExpectAsync("200 "
            + expected, async port => string.Join(' ', (await ProxyPair.AskAsync(port, $"GET {path} HTTP/1.1\r\nhost: a\r\n\r\n", "x-who")).Split(' ', '\n')
                .TakeWhile(static word => !word.StartsWith("GET", StringComparison.Ordinal))).TrimEnd());
    }

    [Fact]
    public async Task DynamicMetadata_OfARequest_IsThereForItsResponseAndOtherFilters()
    {
        await using var backend = WireBackend.StartEcho();
        await using var pair = await ProxyPair.StartAsync(ProxyPair.Resources(
            """
            {"name":"h","domains":["*"],"routes":[{"match":{"prefix":"/"},"route":{"cluster":"c"},
              "response_headers_to_add":[{"header":{"key":"x-told","value":"%DYNAMIC_METADATA(space:tree)% %DYNAMIC_METADATA(space:text)% %DYNAMIC_METADATA(space:number)% %DYNAMIC_METADATA(space:tree:inner)%"} }]}]}
            """,
            ProxyPair.Cluster("c", "", (backend.Port, 1)),
            "",
            $$$"""
            {"name":"one","typed_config":{{{{LuaType}}},"inline_code":"function envoy_on_request(h) local m = h:streamInfo():dynamicMetadata() m:set('space', 'text', 'a\"b') m:set('space', 'number', 1.5) m:set('space', 'tree', {inner = 'x', list = {1, true}}) end"} },
            {"name":"two","typed_config":{{{{LuaType}}},"inline_code":"function envoy_on_response(h) local t = h:streamInfo():dynamicMetadata():get('space') h:headers():add('x-seen', t['text'] .. ' ' .. tostring(t['number']) .. ' ' .. t['tree']['inner'] .. ' ' .. tostring(t['tree']['list'][2]) .. ' ' .. tostring(h:streamInfo():dynamicMetadata():get('nothing') == nil)) end"} },
            """));
        pair.Rejections.ShouldBeEmpty();

        var answer = await pair.CompareAsync(port => ProxyPair.AskAsync(port, "HEAD / HTTP/1.1\r\nhost: a\r\n\r\n", "x-told", "x-seen"));

        answer.ShouldContain("x-seen=a\"b 1.5 x true true");
        answer.ShouldContain("x-told={\"inner\":\"x\",\"list\":[1,true]} a\"b 1.5 x");
    }

    [Fact]
    public async Task VerifySignature_OfAKey_SaysWhetherItIsGood()
    {
        using var rsa = RSA.Create(2048);
        var key = Convert.ToHexString(rsa.ExportSubjectPublicKeyInfo());
        var signature = Convert.ToHexString(rsa.SignData("hello"u8.ToArray(), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        await using var backend = WireBackend.StartEcho();
        await using var pair = await ProxyPair.StartAsync(ProxyPair.Resources(
            """{"name":"h","domains":["*"],"routes":[{"match":{"prefix":"/"},"route":{"cluster":"c"} }]}""",
            ProxyPair.Cluster("c", "", (backend.Port, 1)),
            "",
            $$$"""
            {"name":"lua","typed_config":{{{{LuaType}}},"inline_code":"local function raw(hex) return (string.gsub(hex, '..', function(c) return string.char(tonumber(c, 16)) end)) end function envoy_on_response(h) local der, sig = raw('{{{key}}}'), raw('{{{signature}}}') local key = h:importPublicKey(der, string.len(der)):get() for _, data in ipairs({'hello', 'hallo'}) do local good = h:verifySignature('sha256', key, sig, string.len(sig), data, string.len(data)) h:headers():add('x-good', tostring(good)) end local known, why = h:verifySignature('md17', key, sig, string.len(sig), 'hello', 5) h:headers():add('x-why', tostring(known) .. ' ' .. why) end"} },
            """));
        pair.Rejections.ShouldBeEmpty();

        await pair.ExpectAsync(
            "200 x-good=true,false x-why=false md17 is not supported.",
            port => ProxyPair.AskAsync(port, "HEAD / HTTP/1.1\r\nhost: a\r\n\r\n", "x-good", "x-why"));
    }
}
