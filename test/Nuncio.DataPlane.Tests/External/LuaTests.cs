using Nuncio.DataPlane.Telemetry;
using Nuncio.Testing.Backends;
using LuaMessage = Envoy.Extensions.Filters.Http.Lua.V3.Lua;

namespace Nuncio.DataPlane.Tests.External;

public sealed class LuaTests : IAsyncDisposable
{
    private readonly ProxyFixture _proxy = new();

    public ValueTask DisposeAsync() => _proxy.DisposeAsync();

    [Fact]
    public async Task Headers_OfBothSides_AreReadAndChanged()
    {
        await StartAsync("""
            function envoy_on_request(h)
              h:headers():add('x-in', h:headers():get(':path'))
              h:headers():replace('x-user', 'ann')
              h:headers():remove('x-drop')
              h:headers():add('x-none', tostring(h:headers():get('x-absent')))
              local names = {}
              for name, value in pairs(h:headers()) do names[#names + 1] = name end
              h:headers():add('x-names', tostring(#names > 3))
            end
            function envoy_on_response(h)
              h:headers():add('x-out', h:headers():get(':status'))
            end
            """);

        var response = await _proxy.SendAsync(target: "/a?b", headers: "x-user: forged\r\nx-drop: 1\r\n");

        response["x-out"].ShouldBe("200");
        var seen = _proxy.Backend.Requests.ShouldHaveSingleItem();
        seen["x-in"].ShouldBe("/a?b");
        seen["x-user"].ShouldBe("ann");
        seen["x-drop"].ShouldBeNull();
        seen["x-none"].ShouldBe("nil");
        seen["x-names"].ShouldBe("true");
    }

    [Fact]
    public async Task Headers_GotBeforeTheScriptWaited_AreOfNoUse()
    {
        await StartAsync("function envoy_on_request(h) h:headers():add('x-size', h:body():length()) end");

        await _proxy.SendAsync("POST", body: "hello");

        _proxy.Backend.Requests.ShouldHaveSingleItem()["x-size"].ShouldBeNull();
    }

    [Fact]
    public async Task Bodies_OfBothSides_AreReadAndChanged()
    {
        await StartAsync("""
            function envoy_on_request(h)
              local body = h:body()
              h:headers():add('x-length', body:length())
              body:setBytes(string.upper(body:getBytes(0, body:length())))
            end
            function envoy_on_response(h)
              local body = h:body()
              h:headers():add('x-first', body:getBytes(0, 4))
              body:setBytes('changed')
            end
            """);

        var response = await _proxy.SendAsync("POST", body: "hello");

        var seen = _proxy.Backend.Requests.ShouldHaveSingleItem();
        seen.BodyText.ShouldBe("HELLO");
        seen["x-length"].ShouldBe("5");
        response["x-first"].ShouldBe("POST");
        response["content-length"].ShouldBe("7");
        response.BodyText.ShouldBe("changed");
    }

    [Fact]
    public async Task BodyChunks_OfBothSides_AreChangedAsTheyGoBy()
    {
        await StartAsync("""
            function envoy_on_request(h)
              for chunk in h:bodyChunks() do chunk:setBytes(string.upper(chunk:getBytes(0, chunk:length())) .. '') end
            end
            function envoy_on_response(h)
              local last
              for chunk in h:bodyChunks() do
                chunk:setBytes('')
                last = chunk
              end
              last:setBytes('changed')
            end
            """);
        var body = new string('x', 200_000);

        var response = await _proxy.SendAsync("POST", body: body);

        _proxy.Backend.Requests.ShouldHaveSingleItem().BodyText.ShouldBe(body.ToUpperInvariant());
        response["content-length"].ShouldBeNull();
        response.BodyText.ShouldBe("changed");
        _proxy.Metrics.Find("envoy_http_lua_errors", MetricLabels.None).ShouldBe(0);
    }

    [Fact]
    public async Task Waits_InACoroutineOfTheScripts_AreThoseOfTheScript()
    {
        await StartAsync("""
            function envoy_on_request(h)
              local inner = coroutine.wrap(function()
                local deep = coroutine.wrap(function() coroutine.yield(h:body():length()) return h:body():getBytes(0, 2) end)
                coroutine.yield(deep())
                return deep()
              end)
              local length = inner()
              h:headers():add('x-got', length .. inner())
            end
            """);

        await _proxy.SendAsync("POST", body: "hello");

        _proxy.Backend.Requests.ShouldHaveSingleItem()["x-got"].ShouldBe("5he");
    }

    [Fact]
    public async Task Respond_InARequest_AnswersInsteadOfTheUpstream()
    {
        await StartAsync("""
            function envoy_on_request(h)
              h:respond({[':status'] = '418', ['x-tea'] = 'yes', ['x-bad'] = 'a\r\nb'}, 'short and stout')
              h:logErr('not reached')
            end
            """);

        var response = await _proxy.SendAsync();

        response.Status.ShouldBe(418);
        response["x-tea"].ShouldBe("yes");
        response["x-bad"].ShouldBeNull();
        response.BodyText.ShouldBe("short and stout");
        _proxy.Backend.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task HttpCall_ToACluster_GivesHeadersAndBody()
    {
        var service = _proxy.AddHttp("service", _ => Responses.With(201, "made", "x-id: 7\r\n"));
        await StartAsync("""
            function envoy_on_request(h)
              local headers, body = h:httpCall('service', {[':method'] = 'POST', [':path'] = '/make', [':authority'] = 'service'}, 'please', 60000)
              h:headers():add('x-status', headers[':status'])
              h:headers():add('x-id', headers['x-id'])
              h:headers():add('x-body', body)
            end
            """);

        await _proxy.SendAsync();

        var asked = service.Requests.ShouldHaveSingleItem();
        asked.Target.ShouldBe("/make");
        asked.BodyText.ShouldBe("please");
        var seen = _proxy.Backend.Requests.ShouldHaveSingleItem();
        seen["x-status"].ShouldBe("201");
        seen["x-id"].ShouldBe("7");
        seen["x-body"].ShouldBe("made");
    }

    [Theory]
    [InlineData("error('broken')")]
    [InlineData("local x = nil; x.y = 1")]
    [InlineData("while true do end")]
    [InlineData("while true do pcall(function() while true do end end) end")]
    [InlineData("coroutine.wrap(function() while true do end end)()")]
    [InlineData("local s = 'x' while true do s = s .. s end")]
    [InlineData("io.open('/etc/passwd')")]
    [InlineData("os.execute('true')")]
    [InlineData("require('os')")]
    public async Task Script_ThatFailsOrTakesTooMuch_LetsTheRequestGoOn(string script)
    {
        await StartAsync($"function envoy_on_request(h) {script} end");

        (await _proxy.SendAsync()).Status.ShouldBe(200);

        _proxy.Metrics.Find("envoy_http_lua_errors", MetricLabels.None).ShouldBe(1);
    }

    [Theory]
    [InlineData("10 / 2", "5")]
    [InlineData("7 / 2", "3.5")]
    [InlineData("2 ^ 10", "1024")]
    [InlineData("unpack({'a', 'b'})", "a")]
    [InlineData("table.getn({1, 2, 3})", "3")]
    [InlineData("math.pow(2, 3)", "8")]
    [InlineData("loadstring('return 1 + 1')()", "2")]
    [InlineData("string.format('%d', 6 / 2)", "3")]
    [InlineData("bit.band(0xff, 0x0f)", "15")]
    [InlineData("tostring(io) .. tostring(debug.getinfo) .. tostring(package) .. tostring(os.getenv) .. tostring(dofile)", "nilnilnilnilnil")]
    public async Task Language_WhereScriptsCanTell_IsLua51(string expression, string expected)
    {
        await StartAsync($"function envoy_on_request(h) h:headers():add('x-value', ({expression})) end");

        await _proxy.SendAsync();

        _proxy.Backend.Requests.ShouldHaveSingleItem()["x-value"].ShouldBe(expected);
    }

    private Task StartAsync(string script)
    {
        _proxy.AddFilter("envoy.filters.http.lua", new LuaMessage { InlineCode = script });
        return _proxy.StartAsync();
    }
}
