using System.Globalization;
using Nuncio.Testing.Backends;

namespace Nuncio.DataPlane.Tests.Parity;

/// <summary>The stream handle of scripts, method by method: both must give and refuse the same.</summary>
public sealed class LuaHandleTests
{
    [Fact]
    public async Task Methods_OfTheHandle_GiveWhatEnvoysGive()
    {
        const string Script = LuaResources.Show + """
            function envoy_on_request(h)
              local out = {}
              local function try(name, f)
                local results = {pcall(f)}
                out[#out + 1] = name .. ' => ' .. (results[1] and show(unpack(results, 2)) or 'refused')
              end
              local H = h:headers()
              try('get', function() return H:get('x-m'), H:get('X-M'), H:getAtIndex('x-m', 0), H:getAtIndex('x-m', 1), H:getNumValues('x-m') end)
              try('get nothing', function() return H:getAtIndex('x-m', 2) == nil, H:getAtIndex('x-m', -1) == nil, H:getNumValues('x-q') end)
              try('get nil', function() return H:get(nil) end)
              try('add nil', function() return H:add('x-n', nil) end)
              try('add boolean', function() return H:add('x-n', true) end)
              try('add number', function() H:add('x-n', 10 / 2) return H:get('x-n') end)
              try('replace', function() H:replace('x-m', 'z') return H:get('x-m'), H:getNumValues('x-m') end)
              try('log on objects', function() return H:logTrace('x') end)
              try('log nil', function() return h:logInfo(nil) end)
              try('info', function()
                local i = h:streamInfo()
                return i:protocol(), i:routeName(), i:virtualClusterName(), i:requestedServerName(), i:downstreamSslConnection() == nil,
                  #i:downstreamDirectLocalAddress() > 10
              end)
              try('typed metadata', function() return h:streamInfo():dynamicTypedMetadata('a') == nil end)
              try('of connection', function() return h:connectionStreamInfo():dynamicTypedMetadata('a') == nil end)
              try('connection metadata', function() return h:connectionStreamInfo():dynamicMetadata():get('x') == nil end)
              try('connection metadata set', function() return h:connectionStreamInfo():dynamicMetadata():set('x', 'a', 1) end)
              local state = h:streamInfo():filterState()
              try('state set', function() state:set('x', 'envoy.string', 'v') return state:get('x') end)
              try('state of no factory', function() return state:set('y', 'none', 'v') end)
              try('state without value', function() return state:set('x', 'envoy.string') end)
              try('route', function() return h:route():metadata():get('where'), h:virtualHost():metadata():get('where'), h:metadata():get('where') end)
              try('stats', function()
                local c, g = h:stats():counter('hits'), h:stats():gauge('level')
                c:inc() c:add(5) g:set(7) g:dec() g:sub(2) g:add(10) h:stats():histogram('size'):recordValue(3)
                return c:value(), g:value()
              end)
              try('base64', function() return h:base64Escape('a\0b'), h:base64Decode('YWI'), h:base64Decode('!!') == nil end)
              try('timestamp', function() return #h:timestampString(), #h:timestampString(EnvoyTimestampResolution.MICROSECOND) end)
              try('timestamp in another', function() return h:timestamp('x') end)
              try('string of another', function() return h:timestampString(7) end)
              try('request headers', function() return h:requestHeaders():get(':path') end)
              try('override by name', function() return h:setUpstreamOverrideHost('foo', false) end)
              try('override by nothing', function() return h:setUpstreamOverrideHost('', false) end)
              try('body', function() local b = h:body() return b:length(), b:getBytes(0, b:length()), pcall(b.getBytes, b, 0, 100) == false end)
              local R = {[':method'] = 'POST', [':path'] = '/call', [':authority'] = 'a', ['x-two'] = {'p', 'q'}}
              local function call(...) return h:httpCall('c', R, 'hi', ...) end
              local headers, body = call({timeout_ms = 60000, return_duplicate_headers = true})
              out[#out + 1] = headers[':status'] .. headers['content-length'] .. body
              headers, body = call(60000)
              out[#out + 1] = headers[':status'] .. #body
              headers = call({asynchronous = true})
              out[#out + 1] = tostring(headers)
              try('old headers', function() return H:get('x-m') end)
              try('new headers', function() return h:headers():get('x-m') end)
              h:respond({[':status'] = 200, ['x-list'] = {'a', 'b'}}, table.concat(out, '\n'))
            end
            """;
        await using var backend = WireBackend.StartEcho();
        await using var pair = await ProxyPair.StartAsync(LuaResources.With(Script, backend.Port));
        pair.Rejections.ShouldBeEmpty();

        var answer = await pair.CompareAsync(static port => ProxyPair.AskAsync(
            port, "POST /p HTTP/1.1\r\nhost: a\r\nx-m: 1\r\nx-m: 2\r\ncontent-length: 5\r\n\r\nhello", "x-list"));

        answer.ShouldContain("get => 1,2 ; 1,2 ; 1 ; 2 ; 2\n");
        answer.ShouldContain("state set => v\n");
        answer.ShouldContain("route => route ; host ; route\n");
        answer.ShouldContain("stats => 6 ; 14\n");
        answer.ShouldContain("body => 5 ; hello ; true\n");
    }

    [Fact]
    public async Task BodyChunks_OfBothSides_AreSeenAsTheyGoBy()
    {
        // Changes are not compared: Envoy announces another length than it sends then.
        const string Script = """
            function envoy_on_request(h)
              local seen = 0
              for chunk in h:bodyChunks() do seen = seen + chunk:length() end
              h:streamInfo():dynamicMetadata():set('lua', 'seen', seen .. ' ' .. tostring(pcall(function() h:headers():add('x-late', '1') end))
                .. ' ' .. tostring(pcall(function() h:respond({[':status'] = 200}, 'late') end)))
            end
            function envoy_on_response(h)
              h:headers():add('x-seen', h:streamInfo():dynamicMetadata():get('lua').seen)
              h:headers():setHttp1ReasonPhrase('Quite Fine')
              h:headers():add('x-path', h:requestHeaders():get(':path'))
              local seen = 0
              for chunk in h:bodyChunks() do seen = seen + chunk:length() end
              h:stats():counter('seen'):add(seen)
            end
            """;
        await using var backend = WireBackend.StartEcho();
        await using var pair = await ProxyPair.StartAsync(LuaResources.With(Script, backend.Port));
        pair.Rejections.ShouldBeEmpty();
        var body = new string('x', 300_000);

        await pair.ExpectAsync("HTTP/1.1 200 Quite Fine 300000 false false /p", async port =>
        {
            await using var client = await WireClient.ConnectAsync(port);
            await client.Wire.WriteAsync(
                string.Create(CultureInfo.InvariantCulture, $"POST /p HTTP/1.1\r\nhost: a\r\ncontent-length: {body.Length}\r\n\r\n{body}"));
            var response = await client.Wire.ReadResponseAsync("POST");
            response.Body.Length.ShouldBeGreaterThan(body.Length);
            return $"{response.StatusLine} {response["x-seen"]} {response["x-path"]}";
        });

        backend.Requests.Count.ShouldBe(pair.HasEnvoy ? 2 : 1);
        backend.Requests.ShouldAllBe(request => request.BodyText == body);
    }

    [Fact]
    public async Task Endpoint_ThatAScriptWants_IsTakenWhereItIsThere()
    {
        const string Script = """
            function envoy_on_request(h)
              h:setUpstreamOverrideHost(h:headers():get('x-to'), h:headers():get('x-strict') == 'yes')
            end
            """;
        await using var first = WireBackend.StartEcho();
        await using var second = WireBackend.StartEcho();
        await using var pair = await ProxyPair.StartAsync(LuaResources.With(Script, first.Port, second.Port));
        pair.Rejections.ShouldBeEmpty();

        await pair.EachAsync(async port =>
        {
            for (var i = 0; i < 3; i++)
            {
                var answer = await ProxyPair.AskAsync(port, $"HEAD / HTTP/1.1\r\nhost: a\r\nx-to: 127.0.0.1:{second.Port}\r\nx-strict: yes\r\n\r\n");
                answer.ShouldStartWith("200");
            }
        });

        first.Requests.ShouldBeEmpty();
        await pair.ExpectAsync("200", static port => ProxyPair.AskAsync(port, "HEAD / HTTP/1.1\r\nhost: a\r\nx-to: 127.0.0.1:9\r\nx-strict: no\r\n\r\n"));
        await pair.ExpectAsync(
            "503 no healthy upstream", static port => ProxyPair.AskAsync(port, "GET / HTTP/1.1\r\nhost: a\r\nx-to: 127.0.0.1:9\r\nx-strict: yes\r\n\r\n"));
    }

    [Theory]
    [InlineData(
        "30819f300d06092a864886f70d010101050003818d0030818902818100a07a1c7b71f3799227aed98a178fcaa25a71dd9565b9165aad224a7ae900e5ebb9801662"
        + "50d681dc1212a5a09301f155ea29d91675ca91c5511fca7c0d9ccd537fadeed898d49644798ba47844374f74e14e742713e2d82e522099b3256f3674c747afb378"
        + "2972885470bb426cfd12dde1b4ca1db5e6c4f280475be2f62c159f0203010001",
        "03bf01aa545d4e2649a596dc7ff43555eebcd7ed91a0c8b0e2ab168755c34728e29a1a907ed93c39a7e9f5bd3a9ef2f22fcfdca7ec0d50189307eccfee79144ca1"
        + "0c274090f69c6107ab4af3db3640e348afe5814cbc0d92c029dbc3cb1b8fe8aa5ee1c5abc9384802f01f754fd1482b1de12e7ea431c2cf28f007563fa1c341")]
    [InlineData(
        "3059301306072a8648ce3d020106082a8648ce3d030107034200045f2a64d63c6ad7f2217ce82351a7a7d56bc7488827f437bd85efa867df879f1334e2d673f045"
        + "6638e3b400278b056537d21a0239995bab0cb761ef8c730f26b6",
        "304402207c0217e9bcb9bc29f2544733a348ec20340f50072303c8092dab9e4a0c2c49c6022059ae3f7067828f7654e2706b0b21a95c565da53e7b233ae3dd688e"
        + "cd50db981b")]
    public async Task VerifySignature_WithSha224_SaysWhetherItIsGood(string key, string signature)
    {
        const string Script = """
            local function raw(hex) return (string.gsub(hex, '..', function(c) return string.char(tonumber(c, 16)) end)) end
            function envoy_on_request(h)
              local der, signature = raw(h:headers():get('x-key')), raw(h:headers():get('x-signature'))
              local key = h:importPublicKey(der, #der):get()
              local function good(text) return tostring((h:verifySignature('SHA224', key, signature, #signature, text, #text))) end
              h:respond({[':status'] = 200}, good('hello') .. good('hallo'))
            end
            """;
        await using var backend = WireBackend.StartEcho();
        await using var pair = await ProxyPair.StartAsync(LuaResources.With(Script, backend.Port));
        pair.Rejections.ShouldBeEmpty();

        await pair.ExpectAsync(
            "200 truefalse", port => ProxyPair.AskAsync(port, $"GET / HTTP/1.1\r\nhost: a\r\nx-key: {key}\r\nx-signature: {signature}\r\n\r\n"));
    }
}
